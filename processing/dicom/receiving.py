"""The one way a DICOM object is taken in, by C-STORE, STOW-RS, a folder or a command alike.

    incoming = Incoming(layout)
    incoming.write(envelope.head(...)); incoming.write(dataset...)     # or through Unwrapping
    outcome = receive(incoming, index, "SCANNER1")

What comes is looked through (`guard`), read (`facts`), put in place, entered; only then is it new
or known. What cannot be taken goes to quarantine unchanged, with a reason. Errors are the
system's alone: NoSpace and Transient; then nothing has been taken and the sender may try again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from processing.dicom.echo import Ours, has_same_frames
from processing.dicom.envelope import head
from processing.dicom.facts import Facts, facts_of
from processing.dicom.guard import (
    DEFLATED,
    EXPLICIT_LITTLE,
    META_AT,
    Meta,
    Reason,
    Structure,
    Unfit,
    inspect,
    read_meta,
)
from storage.dicom_files import Incoming
from storage.errors import Illegal, NotFound
from storage.records.imaging import Entered, SeriesFacts, StoredObject

MOST_INFLATED = 2**30
_PIECE = 2**20
_HEAD = 2**20


class Index(Protocol):
    """Where objects are entered; `storage.dicom_objects.Objects`."""

    def enter(self, found: StoredObject, number: int, series: SeriesFacts) -> Entered:
        """Enter an object whose file is in place."""

    def set_aside(self, found: StoredObject, reason: str) -> None:
        """Enter an object that lies in quarantine."""

    def get(self, sop_uid: str) -> StoredObject:
        """One object. Errors: NotFound."""


class Result(StrEnum):
    """What became of an object."""

    NEW = "new"
    KNOWN = "known"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was received and what became of it; UIDs are empty as far as they are unknown."""

    result: Result
    sop_class: str = ""
    sop_uid: str = ""
    study_uid: str = ""
    series_uid: str = ""
    reason: Reason | None = None
    """Why it is in quarantine."""


def receive(
    incoming: Incoming, index: Index, received_from: str, ours: Ours | None = None
) -> Outcome:
    """Take in what has been written; see above. Errors: NoSpace, Transient, SvartidError.

    `ours` tells what is made here: it is known when it comes back, and not kept a second time.
    """
    try:
        incoming.settle()
        return _come_back(incoming, index, received_from, ours) or _take(
            incoming, index, received_from
        )
    finally:
        incoming.discard()


def _come_back(
    incoming: Incoming, index: Index, received_from: str, ours: Ours | None
) -> Outcome | None:
    """None when it is nothing that is made here."""
    try:
        meta = _meta(incoming.path)
        made = ours.instance(meta.sop_uid) if ours else None
        if made is None:
            return None
        structure = inspect(incoming.path)
    except Unfit:
        return None
    if not has_same_frames(incoming.path, structure.walked.pixels_at, made):
        return _set_aside(incoming, index, received_from, Reason.ANOTHER_OBJECT, meta)
    said = made.header()
    return Outcome(
        Result.KNOWN, made.sop_class, made.sop_uid, said.StudyInstanceUID, said.SeriesInstanceUID
    )


def _take(incoming: Incoming, index: Index, received_from: str) -> Outcome:
    meta: Meta | None = None
    try:
        meta = _meta(incoming.path)
        if meta.transfer_syntax == DEFLATED:
            return _take_inflated(incoming, meta, index, received_from)
        structure = inspect(incoming.path)
        facts = facts_of(structure)
    except Unfit as error:
        return _set_aside(incoming, index, received_from, error.reason, meta)
    return _enter(incoming, index, received_from, (structure, facts))


def _take_inflated(incoming: Incoming, meta: Meta, index: Index, received_from: str) -> Outcome:
    """A deflated object is kept inflated: the same dataset, and its frames can be reached."""
    plain = incoming.another()
    try:
        plain.write(head(meta.sop_class, meta.sop_uid, EXPLICIT_LITTLE))
        for piece in _inflated(incoming.path, meta.end):
            plain.write(piece)
        plain.settle()
        structure = inspect(plain.path)
        facts = facts_of(structure)
        return _enter(plain, index, received_from, (structure, facts))
    except Unfit as error:
        return _set_aside(incoming, index, received_from, error.reason, meta)
    finally:
        plain.discard()


def _enter(
    incoming: Incoming, index: Index, received_from: str, read: tuple[Structure, Facts]
) -> Outcome:
    structure, facts = read
    found = _stored(incoming, received_from, structure, facts)
    try:
        if _is_known(index, found) and incoming.is_kept():
            entered = Entered.KNOWN
        else:
            incoming.keep()
            entered = index.enter(found, facts.number, facts.series)
    except Illegal as error:
        return _set_aside(incoming, index, received_from, Reason(error.reason), structure.meta)
    series = facts.series
    return Outcome(
        Result(entered.value), facts.sop_class, facts.sop_uid, series.study_uid, series.series_uid
    )


def _is_known(index: Index, found: StoredObject) -> bool:
    """Asked before the file is put in place; `enter` decides. Errors: Illegal (another_object)."""
    try:
        known = index.get(found.sop_uid)
    except NotFound:
        return False
    if known.sha256 != found.sha256:
        raise Illegal(Reason.ANOTHER_OBJECT.value)
    return True


def _set_aside(
    incoming: Incoming, index: Index, received_from: str, reason: Reason, meta: Meta | None
) -> Outcome:
    """Into quarantine, unchanged."""
    sop_class, sop_uid = (meta.sop_class[:64], meta.sop_uid[:64]) if meta else ("", "")
    syntax = meta.transfer_syntax[:64] if meta else ""
    incoming.set_aside()
    found = StoredObject(
        sop_uid, sop_class, "", "", syntax, incoming.sha256, incoming.size, 0, "",
        datetime.now(UTC), received_from,
    )  # fmt: skip
    index.set_aside(found, reason.value)
    return Outcome(Result.QUARANTINED, sop_class, sop_uid, reason=reason)


def _stored(
    incoming: Incoming, received_from: str, structure: Structure, facts: Facts
) -> StoredObject:
    return StoredObject(
        sop_uid=facts.sop_uid,
        sop_class=facts.sop_class,
        study_uid=facts.series.study_uid,
        series_uid=facts.series.series_uid,
        transfer_syntax=structure.meta.transfer_syntax,
        sha256=incoming.sha256,
        bytes=incoming.size,
        pixels_at=structure.walked.pixels_at,
        header=facts.header,
        received_at=datetime.now(UTC),
        received_from=received_from,
    )


def _meta(path: Path) -> Meta:
    with path.open("rb") as file:
        begun = file.read(META_AT + _HEAD)
    if not begun:
        raise Unfit(Reason.EMPTY)
    return read_meta(begun)


def _inflated(path: Path, start: int) -> Iterator[bytes]:
    """The dataset of a deflated file, in pieces. Errors: Unfit (too_large, truncated, damaged)."""
    inflating, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    try:
        with path.open("rb") as file:
            file.seek(start)
            while not inflating.eof:
                given = inflating.unconsumed_tail or file.read(_PIECE)
                if not given:
                    raise Unfit(Reason.TRUNCATED)
                piece = inflating.decompress(given, _PIECE)
                total += len(piece)
                if total > MOST_INFLATED:
                    raise Unfit(Reason.TOO_LARGE)
                yield piece
    except zlib.error as error:
        raise Unfit(Reason.DAMAGED) from error


__all__ = ["Index", "Outcome", "Reason", "Result", "receive"]
