"""Guests: models of others, what they say of themselves, how far they may be heard.

A model comes as safetensors for one of our networks, or as a .pt2 that runs in a box; pickles are
refused. It begins in mode `test`. Once its admission tests are passed it rises a step at a time
(silent, visible_qc, visible_support), each time when two different people have said so in their
own names; it falls at once, by one. Only the two visible modes reach anybody who treats.

examples:
  svartid models add fold.safetensors --manifest manifest.yaml --card card.yaml
  svartid models admit fold
  svartid models run fold 66126c5b29721bf74129
  svartid models promote fold --to silent --as lise --note "tests passed, card read"
  svartid models demote fold --to test --note "alarms on every fatty slide"
  svartid models list

`promote` asks for the password of the person (or reads it from standard input); a token of theirs
in SVARTID_TOKEN does as well.

exit code: 0 done, 1 refused, or a test was not passed, 2 wrong usage
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from getpass import getpass, getuser
from pathlib import Path

from flows.commands.common import complain, note_look, print_json, services_of
from flows.commands.times import local, table
from flows.model_runs import admit, run_model
from flows.services import Services
from processing.models.documents import read_card, read_manifest
from processing.models.formats import MOST_BYTES, told
from storage import models, people
from storage.catalogue import get_slide
from storage.errors import Malformed, Refused
from storage.exchange.plain import from_plain, to_plain
from storage.records.evidence import Evidence
from storage.records.models import LADDER, Model
from storage.records.people import Principal
from storage.records.quality import ModelMode

SUMMARY = "models of others: take in, test, run, let rise and fall"
_NEEDED = {
    "add": ("name", "manifest", "card"),
    "admit": ("name",),
    "show": ("name",),
    "promote": ("name", "to", "note"),
    "demote": ("name", "to", "note"),
    "run": ("name", "slide_id"),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    actions = ("list", "add", "admit", "show", "promote", "demote", "run")
    parser.add_argument("action", choices=actions)
    parser.add_argument("name", nargs="?", help="the model (add: its file)")
    parser.add_argument("slide_id", nargs="?", help="run: the slide")
    parser.add_argument("--version", default="", metavar="V", help="not the one added last")
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="add: what machines need")
    parser.add_argument("--card", type=Path, metavar="FILE", help="add: what people need")
    parser.add_argument("--to", choices=[mode.value for mode in LADDER], help="the mode")
    parser.add_argument("--as", dest="who", metavar="NAME", help="promote: who says so")
    parser.add_argument("--note", help="promote: on what evidence; demote: why")
    parser.add_argument(
        "--evidence", type=Path, metavar="FILE",
        help="promote to a visible mode: counts of judged slides by scanner and stain",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Do one of them."""
    missing = [at for at in _NEEDED.get(args.action, ()) if getattr(args, at) is None]
    if missing:
        words = ", ".join(at if at in ("name", "slide_id") else f"--{at}" for at in missing)
        complain(f"svartid models {args.action}: give {words}")
        return 2
    services = services_of(args)
    if args.action == "list":
        return _list(services, as_json=args.json)
    if args.action == "add":
        return _show(_add(services, args), as_json=args.json)
    known = models.get(services.database, args.name, args.version)
    if args.action == "admit":
        known = admit(services, known, f"command:{getuser()}")
        _show(known, as_json=args.json)
        return 0 if known.admission and known.admission.passed else 1
    if args.action == "run":
        return _run(services, known, args)
    if args.action == "promote":
        who = _person(services, args.who)
        why = models.Reason(args.note, read_evidence(args.evidence) if args.evidence else None)
        known = models.approve(services.database, known, ModelMode(args.to), who, why)
    if args.action == "demote":
        by = f"command:{getuser()}"
        known = models.demote(services.database, known, ModelMode(args.to), by, args.note)
    return _show(known, as_json=args.json)


def _add(services: Services, args: argparse.Namespace) -> Model:
    """The file's own bytes say what it is, whatever the manifest says."""
    path = Path(args.name)
    if path.stat().st_size > MOST_BYTES:
        raise Refused(f"a model of more than {MOST_BYTES // 2**20} MB is not taken")
    data = path.read_bytes()
    found = told(data)
    manifest = read_manifest(args.manifest.read_text("utf-8"))
    if manifest.format is not found:
        raise Malformed(f"Manifest: format is {found.value}, by the file's bytes")
    card = read_card(args.card.read_text("utf-8"), manifest)
    by = f"command:{getuser()}"
    return models.add(services.database, services.layout, manifest, card, data, by)


def _run(services: Services, known: Model, args: argparse.Namespace) -> int:
    get_slide(services.database, args.slide_id)
    note_look(services.database, "model", args.slide_id)
    found = run_model(services, known, args.slide_id, f"command:{getuser()}")
    if args.json:
        print_json(to_plain(found))
        return 0
    print(
        f"{found.name} {found.version} ({found.mode.value}) on {found.slide_id}, {found.seconds} s"
    )
    for name, value in found.figures.items():
        print(f"  {name:<40} {value}")
    return 0


def read_evidence(path: Path) -> Evidence:
    """Counts of slides from a file. Errors: Malformed, naming the field; OSError."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise Malformed(f"{path}: not JSON: {error}") from error
    return from_plain(Evidence, document)


def _person(services: Services, name: str | None) -> Principal:
    """Whoever says so, by token or by name and password. Errors: Refused."""
    token = os.environ.get("SVARTID_TOKEN")
    if token:
        known = people.principal_of(services.database, token)
        if known is None or (name and known.name != name):
            raise Refused("SVARTID_TOKEN is not a token of that person")
        return known
    if not name:
        raise Refused("give --as NAME: a model rises in people's own names")
    if sys.stdin.isatty():
        password = getpass(f"password of {name}: ")
    else:
        password = sys.stdin.readline().rstrip("\n")
    role = people.check_password(services.database, name, password)
    if role is None:
        raise Refused("wrong name or password")
    return Principal(name, role, "command")


def _list(services: Services, *, as_json: bool) -> int:
    found = models.listing(services.database)
    rows = [("name", "version", "mode", "since", "admitted", "approvals")]
    for at in found:
        if as_json:
            print_json(_plain(at))
        rows.append(
            (at.manifest.name, at.manifest.version, at.mode.value, local(at.mode_since),
             _admitted(at), ", ".join(given.by for given in at.approvals) or "-")
        )  # fmt: skip
    if not as_json:
        print(table(rows))
    return 0


def _show(at: Model, *, as_json: bool) -> int:
    if as_json:
        print_json(_plain(at))
        return 0
    manifest = at.manifest
    print(f"{manifest.name} {manifest.version}  {at.mode.value} since {local(at.mode_since)}")
    print(f"  {manifest.format.value} {manifest.sha256}")
    print(f"  for: {at.card.intended_use}")
    for known in at.card.known_failures:
        print(f"  fails: {known}")
    print(f"  admission: {_admitted(at)}")
    for test in at.admission.tests if at.admission else ():
        value = "" if test.value is None else f"{test.value} (limit {test.limit}) "
        print(f"    {'pass' if test.passed else 'FAIL'}  {test.name:<12} {value}{test.told}")
    for given in at.approvals:
        print(f"  {given.to.value}: {given.by} ({given.role}), {given.note}")
    return 0


def _admitted(at: Model) -> str:
    return "not tested" if at.admission is None else "passed" if at.admission.passed else "failed"


def _plain(at: Model) -> dict[str, object]:
    passed = at.admission.passed if at.admission else None
    return to_plain(at) | {"mode": at.mode.value, "passed": passed}
