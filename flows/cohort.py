"""A research cohort leaves: pixels under pseudonyms, nothing that says whose or when, and a card.

Not copied, since they may name somebody or tell a day: label, overview and thumbnail, barcodes,
the original's fingerprint and proof, UIDs, accession numbers, all times, and the ICC profile (its
header holds a date and often a device). What somebody has written on the tissue's own side of the
glass is in the pixels, and stays there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from flows.cold import write_form
from flows.services import Services
from processing.dicom.virtual import VirtualLevel
from storage import cohorts, ngff
from storage.catalogue import get_slide
from storage.errors import Refused
from storage.exchange.plain import to_plain
from storage.pyramids import SUFFIX, sync_tree
from storage.records.cohorts import Cohort, CohortMember
from storage.records.imaging import Glass, SeriesEntry, Whose
from storage.records.slide import PyramidRecord, Tier
from storage.tiles import OpenPyramid, TileStore

ZARR = "zarr"
FORMS = (ZARR, "dicom")
CARD = "data-card.json"
LIMITS = (
    "pseudonymous: the laboratory alone can tell whose a slide is",
    "what is written on the glass over the tissue is in the pixels",
    "stain as ordered, verdict of the newest quality run when the set was made",
    "objections of patients to research are not known to svartid: check them before asking",
)


def export(services: Services, made: Cohort, target: Path, form: str, by: str) -> dict[str, Any]:
    """Write the set into a new folder, and its card; the card. All or nothing.

    Errors: Refused where the folder is there, or a slide has changed since; NotFound; OSError.
    """
    if target.exists():
        raise Refused(f"{target} exists; nothing is written over, choose another name")
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        for member in made.members:
            _check(services, member)
            write = _write_zarr if form == ZARR else _write_dicom
            write(services, member, part)
        card = card_of(made, form, part)
        (part / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False), "utf-8")
        sync_tree(part)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    digest = hashlib.sha256((target / CARD).read_bytes()).hexdigest()
    cohorts.note_export(services.database, made, form, digest, by)
    return card


def card_of(made: Cohort, form: str, folder: Path) -> dict[str, Any]:
    """What whoever receives the set has to know, and digests to hold every file against."""
    return {
        "schema": "svartid-cohort/1",
        "cohort": made.name,
        "version": made.version,
        "sha256": made.sha256,
        "form": form,
        "query": to_plain(made.query),
        "count": len(made.members),
        "by": {what: dict(made.counts(what)) for what in ("stain", "scanner", "verdict")},
        "slides": [
            {"id": at.pseudonym, "stain": at.stain, "scanner": at.scanner, "verdict": at.verdict}
            for at in made.members
        ],
        "limits": list(LIMITS),
        "files": {str(path.relative_to(folder)): _sha256(path) for path in _files(folder)},
    }


def _check(services: Services, member: CohortMember) -> None:
    if get_slide(services.database, member.slide_id).root != member.root:
        raise Refused("a slide is another one than when the set was made: make a new version")


def _nameless(record: PyramidRecord, pseudonym: str) -> PyramidRecord:
    """The record without what leads back."""
    about = replace(record.metadata, barcode=None)
    return replace(
        record, slide_id=pseudonym, fingerprint="", metadata=about, associated={}, icc_profile=None
    )


def _write_zarr(services: Services, member: CohortMember, folder: Path) -> None:
    """The levels, file for file, under a group of their own."""
    record, present = services.pyramids.describe(member.slide_id)
    source, target = services.pyramids.path(member.slide_id), folder / (member.pseudonym + SUFFIX)
    thawed = folder / ".thawed"
    if services.pyramids.is_cold(source):
        thawed.mkdir()
        write_form(services, get_slide(services.database, member.slide_id), Tier.WARM, thawed)
        source = thawed
    target.mkdir()
    for level in present:
        shutil.copytree(source / str(level.level), target / str(level.level))
    group = ngff.group_json(_nameless(record, member.pseudonym), present)
    (target / "zarr.json").write_bytes(group)
    shutil.rmtree(thawed, ignore_errors=True)


def _write_dicom(services: Services, member: CohortMember, folder: Path) -> None:
    """The levels as whole-slide instances of a patient who is called by the pseudonym."""
    store = TileStore(services.pyramids)
    pyramid = store.pyramid(member.slide_id)
    root = f"2.25.{uuid.UUID(bytes=hashlib.sha256(member.pseudonym.encode()).digest()[:16]).int}"
    entry = SeriesEntry(
        f"{root}.9", root, "SM", Whose(member.pseudonym, member.pseudonym),
        slide_id=member.slide_id, glass=Glass(member.pseudonym, stain=member.stain),
    )  # fmt: skip
    record = replace(_nameless(pyramid.record, member.pseudonym), slide_id=member.slide_id)
    place, present = (pyramid.folder, pyramid.stamp), tuple(pyramid.present.values())
    nameless = OpenPyramid(place, record, present, cold=pyramid.cold)
    target = folder / member.pseudonym
    target.mkdir()
    for level in present:
        with (target / f"level-{level.level}.dcm").open("wb") as file:
            for piece in VirtualLevel(store, nameless, level, entry).stream():
                file.write(piece)


def _files(folder: Path) -> Iterator[Path]:
    for base, _, names in sorted(os.walk(folder)):
        yield from (Path(base) / name for name in sorted(names))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
