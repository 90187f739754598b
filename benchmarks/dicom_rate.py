"""C-STORE by eight senders at once, svartid beside Orthanc, both keeping what they acknowledge.

`python -m benchmarks.dicom_rate [--objects 1000] [--associations 8] [--rounds 3] [--record]`

The same objects (a CT slice of 39 kB with 260 attributes, 50 to a series) are sent by dcmtk's
storescu, one process an association, and by pynetdicom, which waits for no receipts. Both archives
run as they are by default: Orthanc with SyncStorageArea and its SQLite index, svartid with every
object, folder and index row synced. They take turns, so a slow minute hits both alike. Afterwards
every object has to be there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import pydicom
from pydicom.uid import generate_uid

from benchmarks.faults import wait_for
from benchmarks.measure import Missing, machine, record
from flows.services import prepare_services
from storage import dicom_peers
from storage.records.imaging import Peer, PeerMay
from storage.settings import read_settings

HOST, TITLE = "127.0.0.1", "SENDER"
ORTHANC = shutil.which("Orthanc")
_IN_A_SERIES = 50
_PYNETDICOM = """
import sys
from pathlib import Path
from pydicom import dcmread
from pynetdicom import AE, _config
_config.LOG_HANDLER_LEVEL, _config.STORE_SEND_CHUNKED_DATASET = "none", True
host, port, title, folder = sys.argv[1:]
entity = AE("SENDER")
entity.add_requested_context("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1")
association = entity.associate(host, int(port), ae_title=title)
# Its loop may catch an answer in the moment it is told to pause, and drops it: put back.
association._serve_request = lambda message, context: association.dimse.msg_queue.put(
    (context, message)
)
statuses = [association.send_c_store(file).Status for file in sorted(Path(folder).iterdir())]
association.release()
sys.exit(any(statuses))
"""


class Archive(Protocol):
    """What is stored to."""

    name: str
    title: str
    port: int
    pids: list[int]

    def count(self) -> int:
        """Objects it says it has."""


@dataclass
class Svartid:
    """Its node's processes on a folder of their own."""

    folder: Path
    port: int
    name: str = "svartid"
    title: str = "SVARTID"
    pids: list[int] = field(default_factory=list)

    def count(self) -> int:
        """Whole files; each has a row, or the sender was not told that it is kept."""
        return len(list((self.folder / "dicom").glob("??/*.dcm")))


@dataclass
class Orthanc:
    """A fresh Orthanc."""

    url: str
    port: int
    name: str = "Orthanc"
    title: str = "ORTHANC"
    pids: list[int] = field(default_factory=list)

    def count(self) -> int:
        """What its index has."""
        told = httpx.get(f"{self.url}/statistics").json()
        return int(told["CountInstances"])


def main() -> int:
    """Run the rounds; print and perhaps record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="a CT slice as DICOM")
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--associations", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2, help="processes of svartid's node")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results/")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="svartid-rate-") as scratch:
        lanes = make_objects(args.source, Path(scratch) / "objects", args.objects,
                             args.associations)  # fmt: skip
        runs = list(measure(Path(scratch), lanes, args))
    document = {"machine": machine(), "objects": args.objects, "associations": args.associations,
                "workers": args.workers, "runs": runs, "figures": figures(runs)}  # fmt: skip
    print(json.dumps(document["figures"], indent=1))
    if args.record:
        print(record("dicom-rate", document))
    return 0


def make_objects(source: Path, folder: Path, count: int, lanes: int) -> list[Path]:
    """So many objects of their own UIDs, dealt out to folders, one for each association."""
    dataset, series = pydicom.dcmread(source), ""
    folders = [folder / str(lane) for lane in range(lanes)]
    for at in folders:
        at.mkdir(parents=True)
    for number in range(count):
        if number % _IN_A_SERIES == 0:
            series = generate_uid()
        dataset.SOPInstanceUID, dataset.SeriesInstanceUID = generate_uid(), series
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.InstanceNumber = number
        dataset.save_as(folders[number % lanes] / f"{number:06}.dcm")
    return folders


def measure(scratch: Path, lanes: list[Path], args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Each archive, each sender, a fresh archive every time."""
    for number in range(args.rounds):
        for sender in (storescu, by_pynetdicom):
            for start in (start_svartid, start_orthanc):
                folder = scratch / "archive"
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                os.sync()
                with start(folder, args.workers) as archive:
                    run = one_run(archive, sender, lanes) | {"round": number}
                print(f"{run['archive']:<8} from {run['sender']:<14} {run['seconds']:6.2f} s  "
                      f"{run['cpu_s']:6.2f} s CPU  {run['kept']} kept", flush=True)  # fmt: skip
                yield run


