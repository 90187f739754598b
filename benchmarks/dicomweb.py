"""DICOMweb beside Orthanc's on the same objects: frames, metadata, searching, storing.

`python -m benchmarks.dicomweb [--studies 3000] [--rounds 3] [--record]`. Both hold one slide
(Orthanc what svartid made of it) and thousands of small studies. In a network of their own
where the machine allows one, since Orthanc listens on every address. wrk, 1 thread, 8 connections,
5 s a round in turn; processor time of the server's whole process tree.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from benchmarks.installation import install, web_app
from benchmarks.measure import Missing, machine, record, stolen_seconds
from benchmarks.processes import cpu_seconds, resident_mb, running, wait_for
from benchmarks.servers import in_own_network
from benchmarks.serving import LUA, found, milliseconds, up_loopback
from benchmarks.slides import giardia, prepared
from flows.services import prepare_services
from flows.supervisor import free_port
from storage import people
from storage.records.people import Role
from storage.settings import read_settings

_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_JPEG_SYNTAX = "1.2.840.10008.1.2.4.50"
_JPEG = f'multipart/related; type="image/jpeg"; transfer-syntax={_JPEG_SYNTAX}'
_FRAMES, _A_BODY = 4000, 50
_QUERIES = {
    "a page of studies": "/studies?limit=50",
    "one patient": "/studies?PatientID=N1234",
    "names by a pattern": "/studies?PatientName=*12*&limit=100",
    "a week": "/studies?StudyDate=20200601-20200607&limit=100",
    "a page of series": "/series?Modality=CT&limit=50",
}


@dataclass(frozen=True)
class Peer:
    """A server that is up, holding everything."""

    name: str
    root: str
    """Of its DICOMweb."""
    header: dict[str, str]
    pids: list[int]

    def client(self) -> httpx.Client:
        """An HTTP client that may ask."""
        return httpx.Client(base_url=self.root, headers=self.header, timeout=300)


def main() -> int:
    """Measure, print, record."""
    args = _arguments()
    alone = None if args.alone else in_own_network([sys.executable, "-m", "benchmarks.dicomweb",
                                                    *sys.argv[1:], "--alone"])  # fmt: skip
    if alone is not None:
        return subprocess.run(alone, check=False).returncode
    if args.alone:
        up_loopback()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory(prefix="svartid-dicomweb-") as scratch, ExitStack() as stack:
        document = {"machine": machine(), "note": args.note, "studies": args.studies}
        document |= _measure(args, Path(scratch), stack)
    print(record("dicomweb", document) if args.record else json.dumps(document, indent=1))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slide", type=Path, help="default: giardia-HE-20x.tif")
    parser.add_argument("--studies", type=int, default=3000, help="small ones, in both")
    parser.add_argument("--rounds", type=int, default=3, help="of frames")
    parser.add_argument("--seconds", type=int, default=5, help="a round and server")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results")
    parser.add_argument("--note", default="", help="said beside the figures")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(args: argparse.Namespace, folder: Path, stack: ExitStack) -> dict[str, Any]:
    slide = prepared(args.slide.absolute(), folder) if args.slide else giardia(folder, print)
    ours = _svartid(slide.path, folder, stack)
    theirs = _orthanc(folder, stack)
    levels = _copy_levels(ours, theirs)
    peers = [ours, theirs]
    document: dict[str, Any] = {"orthanc": _version(theirs), "stored": {}}
    for peer in peers:
        document["stored"][peer.name] = _fill(peer, args.studies)
        print(peer.name, "stored", document["stored"][peer.name])
    largest = max(levels, key=lambda at: at[1])
    document["frames"] = _frames(peers, largest, folder, (args.rounds, args.seconds))
    document["first_and_last"] = {at.name: _first_and_last(at, largest) for at in peers}
    series = largest[0].rpartition("/instances")[0]
    asked = {"metadata of the slide's series": f"{series}/metadata"} | _QUERIES
    document["asked"] = {at.name: {n: _asked(at, a) for n, a in asked.items()} for at in peers}
    document["memory_mb"] = {at.name: resident_mb(at.pids) for at in peers}
    document["without_a_syntax_s"] = {at.name: _one_frame(at, largest[0], "*/*") for at in peers}
    return document


def _svartid(slide: Path, folder: Path, stack: ExitStack) -> Peer:
    port, made = free_port(), install(slide, folder / "svartid")
    services = prepare_services(read_settings(made.data))
    people.ensure_person(services.database, "bench-web", Role.TECHNICIAN)
    token = people.create_token(services.database, "bench-web", Role.TECHNICIAN, 1)
    services.database.dispose()
    log, environment = folder / "svartid.log", {"SVARTID_DATA": str(made.data)}
    pids = stack.enter_context(running([web_app(port)], environment, log))
    wait_for(port, "/healthz", "", log)
    header = {"Authorization": f"Bearer {token}"}
    return Peer("svartid", f"http://127.0.0.1:{port}/dicom-web", header, pids)


def _orthanc(folder: Path, stack: ExitStack) -> Peer:
    if not _PLUGIN.exists():
        raise Missing("orthanc and orthanc-dicomweb are not both installed")
    port, store, log = free_port(), folder / "orthanc", folder / "orthanc.log"
    store.mkdir()
    configuration = {
        "StorageDirectory": str(store), "IndexDirectory": str(store), "Plugins": [str(_PLUGIN)],
        "HttpPort": port, "DicomServerEnabled": False, "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "OverwriteInstances": False,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "StudiesMetadata": "Full",
                     "SeriesMetadata": "Full"},
    }  # fmt: skip
    (store / "orthanc.json").write_text(json.dumps(configuration))
    pids = stack.enter_context(running([("Orthanc", str(store / "orthanc.json"))], {}, log))
    wait_for(port, "/system", "", log)
    return Peer("Orthanc", f"http://127.0.0.1:{port}/dicom-web", {}, pids)


def _copy_levels(ours: Peer, theirs: Peer) -> list[tuple[str, int]]:
    """Address and frames of each instance of the slide, which Orthanc has as well now."""
    levels = []
    with ours.client() as here, theirs.client() as there:
        for at in here.get("/instances?includefield=NumberOfFrames").json():
            study, series, uid = (at[tag]["Value"][0] for tag in
                                  ("0020000D", "0020000E", "00080018"))  # fmt: skip
            path = f"/studies/{study}/series/{series}/instances/{uid}"
            whole = here.get(path, headers={"Accept": "application/dicom"}).content
            there.post(theirs.root.replace("/dicom-web", "/instances"), content=whole)
            if at["00083002"]["Value"] != [_JPEG_SYNTAX]:
                continue  # a label that came as PNG
            levels.append((path, int(at["00280008"]["Value"][0])))
            same = {"Accept": _JPEG}
            mine, other = (at.get(f"{path}/frames/1", headers=same) for at in (here, there))
            if _parts(mine)[:200] != _parts(other)[:200]:
                raise Missing("Orthanc gives another frame")
    return levels


def _parts(answer: httpx.Response) -> bytes:
    """The bytes of the first part."""
    return answer.raise_for_status().content.partition(b"\r\n\r\n")[2]


def _version(peer: Peer) -> Any:  # noqa: ANN401
    with peer.client() as client:
        base = peer.root.removesuffix("/dicom-web")
        plugin = client.get(f"{base}/plugins/dicom-web").json()["Version"]
        return {"Orthanc": client.get(f"{base}/system").json()["Version"], "DICOMweb": plugin}


def _fill(peer: Peer, count: int) -> dict[str, float]:
    """Small studies by STOW-RS, 50 in a body; a second of the server for how many."""
    kind = 'multipart/related; type="application/dicom"; boundary=b0undary'
    cpu, began = cpu_seconds(peer.pids), time.perf_counter()
    with peer.client() as client:
        for body in _bodies(count):
            client.post("/studies", content=body, headers={"Content-Type": kind}).raise_for_status()
    wall, spent = time.perf_counter() - began, cpu_seconds(peer.pids) - cpu
    return {"per_s": round(count / wall, 1), "cpu_ms": round(1000 * spent / count, 2)}


def _bodies(count: int) -> Iterator[bytes]:
    head = b"\r\n--b0undary\r\nContent-Type: application/dicom\r\n\r\n"
    for start in range(0, count, _A_BODY):
        some = range(start, min(start + _A_BODY, count))
        yield b"".join(head + _small(number) for number in some) + b"\r\n--b0undary--"


def _small(number: int) -> bytes:
    """A study of one image of 64 x 64 pixels."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, f"1.2.840.9999.{number}.1.1"
    made.StudyInstanceUID, made.SeriesInstanceUID = (
        f"1.2.840.9999.{number}",
        f"1.2.840.9999.{number}.1",
    )
    made.PatientName, made.PatientID = f"Nr^{number}", f"N{number}"
    made.StudyDate, made.StudyTime = f"2020{number % 12 + 1:02}{number % 28 + 1:02}", "101500"
    made.Modality, made.AccessionNumber, made.SeriesNumber = "CT", f"A{number}", 1
    made.InstanceNumber, made.Rows, made.Columns = 1, 64, 64
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 12, 11
    made.PixelRepresentation, made.PixelData = 0, bytes(8192)
    made.FrameOfReferenceUID = generate_uid(entropy_srcs=[str(number)])
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _frames(
    peers: list[Peer], level: tuple[str, int], folder: Path, how_long: tuple[int, int]
) -> dict[str, list[dict[str, float]]]:
    """Random frames of the largest level, the servers in turn."""
    pick, (path, count) = random.Random(7), level
    numbers = [pick.randrange(1, count + 1) for _ in range(_FRAMES)]
    listing, script = folder / "frames.txt", folder / "frames.lua"
    listing.write_text("\n".join(f"/dicom-web{path}/frames/{number}" for number in numbers))
    script.write_text(LUA % listing)
    done: dict[str, list[dict[str, float]]] = {peer.name: [] for peer in peers}
    for _ in range(how_long[0]):
        for peer in peers:
            done[peer.name].append(_one_round(peer, script, how_long[1]))
            print("frames", peer.name, done[peer.name][-1])
    return done


