"""A search through the catalogue: newest study first, one by one, never all at once.

What the database can narrow by it narrows; the rest is matched here. Source: PS3.4 C.2.2, C.6.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import count
from typing import Protocol

from pydicom.dataset import Dataset

from processing.dicom.answers import instance_answer, series_answer, study_answer
from processing.dicom.instance import Instance
from processing.dicom.matching import matches, wanted_of
from processing.dicom.names import to_person_name
from processing.dicom.opening import Opener
from processing.dicom.stored import StoredInstance
from storage.errors import NotFound, StoreDamaged
from storage.records.imaging import SeriesEntry, Wanted
from storage.records.uids import parse_instance

_PAGE = 1000
_MOST_NAMED = 100
_SOP_UID, _NAME = "SOPInstanceUID", "PatientName"
_COUNTED = frozenset({0x00201206, 0x00201208, 0x00201209, 0x00080061})
"""Attributes of a study or series that no instance has in its header."""


class Level(IntEnum):
    """What answers describe."""

    PATIENT = 0
    STUDY = 1
    SERIES = 2
    IMAGE = 3


class Catalogue(Protocol):
    """The catalogue of images within somebody's reach."""

    def study_uids(self, wanted: Wanted, limit: int, offset: int) -> list[str]:
        """StudyInstanceUIDs, newest first."""

    def series(self, wanted: Wanted) -> list[SeriesEntry]:
        """Series by study, then number, then UID."""

    def series_of(self, sop_uid: str) -> str:
        """The series a received object is in. Errors: NotFound."""

    def counts(self, series_uids: list[str]) -> Mapping[str, int]:
        """Objects of received series."""


@dataclass(frozen=True, slots=True)
class Found:
    """One answer: a study by its series, a series, or an instance of it."""

    group: Sequence[SeriesEntry]
    """All series of the study within reach."""
    entry: SeriesEntry
    instance: Instance | None = None
    header: Dataset | None = None
    """Of the instance, as far as it was asked for."""


class Finder:
    """Searches for one asker."""

    def __init__(self, catalogue: Catalogue, opener: Opener) -> None:
        self._catalogue, self._opener = catalogue, opener

    def find(self, level: Level, keys: Dataset) -> Iterator[Found]:
        """What fits the keys, at a level. Errors: SvartidError."""
        wanted = self.wanted(keys)
        if wanted is None:
            return
        seen = set[tuple[str, str]]()
        named = _of_name(keys)
        for group in self._studies(wanted):
            # A name is what the database does not narrow by: most studies go by this alone.
            if not (_has_name(group[0], named) and matches(keys, study_answer(group))):
                continue
            meant = [at for at in group if _is_named(at, wanted)]
            series = [at for at in meant if matches(keys, series_answer(at))]
            if not series:
                continue
            whose = group[0].whose.identifier, group[0].whose.name
            if level is Level.STUDY or (level is Level.PATIENT and whose not in seen):
                seen.add(whose)
                yield Found(group, group[0])
            elif level is Level.SERIES:
                yield from (Found(group, entry) for entry in series)
            elif level is Level.IMAGE:
                for entry in series:
                    yield from self._instances(group, entry, keys)

    def wanted(self, keys: Dataset) -> Wanted | None:
        """What the database narrows by; None when nothing can be found."""
        wanted = wanted_of(keys)
        named = keys.get(_SOP_UID)
        uids = [named] if isinstance(named, str) else list(named or ())
        if not any(uids) or "*" in "".join(uids) or len(uids) > _MOST_NAMED or wanted.series_uids:
            return wanted
        series = {at for at in (self.series_of(uid) for uid in uids) if at}
        return replace(wanted, series_uids=tuple(sorted(series))) if series else None

    def series_of(self, sop_uid: str) -> str | None:
        """The series an instance is, or would be, in."""
        ours = parse_instance(sop_uid)
        if ours is not None:
            return ours.series_uid
        try:
            return self._catalogue.series_of(sop_uid)
        except NotFound:
            return None

    def answer(self, level: Level, found: Found, keys: Dataset) -> Dataset:
        """All that can be told at a level; instances are counted where the keys ask for it."""
        study = self._count(found.group) if "NumberOfStudyRelatedInstances" in keys else None
        made = study_answer(found.group, study)
        if level >= Level.SERIES:
            asked = "NumberOfSeriesRelatedInstances" in keys
            number = self._count([found.entry]) if asked else None
            made.update(series_answer(found.entry, number))
        if found.instance is not None and found.header is not None:
            made.update(instance_answer(found.entry, found.instance, found.header))
            for element in found.header:
                made.setdefault(element.tag, element)
        return made

    def _studies(self, wanted: Wanted) -> Iterator[list[SeriesEntry]]:
        """All series of each study of which something is wanted."""
        for offset in count(0, _PAGE):
            uids = self._catalogue.study_uids(wanted, _PAGE, offset)
            if not uids:
                return
            groups: dict[str, list[SeriesEntry]] = {}
            for entry in self._catalogue.series(Wanted(study_uids=tuple(uids))):
                groups.setdefault(entry.study_uid, []).append(entry)
            yield from (groups[uid] for uid in uids if uid in groups)
            if len(uids) < _PAGE:
                return

    def _instances(
        self, group: Sequence[SeriesEntry], entry: SeriesEntry, keys: Dataset
    ) -> Iterator[Found]:
        """Every key fits the header; one that the header has not, fits nothing."""
        above = set(self.answer(Level.SERIES, Found(group, entry), Dataset()).keys())
        own = Dataset()
        own.update({key.tag: key for key in keys if key.tag not in above | _COUNTED})
        for instance in self._of(entry):
            header = _header(instance)
            if all(key.tag in header or key.is_empty for key in own) and matches(own, header):
                yield Found(group, entry, instance, header)

    def _of(self, entry: SeriesEntry) -> list[Instance]:
        """None where they cannot be opened: one lost slide hides no others."""
        try:
            return self._opener.instances(entry)
        except (NotFound, StoreDamaged):
            return []

    def _count(self, entries: Sequence[SeriesEntry]) -> int:
        received = [entry.series_uid for entry in entries if entry.received]
        number = sum(self._catalogue.counts(received).values()) if received else 0
        for entry in entries:
            if not entry.received:
                with suppress(NotFound, StoreDamaged):
                    number += self._opener.count(entry)
        return number


def _of_name(keys: Dataset) -> Dataset:
    made = Dataset()
    if _NAME in keys:
        made[_NAME] = keys[_NAME]
    return made


def _has_name(entry: SeriesEntry, named: Dataset) -> bool:
    if not named:
        return True
    made = Dataset()
    made.PatientName = to_person_name(entry.whose.name)
    return matches(named, made)


def _is_named(entry: SeriesEntry, wanted: Wanted) -> bool:
    return not wanted.series_uids or entry.series_uid in wanted.series_uids


def _header(instance: Instance) -> Dataset:
    """What was received is indexed; large values stay in the file."""
    if not isinstance(instance, StoredInstance):
        return instance.header()
    model = json.loads(instance.found.header)
    small = {tag: at for tag, at in model.items() if "BulkDataURI" not in str(at)}
    return Dataset.from_json(small)
