"""Send a slide, a study or a series to another DICOM node, now.

To an association (HOST:PORT/AET), a DICOMweb service (STOW-RS), or a known node by its name. Every
object is sent as it is kept, nothing is encoded again. A node of a unit is sent nothing that the
unit may not see. What goes by itself, and waits when nobody answers: svartid forward.

examples:
  svartid send 66126c5b29721bf74129 --to pacs.example:11112/PACS
  svartid send 66126c5b29721bf74129 --to pacs.example:2762/PACS --tls --ca hospital.pem
  svartid send 2.25.329800735698586629295641978511506172918 --to https://archive.example/dicom-web
  svartid send 66126c5b29721bf74129 --to archive --json

exit code: 0 every object is there, 1 one is not, 2 wrong usage, 3 the node does not answer
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows import forwarding_direct as direct
from flows import forwarding_ways as ways
from flows.commands.common import complain, note_look, print_json, services_of
from flows.dicom_export import opener_of
from flows.forwarding_line import SPEAKS_FOR_US, Credentials, Sent, Unreached
from flows.services import Services
from storage.errors import Malformed
from storage.received_series import concern_of_received
from storage.records.imaging import Peer, SeriesEntry
from storage.records.people import SVARTID
from storage.settings import Settings

SUMMARY = "send a slide, study or series to another DICOM node"
_SHOWN_EVERY = 0.2
_MEGABYTE = 1e6


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("what", metavar="SLIDE_ID|STUDY_UID|SERIES_UID")
    parser.add_argument("--to", required=True, metavar="HOST:PORT/AET|URL|NODE")
    parser.add_argument(
        "--calling-ae", default=SPEAKS_FOR_US, metavar="AET", help="who calls (default SVARTID)"
    )
    parser.add_argument("--tls", action="store_true", help="HOST:PORT/AET speaks TLS")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="whom to trust (PEM)")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="ours, if asked for (PEM)")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key (PEM)")
    parser.add_argument(
        "--token", metavar="FILE|env:NAME", help="where the service's bearer token is read"
    )
    parser.add_argument(
        "--commit", action="store_true", help="ask the node to say that it keeps every object"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line and object")


def run(args: argparse.Namespace) -> int:
    """Send everything, and say of each object what became of it."""
    for file in (args.ca, args.certificate, args.key):
        if file is not None and not file.is_file():
            complain(f"svartid send: {file}: no such file")
            return 2
    services = services_of(args)
    try:
        peer = direct.node_of(services.database, args.to, tls=args.tls)
    except Malformed as error:
        complain(f"svartid send: {error}")
        return 2
    entries = direct.series_of(services.database, args.what)
    direct.demand_allowed(services.database, peer, entries)
    for entry in entries:
        _note(services, entry)
    try:
        return _send(args, services, peer, entries)
    except Unreached as error:
        complain(f"svartid send: {args.to}: {error}")
        return 3


def _send(
    args: argparse.Namespace, services: Services, peer: Peer, entries: Sequence[SeriesEntry]
) -> int:
    opener = opener_of(services)
    shown = _Shown()
    instances = direct.watched(opener, entries, shown.add)
    shown.expect([at.size() for at in instances])
    began, told = time.monotonic(), list[Sent]()
    line = ways.dial_as(peer, _credentials(args, services.settings, peer))
    try:
        for sent in line.send(instances):
            told.append(sent)
            if args.json:
                print_json({"object": sent.sop_uid, "bytes": sent.bytes, "refused": sent.why})
        kept = line.commit(instances, direct.new_uid()) if args.commit else None
    finally:
        shown.clear()
        line.close()
    failed = [sent for sent in told if sent.why]
    _tell(args, told, failed, time.monotonic() - began, kept)
    return 1 if failed or (args.commit and kept is False) else 0


def _tell(
    args: argparse.Namespace,
    told: Sequence[Sent],
    failed: Sequence[Sent],
    seconds: float,
    kept: bool | None,
) -> None:
    there = sum(sent.bytes for sent in told if not sent.why)
    if args.json:
        summary: dict[str, Any] = {"sent": len(told) - len(failed), "failed": len(failed)}
        print_json(summary | {"bytes": there, "seconds": round(seconds, 3), "kept": kept})
        return
    for sent in failed:
        complain(f"svartid send: object {sent.sop_uid}: {sent.why}")
    rate = there / _MEGABYTE / max(seconds, 1e-3)
    words = {
        True: ", and the node keeps them",
        False: "; the node does not keep them all",
        None: "; the node has not said whether it keeps them",
    }
    print(
        f"{len(told) - len(failed)} of {len(told)} objects, {there / _MEGABYTE:.1f} MB"
        f" in {seconds:.1f} s ({rate:.0f} MB/s){words[kept] if args.commit else ''}"
    )


def _credentials(args: argparse.Namespace, settings: Settings, peer: Peer) -> Credentials:
    """Those of a known node, and what the command line says beside."""
    known = ways.credentials_of(peer.name, settings)
    token = ways.read_token(args.token) if args.token else known.token
    authority = args.ca or known.authority
    return Credentials(token, args.calling_ae, authority, args.certificate, args.key)


def _note(services: Services, entry: SeriesEntry) -> None:
    """A line in the access log before anything leaves."""
    database = services.database
    if not entry.received:
        note_look(database, "send", entry.slide_id)
        return
    concern = concern_of_received(database, SVARTID, entry.series_uid)
    accession = concern.accession if concern else None
    note_look(database, "send", entry.slide_id, accession, entry.whose.patient_id)


class _Shown:
    """One line on a terminal that tells how many bytes are on their way; silent elsewhere."""

    def __init__(self) -> None:
        self._shows, self._bytes, self._total = sys.stderr.isatty(), 0, 0
        self._began, self._last = time.monotonic(), 0.0

    def expect(self, sizes: Sequence[int | None]) -> None:
        """How many there will be, where that is known."""
        self._total = sum(size for size in sizes if size is not None) if all(sizes) else 0

    def add(self, count: int) -> None:
        """So many more."""
        self._bytes += count
        now = time.monotonic()
        if not self._shows or now - self._last < _SHOWN_EVERY:
            return
        self._last = now
        rate = self._bytes / _MEGABYTE / max(now - self._began, 1e-3)
        share = f"{100 * self._bytes / self._total:3.0f} %  " if self._total else ""
        line = f"{share}{self._bytes / _MEGABYTE:,.1f} MB  {rate:,.0f} MB/s"
        print(f"\r{line:<60}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave the line empty for what follows."""
        if self._shows:
            print(f"\r{'':<60}\r", end="", file=sys.stderr, flush=True)
