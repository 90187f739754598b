"""What a search finds: what the database can narrow by it narrows, the rest is matched here.

Newest study first, one by one, until there are as many as are wanted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from processing.dicom.answers import series_answer, study_answer
from processing.dicom.instance import Instance
from processing.dicom.json_model import JsonModel, absolute, to_model, to_text
from processing.dicom.matching import matches, wanted_of
from processing.dicom.names import to_person_name
from processing.dicom.query import Level, Query
from processing.dicom.stored import StoredInstance
from storage import imaging
from storage.dicom_objects import counts
from storage.errors import NotFound
from storage.records.imaging import SeriesEntry, Wanted
from storage.records.people import Principal
from storage.records.uids import parse_instance
from viewers.context import Context

_PAGE = 500
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


class Within(NamedTuple):
    """What the address itself narrows the search to."""

    study_uid: str = ""
    series_uid: str = ""

    @property
    def level(self) -> Level:
        """The highest level that answers describe; what is above it is in the address."""
        if self.series_uid:
            return Level.INSTANCE
        return Level.SERIES if self.study_uid else Level.STUDY


@dataclass(frozen=True, slots=True)
class Found:
    """One answer: a study by its series, a series, or an instance of it."""

    group: Sequence[SeriesEntry]
    """All series of the study within reach."""
    entry: SeriesEntry
    level: Level
    instance: Instance | None = None
    answer: Dataset | None = None
    """What was matched, where it had to be made for that."""


def found_of(
    context: Context, principal: Principal, level: Level, within: Within, query: Query
) -> tuple[list[Found], bool]:
    """What is found, as many as are wanted, and whether there is more."""
    every = _matching(context, principal, level, within, query)
    some = list(islice(every, query.offset, query.offset + query.limit + 1))
    return some[: query.limit], len(some) > query.limit


def models_of(context: Context, some: Sequence[Found], root: str) -> list[JsonModel]:
    """Everything that can be told of each, as the DICOM JSON model."""
    counted = [
        entry
        for at in some
        if at.instance is None
        for entry in (at.group if at.level is Level.STUDY else [at.entry])
    ]
    numbers = _counts(context, counted)
    return [_model(at, numbers, root) for at in some]


def _model(found: Found, numbers: Mapping[str, int], root: str) -> JsonModel:
    entry, of_study = found.entry, f"{root}/studies/{found.entry.study_uid}"
    of_series = f"{of_study}/series/{entry.series_uid}"
    if found.level is Level.STUDY:
        count = sum(numbers[at.series_uid] for at in found.group)
        return _told(to_model(study_answer(found.group, count)), of_study)
    if found.instance is None:
        answer = found.answer or series_answer(entry)
        answer.NumberOfSeriesRelatedInstances = numbers[entry.series_uid]
        answer.NumberOfStudyRelatedSeries = len(found.group)
        answer.ModalitiesInStudy = sorted({at.modality for at in found.group})
        return _told(to_model(answer), of_series)
    model = to_model(series_answer(entry)) | header_model(found.instance)
    model["00083002"] = {"vr": "UI", "Value": [found.instance.transfer_syntax]}
    address = f"{of_series}/instances/{found.instance.sop_uid}"
    placed: JsonModel = json.loads(absolute(to_text(model), address))
    return _told(placed, address)


def header_model(instance: Instance) -> JsonModel:
    """The header as a model; what was received has it ready."""
    if isinstance(instance, StoredInstance):
        model: JsonModel = json.loads(instance.found.header)
        return model
    return to_model(instance.header())


def _told(model: JsonModel, address: str) -> JsonModel:
    model["00080056"] = {"vr": "CS", "Value": ["ONLINE"]}
    model["00081190"] = {"vr": "UR", "Value": [address]}
    return dict(sorted(model.items()))


def _matching(
    context: Context, principal: Principal, level: Level, within: Within, query: Query
) -> Iterator[Found]:
    keys = query.keys
    wanted = _wanted(context, within, keys)
    if wanted is None:
        return
    tags = {int(tag) for tag in keys.keys()}  # noqa: SIM118 - tags, not elements
    of_study, of_series = tags - _OF_SERIES - _ASKED_MOST.keys(), tags & _OF_SERIES
    for group in _studies(context, principal, wanted, query.offset + query.limit + 1):
        if not _may_fit(keys, tags, group[0]):
            continue
        if of_study and not matches(keys, study_answer(group)):
            continue
        some = [at for at in group if at.series_uid in wanted.series_uids or not wanted.series_uids]
        series = (
            Found(group, at, level, answer=series_answer(at) if of_series else None) for at in some
        )
        fitting = [at for at in series if at.answer is None or _series_fits(keys, at.answer)]
        if level is Level.STUDY and fitting:
            yield Found(group, group[0], level)
        elif level is Level.SERIES:
            yield from fitting
        elif level is Level.INSTANCE:
            yield from _instances(context, fitting, keys)


def _may_fit(keys: Dataset, tags: set[int], entry: SeriesEntry) -> bool:
    """A first look at what is asked most."""
    few = Dataset()
    for tag in tags & _ASKED_MOST.keys():
        kind, said = _ASKED_MOST[tag]
        few.add_new(tag, kind, said(entry))
    return matches(keys, few) if len(few) else True


def _series_fits(keys: Dataset, answer: Dataset) -> bool:
    """A glass is asked for by its barcode: what is of no glass does not fit."""
    return matches(keys, answer) and (_CONTAINER not in keys or _CONTAINER in answer)


def _instances(context: Context, series: list[Found], keys: Dataset) -> Iterator[Found]:
    for at in series:
        above = series_answer(at.entry)  # fits already, and knows identifiers better than a header
        own = [tag for tag in keys.keys() if tag not in above and tag not in _COMPUTED]  # noqa: SIM118
        for instance in context.opener.instances(at.entry):
            if not own or _fits(keys, own, instance):
                yield Found(at.group, at.entry, Level.INSTANCE, instance)


def _fits(keys: Dataset, own: list[BaseTag], instance: Instance) -> bool:
    """Every key fits the header; one that the header has not, fits nothing."""
    model, names = header_model(instance), {tag: f"{int(tag):08X}" for tag in own}
    if any(name not in model and not keys[tag].is_empty for tag, name in names.items()):
        return False
    there = {name: model[name] for name in names.values() if name in model}
    return matches(keys, Dataset.from_json(there))


def _studies(
    context: Context, principal: Principal, wanted: Wanted, first: int
) -> Iterator[list[SeriesEntry]]:
    """All series of each study of which something is wanted, newest study first.

    As many at first as may be enough, then more at once: few fit where a search goes on.
    """
    offset, page = 0, min(first, _PAGE)
    while True:
        uids = imaging.study_uids(context.database, principal, wanted, page, offset)
        if not uids:
            return
        entries = imaging.series(context.database, principal, Wanted(study_uids=tuple(uids)))
        groups: dict[str, list[SeriesEntry]] = {}
        for entry in entries:
            groups.setdefault(entry.study_uid, []).append(entry)
        yield from (groups[uid] for uid in uids if uid in groups)
        if len(uids) < page:
            return
        offset, page = offset + page, min(4 * page, _PAGE)


def _wanted(context: Context, within: Within, keys: Dataset) -> Wanted | None:
    """What the database narrows by; None when nothing can be found."""
    wanted = wanted_of(keys)
    if within.study_uid:
        wanted = replace(wanted, study_uids=(within.study_uid,))
    if within.series_uid:
        wanted = replace(wanted, series_uids=(within.series_uid,))
    if _SOP_UID not in keys or keys[_SOP_UID].is_empty or within.series_uid:
        return wanted
    named = keys[_SOP_UID].value
    uids = [named] if isinstance(named, str) else list(named)
    if len(uids) > _MOST_NAMED:
        return wanted
    series = {uid for uid in (_series_of(context, str(at)) for at in uids) if uid}
    return replace(wanted, series_uids=tuple(sorted(series))) if series else None


def _series_of(context: Context, sop_uid: str) -> str | None:
    """The series an instance is in; None when there is no such instance."""
    ours = parse_instance(sop_uid)
    if ours is not None:
        return ours.series_uid
    try:
        return context.objects.get(sop_uid).series_uid
    except NotFound:
        return None


def _counts(context: Context, entries: Sequence[SeriesEntry]) -> dict[str, int]:
    """Instances by series."""
    received = [entry.series_uid for entry in entries if entry.received]
    numbers = counts(context.database, received) if received else {}
    made = {at.series_uid: context.opener.count(at) for at in entries if not at.received}
    return dict.fromkeys(received, 0) | numbers | made
