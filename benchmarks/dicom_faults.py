"""Hostile DICOM in full: wrong files of every kind, noise on the port, power cuts.

`python -m benchmarks.dicom_faults [--noise 2000] [--port 3000] [--kills 20] [--seed 1] [--record]`
(what `make faults` runs after the kills of ingests; `make test` has a sample)

Files: every real one cut at every byte (large ones at many), with noise, with the VR and the
length of every element made wrong; nested to depth 100,000; deflate bombs. Each is judged in a
process that may take 1 GiB of memory and seconds of time: taken, or named unfit, and nothing else.
Port: PDUs of noise, and associations that go wrong at any byte; the node answers afterwards, no
larger than before. Power cuts in mid-association: all that was acknowledged is there, byte for
byte.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import socket
import struct
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pydicom

from benchmarks.faults import Fault
from benchmarks.measure import machine, record
from flows.services import Services, prepare_services
from processing.dicom import receiving
from processing.dicom.envelope import Unwrapping
from processing.dicom.facts import facts_of
from processing.dicom.guard import Unfit, inspect
from storage.dicom_files import Incoming
from storage.dicom_objects import Objects
from storage.records.imaging import PeerMay
from storage.settings import read_settings
from tests.conftest import slides_folder
from tests.flows.dicom_nodes import HOST, let_in
from tests.flows.dicom_wire import association_request, echoes
from tests.flows.node_process import NodeProcess
from tests.flows.test_dicom_node_killed import Sender, check
from tests.processing.dicom.objects import DEFLATED, element, identity, nested, part10, real_files

_MEMORY = 2**30
_LONGEST = 20.0
_EMPTY = b"\xfe\xff\x00\xe0" + bytes(4)
_WHOLE = 12_000
"""Files up to that size are cut at every byte."""
_VRS = (b"OB", b"SQ", b"UN", b"US", b"PN", b"UT", b"AT", b"FD", b"XX", b"zz", b"\0\0")
_LENGTHS = (0, 1, 3, 0xFFFF, 2**31, 0xFFFFFFFE, 0xFFFFFFFF)


def main() -> int:
    """Print a line a part; exit 1 with a trace at the first fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--noise", type=int, default=2000, help="noisy copies of every real file")
    parser.add_argument("--port", type=int, default=3000, help="connections that go wrong")
    parser.add_argument("--kills", type=int, default=20, help="power cuts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="write benchmarks/results/")
    args = parser.parse_args()
    document: dict[str, Any] = {"machine": machine(), "seed": args.seed}
    with tempfile.TemporaryDirectory(prefix="svartid-dicom-faults-") as folder:
        root = Path(folder)
        document["files"] = dict(judge_files(root, args.noise, args.seed))
        print(f"files: {document['files']}", flush=True)
        document["crafted"] = judge_crafted(root)
        print(f"crafted: {document['crafted']}", flush=True)
        document["port"] = storm(root, args.port, args.seed)
        print(f"port: {document['port']}", flush=True)
        document["kills"] = cut_power(root, args.kills, args.seed)
        print(f"power cuts: {document['kills']}", flush=True)
    if args.record:
        print(record("dicom-faults", document))
    return 0


def judge_files(root: Path, noise: int, seed: int) -> Counter[str]:
    """All that can be made wrong about real files, in processes that may not grow."""
    files = real_files(slides_folder())
    if not files:
        raise Fault("there are no real files: set SVARTID_TEST_SLIDES")
    found = Counter[str]()
    jobs = [(path, root, noise, seed) for path in files]
    with ProcessPoolExecutor(2, initializer=_limit_memory) as pool:
        for told in pool.map(_judge_one, jobs):
            found.update(told)
    return found


def _judge_one(job: tuple[Path, Path, int, int]) -> Counter[str]:
    path, root, noise, seed = job
    target = root / f"{os.getpid()}.dcm"
    found, data = Counter[str](), path.read_bytes()[: 4 * 2**20]
    for wrong in _wrong(data, random.Random(f"{seed} {path.name}"), noise):
        target.write_bytes(wrong)
        found[_judged(target, path.name)] += 1
    return found


def _judged(path: Path, about: str) -> str:
    began = time.monotonic()
    try:
        facts_of(inspect(path))
        verdict = "taken"
    except Unfit as error:
        verdict = error.reason.value
    except BaseException as error:
        raise Fault(f"{about}: {type(error).__name__} instead of a verdict") from error
    if time.monotonic() - began > _LONGEST:
        raise Fault(f"{about}: {time.monotonic() - began:.0f} s to judge it")
    return verdict


def _wrong(data: bytes, dice: random.Random, noise: int) -> Iterator[bytes]:
    """Cut off, noisy, with heads of elements that lie."""
    ends = range(len(data)) if len(data) <= _WHOLE else dice.choices(range(len(data)), k=noise // 4)
    yield from (data[:end] for end in ends)
    header = min(len(data), 40_000)
    for _ in range(noise):
        noisy = bytearray(data)
        for _ in range(dice.choice((1, 1, 2, 8, 64))):
            at, width = dice.randrange(132, header), dice.choice((1, 2, 4))
            noisy[at : at + width] = dice.randbytes(width)
        yield bytes(noisy)
    for at in _heads(data):
        for vr in _VRS:
            yield data[: at + 4] + vr + data[at + 6 :]
        for length in _LENGTHS:
            packed = struct.pack("<I", length)
            yield data[: at + 6] + packed[:2] + data[at + 8 :]
            yield data[: at + 8] + packed + data[at + 12 :]
            yield data[: at + 4] + packed + data[at + 8 :]


def _heads(data: bytes) -> list[int]:
    """Where elements of the dataset begin, as pydicom sees it; at most 200 of them."""
    with suppress(Exception):
        dataset = pydicom.dcmread(pydicom.filebase.DicomBytesIO(data), stop_before_pixels=True)
        raw = [dataset.get_item(tag) for tag in list(dataset.keys())[:200]]
        tells = [at.value_tell for at in raw if isinstance(at, pydicom.dataelem.RawDataElement)]
        return [tell - 8 for tell in tells if tell > 140]
    return []


def judge_crafted(root: Path) -> dict[str, str]:
    """Depth, floods and bombs; a bomb goes all the way through receiving."""
    services = prepare_services(read_settings(root / "crafted"))
    begun, rest = identity()[:3], identity()[3:]
    deflating = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = b"".join(deflating.compress(bytes(2**24)) for _ in range(160)) + deflating.flush()
    made = {
        "depth 10,000": part10([*begun, nested(10_000, defined=False), *rest]),
        "depth 100,000": part10([*begun, nested(100_000, defined=False), *rest]),
        "depth 3,000, defined": part10([*begun, nested(3_000, defined=True), *rest]),
        "deflate bomb, 2.5 GiB of zeros": part10(bomb, DEFLATED),
        "11 million items": part10([*identity(), element(0x00081140, "SQ", _EMPTY * 11_000_000)]),
    }
    found = {}
    for name, data in made.items():
        began = time.monotonic()
        found[name] = f"{_received(services, data)}, {time.monotonic() - began:.1f} s"
    if list(services.layout.dicom.glob("*.part")):
        raise Fault("half objects are left")
    services.database.dispose()
    return found


def _received(services: Services, data: bytes) -> str:
    incoming = Incoming(services.layout)
    unwrapping = Unwrapping(incoming)
    for at in range(0, len(data), 2**20):
        unwrapping.write(data[at : at + 2**20])
    unwrapping.finish()
    outcome = receiving.receive(incoming, Objects(services.database), "faults")
    if outcome.reason is None:
        raise Fault("something hostile was taken")
    return outcome.reason.value


def storm(root: Path, count: int, seed: int) -> dict[str, Any]:
    """Connections that go wrong; afterwards the node is as before."""
    services = prepare_services(read_settings(root / "storm"))
    let_in(services, "SENDER", may=frozenset({PeerMay.STORE}))
    dice, good = random.Random(seed), association_request("SENDER")
    with NodeProcess(services) as node:
        for _ in range(50):  # what it takes at all, it has taken then
            if not echoes(node):
                raise Fault("the node does not answer")
        before, most = node.memory, 0
        for number in range(count):
            _go_wrong(node.port, good, dice)
            if number % 50 == 49:
                most = max(most, node.memory)
                _answers_within(node, 30)
        until = time.monotonic() + 60
        while node.threads > 12 and time.monotonic() < until:
            time.sleep(0.5)
        grown = node.memory - before
        if grown > 64 * 1024 or node.threads > 12 or "Traceback" in node.said:
            raise Fault(f"{grown} KiB more than before, {node.threads} threads")
    services.database.dispose()
    return {"connections": count, "grown_kib": grown, "most_kib": most - before}


def _go_wrong(port: int, good: bytes, dice: random.Random) -> None:
    with suppress(OSError), socket.create_connection((HOST, port), timeout=5) as wire:
        kind = dice.randrange(6)
        if kind == 0:
            wire.sendall(dice.randbytes(dice.randrange(1, 3000)))
        elif kind == 1:
            wire.sendall(good[: dice.randrange(1, len(good))])
        elif kind == 2:
            noisy = bytearray(good)
            for _ in range(dice.choice((1, 2, 10))):
                noisy[dice.randrange(len(noisy))] = dice.randrange(256)
            wire.sendall(noisy)
        else:
            wire.sendall(good)
            wire.settimeout(1)
            wire.recv(4096)
            wire.sendall(_a_message(dice))
        wire.settimeout(0.05)
        wire.recv(4096)


def _a_message(dice: random.Random) -> bytes:
    """P-DATA that is nearly right, or a PDU that is nearly one."""
    body = dice.randbytes(dice.randrange(0, 400))
    command = struct.pack("<HHI", 0, 0, 4) + struct.pack("<I", dice.randrange(2**32)) + body
    value = struct.pack(">BB", dice.choice((1, 3, 255)), dice.choice((0, 1, 2, 3, 77))) + command
    said = dice.choice((len(value), len(value), dice.randrange(2**32)))
    data = struct.pack(">I", said) + value
    length = dice.choice((len(data), len(data), len(data) + 9, dice.randrange(2**32)))
    return struct.pack(">BBI", dice.choice((4, 4, 4, 5, 6, 7, 8, 200)), 0, length) + data


def _answers_within(node: NodeProcess, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not echoes(node):
        if time.monotonic() > until:
            raise Fault("the node does not answer any more")
        time.sleep(0.5)


def cut_power(root: Path, kills: int, seed: int) -> dict[str, int]:
    """Kill the node while four senders store; see tests/flows/test_dicom_node_killed.py."""
    services = prepare_services(read_settings(root / "kills"))
    let_in(services, "SENDER", may=frozenset({PeerMay.STORE}))
    node, dice, acknowledged = NodeProcess(services), random.Random(seed), list[int]()
    for kill in range(kills):
        node.start()
        senders = [Sender(node.port, 100_000 * (kill + 1) + 20_000 * lane) for lane in range(4)]
        threads = [threading.Thread(target=sender.run) for sender in senders]
        for thread in threads:
            thread.start()
        time.sleep(dice.uniform(0.2, 2.5))
        node.kill()
        for thread in threads:
            thread.join(120)
        acknowledged += [number for sender in senders for number in sender.acknowledged]
    check(services, acknowledged)
    node.start()
    with node:
        if list(services.layout.dicom.glob("*.part")):
            raise Fault("half objects are left after a start")
    services.database.dispose()
    return {"kills": kills, "acknowledged": len(acknowledged)}


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    raise SystemExit(main())