def one_run(archive: Archive, sender: Any, lanes: list[Path]) -> dict[str, Any]:  # noqa: ANN401
    """Send all lanes at once; how long, how much CPU in the archive, how many are there."""
    before, began = cpu(archive.pids), time.monotonic()
    processes = [sender(archive, lane) for lane in lanes]
    codes = [process.wait(600) for process in processes]
    seconds = time.monotonic() - began
    spent = cpu(archive.pids) - before
    sent = sum(len(list(lane.iterdir())) for lane in lanes)
    if any(codes) or archive.count() != sent:
        raise AssertionError(f"{archive.name}: {codes}, {archive.count()} of {sent} kept")
    return {"archive": archive.name, "sender": sender.__name__, "seconds": round(seconds, 3),
            "cpu_s": round(spent, 2), "kept": sent, "rate": round(sent / seconds, 1)}  # fmt: skip


def storescu(archive: Archive, lane: Path) -> subprocess.Popen[bytes]:
    """dcmtk's sender."""
    command = ["storescu", "-q", "-aet", TITLE, "-aec", archive.title, "+sd", HOST,
               str(archive.port), str(lane)]  # fmt: skip
    return subprocess.Popen(command)


def by_pynetdicom(archive: Archive, lane: Path) -> subprocess.Popen[bytes]:
    """pynetdicom's, the bytes as they are."""
    words = [HOST, str(archive.port), archive.title, str(lane)]
    return subprocess.Popen([sys.executable, "-c", _PYNETDICOM, *words])


@contextmanager
def start_svartid(folder: Path, workers: int) -> Iterator[Svartid]:
    """Its node as `svartid up` starts it."""
    services = prepare_services(read_settings(folder))
    may = frozenset({PeerMay.STORE})
    dicom_peers.put(services.database, Peer("sender", TITLE, HOST, may=may), "benchmark")
    services.database.dispose()
    port, log = free_port(), folder / "node.log"
    command = [sys.executable, "-m", "flows.dicom_node", HOST, str(port)]
    environment = os.environ | {"SVARTID_DATA": str(folder)}
    with log.open("wb") as into:
        started = [subprocess.Popen(command, env=environment, stdout=into, stderr=into)
                   for _ in range(workers)]  # fmt: skip
    try:
        wait_for(lambda: log.read_text().count("ready") == workers, "the node is ready")
        yield Svartid(folder, port, pids=[at.pid for at in started])
    finally:
        _end(started)


@contextmanager
def start_orthanc(folder: Path, _workers: int) -> Iterator[Orthanc]:
    """As it is by default, on loopback. Errors: Missing."""
    if ORTHANC is None:
        raise Missing("Orthanc is not installed")
    web, port = free_port(), free_port()
    settings = {
        "StorageDirectory": str(folder), "IndexDirectory": str(folder), "HttpPort": web,
        "DicomPort": port, "DicomAet": "ORTHANC", "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "Plugins": [],
    }  # fmt: skip
    file = folder / "orthanc.json"
    file.write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("wb") as into:
        process = subprocess.Popen([ORTHANC, str(file)], stdout=into, stderr=into)
    archive = Orthanc(f"http://{HOST}:{web}", port, pids=[process.pid])
    try:
        wait_for(lambda: _answers(archive.url), "Orthanc answers")
        yield archive
    finally:
        _end([process])


def figures(runs: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Medians, by archive and sender."""
    names = sorted({(run["archive"], run["sender"]) for run in runs})
    found = {}
    for archive, sender in names:
        mine = [run for run in runs if (run["archive"], run["sender"]) == (archive, sender)]
        found[f"{archive}, {sender}"] = {
            "objects_per_s": statistics.median(run["rate"] for run in mine),
            "seconds": statistics.median(run["seconds"] for run in mine),
            "cpu_ms_per_object": round(
                1000 * statistics.median(run["cpu_s"] / run["kept"] for run in mine), 2
            ),
        }
    return found


def cpu(pids: list[int]) -> float:
    """Seconds of CPU that processes have used, user and system."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A loopback port nobody has now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/system", timeout=1).is_success
    except httpx.HTTPError:
        return False


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.wait(30)


if __name__ == "__main__":
    raise SystemExit(main())
