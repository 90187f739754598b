"""Simulate a scanner: take scans from svartid, make slides, hand them in.

It speaks HTTP with a token and nothing else, as a foreign program would; or, with --dicom, nothing
but DICOM (worklist, performed procedure steps, C-STORE) as a node of its own AE title. For trying
svartid out, for demonstration and for load. Stop with Ctrl-C or SIGTERM: the scan under way is
given back.

examples:
  export SVARTID_TOKEN=$(svartid token create --user s1 --role device --json | jq -r .token)
  svartid scanner --url http://127.0.0.1:8080 --deliver upload --speed 60
  svartid scanner --deliver watch:data/incoming --failures 0.05 --station S2
  svartid scanner --once --json
  svartid scanner --dicom 127.0.0.1:11112 --title SCANNER1 --speed 60
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import httpx

from flows.commands.common import complain, print_json
from flows.scanner_simulator import Machine, Options
from flows.scanner_simulator_http import Scanner
from storage.on_demand import load

SUMMARY = "simulate a scanner: take scans, hand slides in"
_UPLOAD, _WATCH = "upload", "watch:"
_DICOM = "flows.scanner_simulator_dicom"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where svartid is")
    parser.add_argument("--token", help="its token (default: SVARTID_TOKEN)")
    parser.add_argument("--station", default="S1", help="the machine's name")
    parser.add_argument("--site", default="", help="take only this site's scans")
    parser.add_argument(
        "--deliver", default=_UPLOAD, metavar="upload|watch:DIR", help="how slides are handed in"
    )
    parser.add_argument("--dicom", metavar="HOST:PORT", help="talk DICOM with svartid's node")
    parser.add_argument("--title", default="SCANNER", help="own AE title, with --dicom")
    parser.add_argument("--called", default="SVARTID", help="the node's AE title, with --dicom")
    parser.add_argument("--speed", type=float, default=1.0, help="times faster than a real one")
    parser.add_argument("--failures", type=_share, default=0.015, help="share of failed scans")
    parser.add_argument("--mistakes", type=_share, default=0.0, help="share of wrong glasses")
    parser.add_argument("--width", type=int, default=1500, help="pixels of the slides")
    parser.add_argument("--height", type=int, default=1100, help="pixels of the slides")
    parser.add_argument("--seed", type=int, help="the same chances every time")
    parser.add_argument("--once", action="store_true", help="one scan, then end; 1 if none waits")
    parser.add_argument("--json", action="store_true", help="one JSON object a line and event")


def run(args: argparse.Namespace) -> int:
    """Scan until told to stop."""
    token = args.token or os.environ.get("SVARTID_TOKEN", "")
    problem = _refusal(args) if args.dicom else _refusal_of_web(args, token)
    if problem:
        complain(f"svartid scanner: {problem}")
        return 2
    options = Options(
        station=args.station,
        site=args.site,
        watch=None if args.deliver == _UPLOAD else Path(args.deliver.removeprefix(_WATCH)),
        speed=args.speed,
        failures=args.failures,
        mistakes=args.mistakes,
        size=(args.width, args.height),
    )
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    tell = print_json if args.json else _print
    chance = random.Random(args.seed)  # noqa: S311
    rest = {"options": options, "tell": tell, "chance": chance, "stop": stop}
    return _work_dicom(args, rest) if args.dicom else _work_web(args, token, rest)


def _work_web(args: argparse.Namespace, token: str, rest: dict[str, Any]) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=args.url, headers=headers, timeout=30) as client:
        try:
            return _work(args, Scanner(client=client, **rest))
        except httpx.HTTPStatusError as error:
            complain(f"svartid scanner: {_explained(error.response)}")
        except httpx.TransportError:
            complain(f"svartid scanner: nobody answers at {args.url}")
    return 1


def _work_dicom(args: argparse.Namespace, rest: dict[str, Any]) -> int:
    away, refused = load(f"{_DICOM}:Away"), load(f"{_DICOM}:Refused")
    host, _, port = args.dicom.rpartition(":")
    place = load(f"{_DICOM}:Place")(host, int(port), args.called, args.title)
    try:
        return _work(args, load(f"{_DICOM}:DicomScanner")(place=place, **rest))
    except away:
        complain(f"svartid scanner: nobody lets {args.title} in at {args.dicom} as {args.called}")
    except refused as error:
        complain(f"svartid scanner: {args.title} is not allowed to do that ({error})")
    return 1


def _work(args: argparse.Namespace, machine: Machine) -> int:
    if args.once:
        return 0 if machine.once() else 1
    machine.run()
    return 0


def _refusal(args: argparse.Namespace) -> str | None:
    """Why these arguments make no scanner; None when they do."""
    if args.speed <= 0:
        return "--speed is above 0"
    if not args.dicom:
        return None
    host, _, port = args.dicom.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        return "--dicom is HOST:PORT"
    titles = (args.title, args.called)
    plain = all(title.isascii() and title.isprintable() for title in titles)
    if not plain or any(not 0 < len(title.strip()) <= 16 or "\\" in title for title in titles):
        return "an AE title has 1 to 16 plain letters"
    return None


def _refusal_of_web(args: argparse.Namespace, token: str) -> str | None:
    """The same for one that speaks HTTP."""
    if not token:
        return "give --token or SVARTID_TOKEN (svartid token create)"
    problem = _refusal(args)
    if problem:
        return problem
    if args.deliver == _UPLOAD:
        return None
    if not args.deliver.startswith(_WATCH):
        return "--deliver is upload or watch:DIR"
    folder = Path(args.deliver.removeprefix(_WATCH))
    return None if folder.is_dir() else f"{folder}: no such folder"


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("a share is 0 to 1")
    return value


def _print(told: dict[str, Any]) -> None:
    rest = "  ".join(f"{name} {value}" for name, value in told.items() if name != "event")
    print(f"{told['event']:<12} {rest}", flush=True)


def _explained(answer: httpx.Response) -> str:
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return "the token is not good for that; make one for a device"
    return f"svartid answered {answer.status_code}"
