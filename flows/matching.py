"""From a readable image to the glass it shows: what image and scanner say, and what follows.

Three may speak: the file's metadata, the barcode on the picture of the label, and the scanner that
was handed the glass. An image is attached when it names exactly one expected glass and nobody
contradicts; never by its file's name, and never by the scanner's word alone
(docs/decisions/0016-matching.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.engine import Connection

from flows.services import Services
from storage import cases, events, matching, scanning
from storage.catalogue import get_slide
from storage.errors import Illegal, NotFound
from storage.matching import ALARM, Aside
from storage.records.intake import Source
from storage.records.slide import Slide
from storage.records.work import WorkItem

ReadLabel = Callable[[bytes], tuple[str, ...]]
"""The barcodes on the picture of a label; `processing.label.read_barcodes`, or a process that may
die on it."""


class Why(StrEnum):
    """Why an image is not attached; beside these, the word of the rule that refused it."""

    UNKNOWN = "unknown"
    """It carries a barcode, and no such glass is expected."""
    NO_BARCODE = "no_barcode"
    MISMATCH = "mismatch"
    """Metadata, label and scanner do not name the same glass."""
    TWO_GLASSES = "two_glasses"
    TWO_CASES = "two_cases"


class Outcome(StrEnum):
    """What became of an image."""

    ATTACHED = "attached"
    SET_ASIDE = "set_aside"
    MISMATCH = "mismatch"
    LEFT_ALONE = "left_alone"
    KNOWN = "known"
    """It had been decided before."""


@dataclass(frozen=True, slots=True)
class Identities:
    """What is said of an image: by its metadata, its label, and the scanner; empty is nothing."""

    metadata: str = ""
    label: tuple[str, ...] = ()
    said: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The barcodes that the image itself carries, each once."""
        return tuple(dict.fromkeys(code for code in (self.metadata, *self.label) if code))


def verdict(about: Identities, expected: Mapping[str, str]) -> tuple[str, Why | None]:
    """The barcode of the one glass that an image shows, or why there is none.

    `expected` maps the barcodes of expected glasses to their accessions.
    """
    if about.metadata and about.label and about.metadata not in about.label:
        return "", Why.MISMATCH
    found = [code for code in about.codes if code in expected]
    if len({expected[code] for code in found}) > 1:
        return "", Why.TWO_CASES
    if len(found) > 1:
        return "", Why.TWO_GLASSES
    if about.codes and about.said and about.said not in about.codes:
        return "", Why.MISMATCH
    if not found:
        return "", Why.UNKNOWN if about.codes else Why.NO_BARCODE
    return found[0], None


def match_slide(services: Services, slide_id: str, read_label: ReadLabel) -> Outcome:
    """Attach a readable image to its glass, or set it aside. Errors: Transient."""
    try:
        image = get_slide(services.database, slide_id)
    except NotFound:  # taken off the list meanwhile
        return Outcome.KNOWN
    label = read_label(_label(services, slide_id))
    source, deliverer = _delivery(services, slide_id)
    with services.database.transaction() as connection:
        events.hold(connection)
        if not matching.may_be_matched(connection, slide_id):
            return Outcome.KNOWN
        item = scanning.scan_of(connection, image.fingerprint, deliverer)
        said = (item.barcode or "") if item else ""
        about = Identities((image.metadata.barcode or "").strip(), label, said)
        known = matching.expected(connection, about.codes)
        barcode, why = verdict(about, known)
        if why is None:
            try:
                with connection.begin_nested():
                    place = (known[barcode], barcode)
                    matching.attach(connection, image, place, cases.SYSTEM, "matching")
                return Outcome.ATTACHED
            except Illegal as error:
                return _set_aside(connection, image, (about, error.reason), item, source)
        return _set_aside(connection, image, (about, why), item, source)


def _set_aside(
    connection: Connection,
    image: Slide,
    finding: tuple[Identities, str],
    item: WorkItem | None,
    source: Source | None,
) -> Outcome:
    about, why = finding
    alarm = why in (Why.MISMATCH, Why.TWO_CASES)
    alone = item is None and _is_no_concern(connection, about, source)
    aside = Aside(
        why=why,
        said={"metadata": about.metadata, "label": list(about.label), "said": about.said},
        barcode=about.codes[0] if why == Why.UNKNOWN and len(about.codes) == 1 else None,
        rank=ALARM if alarm else item.rank if item else 0,
        site=item.site if item else "",
        unit=item.unit if item else "",
        left_alone=alone,
    )
    matching.set_aside(connection, image.slide_id, aside)
    if item is not None and why != Why.MISMATCH:
        scanning.note_image(connection, item, image.slide_id)
    elif item is not None:
        with suppress(Illegal):  # nothing to give up: it failed already
            scanning.come_to_nothing(connection, item, cases.SYSTEM, Why.MISMATCH)
    if alone:
        return Outcome.LEFT_ALONE
    return Outcome.MISMATCH if alarm else Outcome.SET_ASIDE


def _is_no_concern(connection: Connection, about: Identities, source: Source | None) -> bool:
    """Research, demonstration, teaching: no case to belong to, or entered by hand and unmarked."""
    if not matching.any_case(connection):
        return True
    return not about.codes and source is Source.COMMAND


def _label(services: Services, slide_id: str) -> bytes:
    """The picture of the label as it is stored; empty when there is none."""
    record, _ = services.pyramids.describe(slide_id)
    name = record.associated.get("label")
    if name is None:
        return b""
    try:
        return (services.pyramids.path(slide_id) / name).read_bytes()
    except FileNotFoundError:
        return b""


def _delivery(services: Services, slide_id: str) -> tuple[Source | None, str]:
    """How an image came and who handed it in, by the log; a node by the name it works under."""
    for event in reversed(events.history(services.database, f"slide:{slide_id}")):
        if event.kind in ("SlideReceived", "IntakeDeliveredAgain"):
            return Source(event.source), event.actor.removeprefix("node:")
    return None, ""
