"""What the sub-commands share: services from the arguments, lines of JSON, progress."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from flows.liveness import is_locked
from flows.services import Services, prepare_services
from storage.access_log import log_access
from storage.database import Database
from storage.layout import Layout
from storage.records.access import Basis, Purpose
from storage.records.people import Principal, Role
from storage.relations import concern_of_slide
from storage.settings import read_settings


def services_of(args: argparse.Namespace) -> Services:
    """Settings from environment and `--data`, folders and tables ready."""
    return prepare_services(read_settings(args.data))


def is_up(layout: Layout) -> bool:
    """True when a `svartid up` runs on this data folder."""
    return is_locked(layout.run / "up.lock")


def note_look(
    database: Database,
    action: str,
    slide_id: str | None = None,
    accession: str | None = None,
    patient_id: str | None = None,
) -> None:
    """A line in the access log: whoever has a shell on this machine is named by the system.

    Of a slide's case it is found out here; nothing is shown before the line is written.
    """
    who = Principal(getpass.getuser(), Role.OPS, "command")
    if slide_id is not None:
        concern = concern_of_slide(database, who, slide_id)
        accession = concern.accession if concern else None
        patient_id = concern.patient_id if concern else None
    basis, purpose = Basis.OPERATION.value, Purpose.OPERATION
    log_access(database, who, action, slide_id, accession, patient_id, basis, purpose)


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON object as one line, at once."""
    print(json.dumps(document, ensure_ascii=False), flush=True)


def complain(text: str) -> None:
    """One line for people on standard error."""
    print(text, file=sys.stderr, flush=True)


class ProgressLine:
    """One line on a terminal that tells how far a slide is; silent elsewhere."""

    _EVERY = 0.2

    def __init__(self, name: str) -> None:
        self._name, self._shows = name[:40], sys.stderr.isatty()
        self._word, self._began, self._last = "", time.monotonic(), 0.0

    def tell(self, word: str, done: int, total: int) -> None:
        """Tiles done of tiles to do, in the phase called `word`."""
        now = time.monotonic()
        if word != self._word:
            self._word, self._began = word, now
        if not self._shows or (now - self._last < self._EVERY and done < total):
            return
        self._last = now
        rate = done / max(now - self._began, 1e-3)
        share = done / total if total else 0.0
        left = f"{(total - done) / rate:.0f} s left" if rate and done else ""
        bar = "█" * round(20 * share) + "░" * (20 - round(20 * share))
        line = f"{self._name}  {word:<10} {bar} {100 * share:3.0f} %  {rate:,.0f} tiles/s  {left}"
        print(f"\r{line:<110}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave the line empty for what follows."""
        if self._shows:
            print(f"\r{'':<110}\r", end="", file=sys.stderr, flush=True)