def _one_round(peer: Peer, script: Path, seconds: int) -> dict[str, float]:
    headers = [f"{name}: {value}" for name, value in (peer.header | {"Accept": _JPEG}).items()]
    said = [word for header in headers for word in ("-H", header)]
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", "--latency", "-s", str(script), *said]
    stolen, cpu, began = stolen_seconds(), cpu_seconds(peer.pids), time.perf_counter()
    text = subprocess.run([*command, peer.root.removesuffix("/dicom-web")], capture_output=True,
                          text=True, check=True, timeout=120).stdout  # fmt: skip
    spent, wall = cpu_seconds(peer.pids) - cpu, time.perf_counter() - began
    requests = int(found(r"(\d+) requests in", text))
    return {
        "per_s": round(requests / float(found(r"requests in ([\d.]+)s", text))),
        "p50_ms": milliseconds(found(r"50%\s+([\d.]+\w+)", text)),
        "p99_ms": milliseconds(found(r"99%\s+([\d.]+\w+)", text)),
        "cpu_ms": round(1000 * spent / max(requests, 1), 4),
        "wrong": float("Non-2xx" in text),
        "steal": round((stolen_seconds() - stolen) / wall, 2),
    }


def _first_and_last(peer: Peer, level: tuple[str, int]) -> dict[str, float]:
    """Milliseconds of the first and of the last frame, one request at a time."""
    path, count = level
    return {
        name: _median_ms(peer, lambda client, at=number: client.get(
            f"{path}/frames/{at}", headers={"Accept": _JPEG}))
        for name, number in (("first_ms", 1), ("last_ms", count))
    }  # fmt: skip


