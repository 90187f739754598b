"""A search through the catalogue: newest study first, one by one, never all at once.

What the database can narrow by it narrows; the rest is matched here. Source: PS3.4 C.2.2, C.6.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple, Protocol

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from processing.dicom.answers import instance_answer, series_answer, study_answer
from processing.dicom.instance import Instance
from processing.dicom.json_model import JsonModel, to_model
from processing.dicom.matching import matches, wanted_of
from processing.dicom.names import to_person_name
from processing.dicom.opening import Opener
from processing.dicom.stored import StoredInstance
from storage.errors import NotFound, StoreDamaged
from storage.records.imaging import SeriesEntry, Wanted
from storage.records.uids import parse_instance

_PAGE = 1000
_MOST_NAMED = 100
_SOP_UID, _CONTAINER = 0x00080018, 0x00400512
_ASKED_MOST: dict[int, tuple[str, Callable[[SeriesEntry], str]]] = {
    0x00100010: ("PN", lambda entry: to_person_name(entry.whose.name)),
    0x00100020: ("LO", lambda entry: entry.whose.identifier),
    0x00080050: ("SH", lambda entry: entry.accession),
    0x00081030: ("LO", lambda entry: entry.study_description),
    0x0020000D: ("UI", lambda entry: entry.study_uid),
}
"""Of a study, as `study_answer` tells it; a whole answer takes ten times as long to make."""
_OF_SERIES = frozenset(
    {0x0020000E, 0x00080060, 0x00200011, 0x0008103E, 0x00180015, 0x00080021, 0x00080031, _CONTAINER}
)
"""What `series_answer` tells beyond the study."""
_COMPUTED = frozenset({0x00080061, 0x00201206, 0x00201208, 0x00201209})
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


class Within(NamedTuple):
    """What is settled before the keys are looked at: a study, a series of it; empty is any."""

    study_uid: str = ""
    series_uid: str = ""

    @property
    def level(self) -> Level:
        """The highest level that answers have to describe."""
        if self.series_uid:
            return Level.IMAGE
        return Level.SERIES if self.study_uid else Level.STUDY


ANYWHERE = Within()


@dataclass(frozen=True, slots=True)
class Found:
    """One answer: a study by its series, a series, or an instance of it."""

    group: Sequence[SeriesEntry]
    """All series of the study within reach."""
    entry: SeriesEntry
    instance: Instance | None = None


class Finder:
    """Searches for one asker."""

    def __init__(self, catalogue: Catalogue, opener: Opener) -> None:
        self._catalogue, self._opener = catalogue, opener

    def find(
        self, level: Level, keys: Dataset, within: Within = ANYWHERE, first: int = _PAGE
    ) -> Iterator[Found]:
        """What fits the keys, at a level; `first`: how many may be enough. Errors: SvartidError."""
        wanted = self.wanted(keys, within)
        if wanted is None:
            return
        seen = set[tuple[str, str]]()
        for group, series in self._fitting(keys, wanted, first):
            whose = group[0].whose.identifier, group[0].whose.name
            if level is Level.STUDY or (level is Level.PATIENT and whose not in seen):
                seen.add(whose)
                yield Found(group, group[0])
            elif level is Level.SERIES:
                yield from (Found(group, entry) for entry in series)
            elif level is Level.IMAGE:
                for entry in series:
                    yield from self._instances(group, entry, keys)

    def wanted(self, keys: Dataset, within: Within = ANYWHERE) -> Wanted | None:
        """What the database narrows by; None when nothing can be found."""
        wanted = wanted_of(keys)
        if within.study_uid:
            wanted = replace(wanted, study_uids=(within.study_uid,))
        if within.series_uid:
            wanted = replace(wanted, series_uids=(within.series_uid,))
        named = keys[_SOP_UID].value if _SOP_UID in keys else None
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
        if found.instance is not None:
            header = _header(found.instance)
            made.update(instance_answer(found.entry, found.instance, header))
            for element in header:
                made.setdefault(element.tag, element)
        return made

    def counts(self, entries: Sequence[SeriesEntry]) -> dict[str, int]:
        """Instances by series; none of a slide that cannot be opened."""
        numbers = dict.fromkeys((entry.series_uid for entry in entries), 0)
        received = [entry.series_uid for entry in entries if entry.received]
        numbers |= self._catalogue.counts(received) if received else {}
        for entry in entries:
            if not entry.received:
                with suppress(NotFound, StoreDamaged):
                    numbers[entry.series_uid] = self._opener.count(entry)
        return numbers

    def _count(self, entries: Sequence[SeriesEntry]) -> int:
        return sum(self.counts(entries).values())

    def _fitting(
        self, keys: Dataset, wanted: Wanted, first: int
    ) -> Iterator[tuple[list[SeriesEntry], list[SeriesEntry]]]:
        """Studies of which series fit: all their series, and those that do."""
        tags = {int(tag) for tag in keys.keys()}  # noqa: SIM118 - tags, not elements
        of_study, of_series = tags - _OF_SERIES - _ASKED_MOST.keys(), tags & _OF_SERIES
        for group in self._studies(wanted, first):
            if not _may_fit(keys, tags, group[0]):
                continue
            if of_study and not matches(keys, study_answer(group)):
                continue
            meant = [at for at in group if _is_named(at, wanted)]
            series = [at for at in meant if not of_series or _series_fits(keys, at)]
            if series:
                yield group, series

    def _studies(self, wanted: Wanted, first: int) -> Iterator[list[SeriesEntry]]:
        """All series of each study of which something is wanted.

        As many at first as may be enough, then more at once: few fit where a search goes on.
        """
        offset, page = 0, min(first, _PAGE)
        while True:
            uids = self._catalogue.study_uids(wanted, page, offset)
            if not uids:
                return
            groups: dict[str, list[SeriesEntry]] = {}
            for entry in self._catalogue.series(Wanted(study_uids=tuple(uids))):
                groups.setdefault(entry.study_uid, []).append(entry)
            yield from (groups[uid] for uid in uids if uid in groups)
            if len(uids) < page:
                return
            offset, page = offset + page, min(4 * page, _PAGE)

    def _instances(
        self, group: Sequence[SeriesEntry], entry: SeriesEntry, keys: Dataset
    ) -> Iterator[Found]:
        above = series_answer(entry)  # fits already, and knows identifiers better than a header
        own = [tag for tag in keys.keys() if tag not in above and tag not in _COMPUTED]  # noqa: SIM118
        for instance in self._of(entry):
            if not own or _instance_fits(keys, own, instance):
                yield Found(group, entry, instance)

    def _of(self, entry: SeriesEntry) -> list[Instance]:
        """None where they cannot be opened: one lost slide hides no others."""
        try:
            return self._opener.instances(entry)
        except (NotFound, StoreDamaged):
            return []


def header_model(instance: Instance) -> JsonModel:
    """The header as a model; what was received has it ready."""
    if isinstance(instance, StoredInstance):
        model: JsonModel = json.loads(instance.found.header)
        return model
    return to_model(instance.header())


def _may_fit(keys: Dataset, tags: set[int], entry: SeriesEntry) -> bool:
    """A first look at what is asked most."""
    few = Dataset()
    for tag in tags & _ASKED_MOST.keys():
        kind, said = _ASKED_MOST[tag]
        few.add_new(tag, kind, said(entry))
    return matches(keys, few) if len(few) else True


def _series_fits(keys: Dataset, entry: SeriesEntry) -> bool:
    """A glass is asked for by its barcode: what is of no glass does not fit."""
    answer = series_answer(entry)
    asks = _CONTAINER in keys and not keys[_CONTAINER].is_empty
    return matches(keys, answer) and (not asks or _CONTAINER in answer)


def _instance_fits(keys: Dataset, own: list[BaseTag], instance: Instance) -> bool:
    """Every key fits the header; one that the header has not, fits nothing."""
    model, names = header_model(instance), {tag: f"{int(tag):08X}" for tag in own}
    if any(name not in model and not keys[tag].is_empty for tag, name in names.items()):
        return False
    there = {name: model[name] for name in names.values() if name in model}
    return matches(keys, Dataset.from_json(_small(there)))


def _is_named(entry: SeriesEntry, wanted: Wanted) -> bool:
    return not wanted.series_uids or entry.series_uid in wanted.series_uids


def _header(instance: Instance) -> Dataset:
    """What was received is indexed; large values stay in the file."""
    if not isinstance(instance, StoredInstance):
        return instance.header()
    return Dataset.from_json(_small(header_model(instance)))


def _small(model: JsonModel) -> JsonModel:
    return {tag: at for tag, at in model.items() if "BulkDataURI" not in str(at)}
