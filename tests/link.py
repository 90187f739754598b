"""A slow line in user space: a TCP relay with a rate, a delay and losses, both ways.

`python -m tests.link --listen 127.0.0.1:0 --to 127.0.0.1:8000 --rate 20e6 --rtt 0.120 --loss 0.005`
prints the address it listens at. The model is in `link_model.py`, its limits in `docs/remote.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

from tests.link_model import PACKET, Flow, Line, Link, Packet

_READ = 64 * 1024
_LOOK = 0.005
"""How often a lost packet is looked after: others may bring it sooner."""


class Relay:
    """Carries every connection's bytes over one line each way."""

    def __init__(self, link: Link, to: tuple[str, int], seed: int) -> None:
        self._link, self._to, self._random = link, to, Random(seed)
        self._there, self._back = Line(link), Line(link)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection until either side ends it; its first byte waits for the handshake."""
        opens = asyncio.get_running_loop().time() + self._link.rtt
        there = Flow(self._link, self._there, self._random, opens)
        back = Flow(self._link, self._back, self._random)
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(*self._to)
            try:
                async with asyncio.TaskGroup() as ways:
                    ways.create_task(_carry(reader, far_writer, there))
                    ways.create_task(_carry(far_reader, writer, back))
            except* OSError:
                pass  # one side is gone, so is the other
            finally:
                far_writer.close()
        writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flow: Flow) -> None:
    loop = asyncio.get_running_loop()
    flying: asyncio.Queue[tuple[Packet, bytes] | None] = asyncio.Queue()
    async with asyncio.TaskGroup() as both:
        both.create_task(_deliver(flying, writer))
        while data := await reader.read(_READ):
            for at in range(0, len(data), PACKET):
                piece = data[at : at + PACKET]
                while (wait := flow.wait(loop.time())) > 0:
                    await asyncio.sleep(wait)
                flying.put_nowait((flow.send(loop.time(), len(piece)), piece))
        flying.put_nowait(None)


async def _deliver(
    flying: asyncio.Queue[tuple[Packet, bytes] | None], writer: asyncio.StreamWriter
) -> None:
    """In order: what comes after a lost packet waits for it."""
    loop = asyncio.get_running_loop()
    while (next_one := await flying.get()) is not None:
        packet, piece = next_one
        while (left := packet.arrives - loop.time()) > 0:
            await asyncio.sleep(min(left, _LOOK) if packet.lost else left)
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def relay(listen: tuple[str, int], to: tuple[str, int], link: Link, seed: int) -> None:
    """Serve until cancelled; the address goes to standard output."""
    server = await asyncio.start_server(Relay(link, to, seed).connected, *listen)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"{host}:{port}", flush=True)
    async with server:
        await server.serve_forever()


@contextmanager
def slow_line(port: int, link: Link | None = None, seed: int = 1) -> Iterator[int]:
    """The port of a relay in front of `port`, in a process of its own."""
    link = link or Link()
    words = [sys.executable, "-m", "tests.link", "--to", f"127.0.0.1:{port}", "--seed", str(seed)]
    words += ["--rate", str(link.rate), "--rtt", str(link.rtt), "--loss", str(link.loss)]
    words += [] if link.backs_off else ["--steadfast"]
    root = Path(__file__).parents[1]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.terminate()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host or "127.0.0.1", int(port)


def main() -> None:
    """Relay until killed."""
    usual = Link()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", type=_address, default="127.0.0.1:0")
    parser.add_argument("--to", type=_address, required=True)
    parser.add_argument("--rate", type=float, default=usual.rate, help="bits a second each way")
    parser.add_argument("--rtt", type=float, default=usual.rtt, help="seconds")
    parser.add_argument("--loss", type=float, default=usual.loss, help="share of the packets")
    parser.add_argument("--steadfast", action="store_true", help="losses shrink no window (BBR)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    link = Link(args.rate, args.rtt, args.loss, backs_off=not args.steadfast)
    with suppress(KeyboardInterrupt):
        asyncio.run(relay(args.listen, args.to, link, args.seed))


if __name__ == "__main__":
    main()