def _asked(peer: Peer, address: str) -> dict[str, float]:
    """Milliseconds of an answer, the server's own of them, and how large it is."""
    with peer.client() as client:
        size = len(client.get(address).content)
        answers = len(client.get(address).json()) if size else 0
    cpu = cpu_seconds(peer.pids)
    wall = _median_ms(peer, lambda client: client.get(address))
    spent = (cpu_seconds(peer.pids) - cpu) / _TIMES
    return {"ms": wall, "cpu_ms": round(1000 * spent, 1), "answers": answers, "bytes": size}


_TIMES = 30


def _median_ms(peer: Peer, ask: Callable[[httpx.Client], httpx.Response]) -> float:
    spent = []
    with peer.client() as client:
        for _ in range(_TIMES):
            began = time.perf_counter()
            ask(client).raise_for_status()
            spent.append(time.perf_counter() - began)
    return round(1000 * statistics.median(spent), 2)


def _one_frame(peer: Peer, path: str, accept: str) -> float:
    """Seconds of one frame of the whole slide asked for without a word of its syntax."""
    with peer.client() as client:
        began = time.perf_counter()
        client.get(f"{path}/frames/7", headers={"Accept": accept}).raise_for_status()
        return round(time.perf_counter() - began, 3)


if __name__ == "__main__":
    raise SystemExit(main())
