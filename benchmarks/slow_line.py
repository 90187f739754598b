"""A slow line in user space: a TCP relay that delays every byte and lets so many a second pass.

Model: each direction has its own queue with `delay` seconds of flight and `rate` bytes a second;
TCP's own slow start is that of loopback, so real lines are slower at the start; no loss.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 16 * 1024


class _Direction:
    """One direction of the line, shared by all connections."""

    def __init__(self, delay: float, rate: float) -> None:
        self._delay, self._rate, self._free_at = delay, rate, 0.0

    def arrival(self, count: int) -> float:
        """When so many bytes handed over now have arrived."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(now, self._free_at) + count / self._rate
        return self._free_at + self._delay


@contextmanager
def slow_line(port: int, round_trip: float, bits_per_s: float) -> Iterator[int]:
    """The relay's port, in front of `port` on loopback."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    found: list[int] = []

    async def serve() -> None:
        ways = [_Direction(round_trip / 2, bits_per_s / 8) for _ in range(2)]

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(asyncio.CancelledError, ConnectionError):
                await asyncio.sleep(round_trip)  # the handshake of TCP
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(
                    _carry(reader, far_writer, ways[0]), _carry(far_reader, writer, ways[1])
                )

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        found.append(server.sockets[0].getsockname()[1])
        ready.set()

    loop.create_task(serve())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield found[0]
    finally:
        asyncio.run_coroutine_threadsafe(_end_all(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _end_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: _Direction
) -> None:
    flying: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def land() -> None:
        while True:
            at, data = await flying.get()
            await asyncio.sleep(at - asyncio.get_running_loop().time())
            if not data:
                writer.close()
                return
            writer.write(data)

    landing = asyncio.ensure_future(land())
    while data := await reader.read(_PIECE):
        flying.put_nowait((way.arrival(len(data)), data))
    flying.put_nowait((way.arrival(0), b""))
    await landing
