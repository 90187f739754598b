"""What a search over the web finds, and everything that can be told of it, as DICOM JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice

from processing.dicom.answers import series_answer, study_answer
from processing.dicom.finding import Finder, Found, Level, Within, header_model
from processing.dicom.json_model import JsonModel, absolute, to_model, to_text
from processing.dicom.query import Query


def found_of(
    finder: Finder, level: Level, within: Within, query: Query
) -> tuple[list[Found], bool]:
    """What is found, as many as are wanted, newest study first, and whether there is more."""
    until = query.offset + query.limit + 1
    every = finder.find(level, query.keys, within, until)
    some = list(islice(every, query.offset, until))
    return some[: query.limit], len(some) > query.limit


def models_of(finder: Finder, level: Level, some: Sequence[Found], root: str) -> list[JsonModel]:
    """Everything that can be told of each, as the DICOM JSON model."""
    counted = [
        entry
        for at in some
        if at.instance is None
        for entry in (at.group if level is Level.STUDY else [at.entry])
    ]
    numbers = finder.counts(counted)
    return [_model(level, at, numbers, root) for at in some]


def _model(level: Level, found: Found, numbers: Mapping[str, int], root: str) -> JsonModel:
    entry, of_study = found.entry, f"{root}/studies/{found.entry.study_uid}"
    of_series = f"{of_study}/series/{entry.series_uid}"
    if level is Level.STUDY:
        count = sum(numbers[at.series_uid] for at in found.group)
        return _told(to_model(study_answer(found.group, count)), of_study)
    if found.instance is None:
        answer = series_answer(entry, numbers[entry.series_uid])
        answer.NumberOfStudyRelatedSeries = len(found.group)
        answer.ModalitiesInStudy = sorted({at.modality for at in found.group})
        return _told(to_model(answer), of_series)
    model = to_model(series_answer(entry)) | header_model(found.instance)
    model["00083002"] = {"vr": "UI", "Value": [found.instance.transfer_syntax]}
    address = f"{of_series}/instances/{found.instance.sop_uid}"
    placed: JsonModel = json.loads(absolute(to_text(model), address))
    return _told(placed, address)


def _told(model: JsonModel, address: str) -> JsonModel:
    model["00080056"] = {"vr": "CS", "Value": ["ONLINE"]}
    model["00081190"] = {"vr": "UR", "Value": [address]}
    return dict(sorted(model.items()))
