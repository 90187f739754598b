"""The other DICOM nodes: who may call us and do what, and where they are called.

A node calls by its AE title from its host: a name, an address or a network (10.1.0.0/16), several
separated by commas. What it may do has to be said; its unit narrows what it may see. The same node
may use DICOMweb, with a token made by: svartid token NAME.

examples:
  svartid peer add scanner1 --ae-title GT450 --host 10.1.2.30 --may store --may worklist
  svartid peer add pacs --ae-title PACS --host pacs.example --port 104 --tls --may query \\
                   --may retrieve --unit patologi
  svartid peer add archive --ae-title ARCHIVE --url https://archive.example/dicom-web
  svartid peer test pacs
  svartid peer list
  svartid peer remove scanner1

exit code: 0 done, 1 there is no such node, or it does not answer, 2 wrong usage
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from getpass import getuser
from typing import Any

from flows.commands.common import complain, print_json, services_of
from flows.commands.times import table
from storage import dicom_peers
from storage.database import Database
from storage.errors import NotFound
from storage.on_demand import load
from storage.records.imaging import Peer, PeerMay
from storage.settings import Settings

SUMMARY = "other DICOM nodes: who may call, and where they are"
_ECHO = "flows.dicom_echo:echo"
_HEAD = ("name", "AE title", "host", "port", "tls", "may", "unit", "DICOMweb")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("action", choices=("add", "list", "remove", "test"))
    parser.add_argument("name", nargs="?", help="what it is called here")
    parser.add_argument("--ae-title", metavar="TITLE", help="up to 16 characters; add needs it")
    parser.add_argument("--host", help="where it calls from, and where it listens")
    parser.add_argument("--port", type=int, help="where it listens; 0: nowhere")
    parser.add_argument(
        "--tls", action=argparse.BooleanOptionalAction, default=None, help="it listens with TLS"
    )
    parser.add_argument("--url", help="root of its DICOMweb service")
    parser.add_argument("--unit", help="whose cases it may see (default: all)")
    parser.add_argument(
        "--may", action="append", choices=[may.value for may in PeerMay],
        help="what it may do here; more than one: say it again",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object a line and node")


def run(args: argparse.Namespace) -> int:
    """Add or change, list, remove, or call a node."""
    services = services_of(args)
    if args.action == "list":
        return _list(services.database, as_json=args.json)
    if args.name is None:
        complain(f"svartid peer {args.action}: give the NAME")
        return 2
    if args.action == "remove":
        dicom_peers.remove(services.database, args.name, f"command:{getuser()}")
        return 0
    if args.action == "test":
        return _test(services.database, services.settings, args)
    return _add(services.database, args)


def _add(database: Database, args: argparse.Namespace) -> int:
    """What is not said stays as it is."""
    try:
        known = dicom_peers.get(database, args.name)
    except NotFound:
        if not args.ae_title:
            complain("svartid peer add: --ae-title says what it calls itself")
            return 2
        known = Peer(args.name, args.ae_title)
    names = ("ae_title", "host", "port", "tls", "url", "unit")
    said: dict[str, Any] = {
        name: getattr(args, name) for name in names if getattr(args, name) is not None
    }
    if args.may is not None:
        said["may"] = frozenset(PeerMay(word) for word in args.may)
    peer = replace(known, **said)
    dicom_peers.put(database, peer, f"command:{getuser()}")
    print_json(_json(peer)) if args.json else print(table([_HEAD, _row(peer)]))
    return 0


def _list(database: Database, *, as_json: bool) -> int:
    found = dicom_peers.listing(database)
    for peer in found if as_json else ():
        print_json(_json(peer))
    if not as_json:
        print(table([_HEAD, *map(_row, found)]) if found else "no nodes; svartid peer add NAME …")
    return 0


def _test(database: Database, settings: Settings, args: argparse.Namespace) -> int:
    peer = dicom_peers.get(database, args.name)
    answer: str = load(_ECHO)(peer, settings)
    if args.json:
        print_json({"name": peer.name, "answers": not answer, "why_not": answer or None})
    else:
        print(f"{peer.name} answers" if not answer else f"{peer.name}: {answer}")
    return 1 if answer else 0


def _json(peer: Peer) -> dict[str, Any]:
    return asdict(peer) | {"may": sorted(peer.may)}


def _row(peer: Peer) -> tuple[str, ...]:
    told = (peer.name, peer.ae_title, peer.host, str(peer.port or ""), "tls" if peer.tls else "",
            ", ".join(sorted(peer.may)), peer.unit, peer.url)  # fmt: skip
    return tuple(word or "-" for word in told)
