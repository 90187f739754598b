"""A small department, measured the same way as the large one."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from benchmarks.department import UNIT, enter, measure, staff
from flows.services import prepare_services
from storage import cases
from storage.records.case_state import state_of
from storage.records.case_words import CaseState
from storage.settings import read_settings

COUNT = 25


def test_every_question_is_answered(tmp_path: Path) -> None:
    document = measure(tmp_path, COUNT)
    assert (document["cases"], document["database"]) == (COUNT, "sqlite")
    assert document["events"] > 10 * COUNT
    assert document["events_a_second_whole_cases"] > 0
    assert set(document["answers_ms"]) == {
        "my list", "the department's list", "one case", "the laboratory", "figures of the month",
    }  # fmt: skip
    assert all(at["first"] > 0 and at["again"] > 0 for at in document["answers_ms"].values())


def test_histories_are_cases_of_the_department(tmp_path: Path) -> None:
    services = prepare_services(read_settings(tmp_path / "data", {}))
    staff(services)
    told = sum(enter(services, random.Random(number), number) for number in range(COUNT))
    found = [cases.get(services.database, f"DEP-{number:06d}") for number in range(COUNT)]
    assert {case.unit for case in found} == {UNIT}
    states = Counter(map(state_of, found))
    assert set(states) == {CaseState.READY, CaseState.DISTRIBUTED}
    assert states[CaseState.DISTRIBUTED] > COUNT / 2
    kept = sum(len(cases.history(services.database, case.accession)) for case in found)
    assert kept == told + COUNT  # that a case is ready follows from its glasses
