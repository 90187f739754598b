"""Cases as they were known at any earlier event, and months that can be computed again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from storage import as_of, cases, events, policies, published_months, worklist
from storage.case_log import Said
from storage.database import Database, now
from storage.errors import Illegal, NotFound
from storage.exchange.policy_json import policy_to_json
from storage.records.case_events import CaseCancelled, EventCorrected, PriorityChanged
from storage.records.milestones import Milestones, Priority
from storage.records.policy import Policy
from storage.records.published import DataCut, Scope
from tests.processing.turnaround.months import Laboratory
from tests.storage.told import tell_laboratory

FIRST, LAST = date(2026, 3, 2), datetime(2026, 3, 12, 12, tzinfo=UTC)
MARCH = Scope("2026-03")


def count(policy: Policy, found: list[Milestones], scope: Scope, cut: DataCut) -> Mapping[str, Any]:
    """Figures enough to see what they were made from."""
    those = [at for at in found if scope.unit in ("", at.unit)]
    answered = [at.accession for at in those if at.distributed_at]
    return {
        "answered": sorted(answered),
        "open": len(those) - len(answered),
        "urgent": sum(at.priority is Priority.URGENT for at in those),
        "warn": policy.warn_share,
        "at": cut.at.isoformat(),
    }


@pytest.fixture
def lived(database: Database) -> Database:
    """Ten days of a small laboratory."""
    laboratory = Laboratory(np.random.default_rng(2), each_weekday=2)
    assert tell_laboratory(database, laboratory.cases(FIRST, 12), LAST) > 100
    return database


def test_every_cut_gives_the_cases_as_they_were_then(lived: Database) -> None:
    seen = {events.last_id(lived): worklist.milestones(lived)}
    first = worklist.milestones(lived)[0].accession
    opened = next(at for at in worklist.milestones(lived) if at.is_open).accession
    history = cases.history(lived, first)
    signed = next(at for at in history if type(at.fact).__name__ == "ReportSigned")
    later = signed.occurred_at - timedelta(seconds=30)
    for accession, fact in (
        (opened, PriorityChanged(Priority.URGENT, "ringet")),
        (first, EventCorrected(signed.event_id, "uret gik forkert", later)),
        (opened, CaseCancelled("fejl")),
    ):
        cases.record(lived, accession, fact, Said("kir", "test"))
        seen[events.last_id(lived)] = worklist.milestones(lived)
    assert len(seen) == 4
    for cut, known in seen.items():
        assert as_of.milestones(lived, cut) == known
    assert as_of.milestones(lived, 0) == []
    assert len({len(known) for known in seen.values()}) == 2


def test_a_published_month_can_be_computed_again_whatever_came_later(lived: Database) -> None:
    published = published_months.publish(lived, MARCH, count, "kirsten", "page")
    assert (published.edition, published.by, published.policy_version) == (1, "kirsten", 1)
    assert published.cut.event_id == events.last_id(lived) - 1
    assert published.figures["answered"]
    (told,) = events.history(lived, "turnaround:all:2026-03")
    assert (told.kind, told.data["figures"]) == ("MonthPublished", published.figures)

    document = policy_to_json(policies.current(lived)) | {"warn_share": 0.2}
    policies.enter(lived, document, "kirsten", "page")
    opened = next(at for at in worklist.milestones(lived) if at.is_open)
    cases.record(
        lived, opened.accession, PriorityChanged(Priority.URGENT, "r"), Said("kir", "test")
    )
    assert published_months.computed_again(lived, published, count) == published.figures
    assert published_months.latest(lived, MARCH) == published

    again = published_months.publish(lived, MARCH, count, "kirsten", "page", "rettelse")
    assert (again.edition, again.policy_version, again.reason) == (2, 2, "rettelse")
    assert again.figures["urgent"] == published.figures["urgent"] + 1
    for edition in published_months.editions(lived, MARCH):
        found = published_months.computed_again(lived, edition, count)
        assert found == edition.figures
    assert published_months.of_unit(lived) == [published, again]
    assert published_months.of_unit(lived, "patologi") == []


def test_what_cannot_be_published_is_refused(lived: Database) -> None:
    this_month = Scope(f"{now():%Y-%m}")
    for _ in range(2):
        with pytest.raises(Illegal, match="month not over"):
            published_months.publish(lived, this_month, count, "k", "page", "again")
    published_months.publish(lived, MARCH, count, "k", "page")
    with pytest.raises(Illegal, match="published before"):
        published_months.publish(lived, MARCH, count, "k", "page")
    published_months.publish(lived, Scope("2026-03", "patologi"), count, "k", "page")
    with pytest.raises(NotFound):
        published_months.latest(lived, Scope("2026-02"))


@pytest.mark.parametrize("wrong", [("2026-3", ""), ("2026-13", ""), ("2026-03", "a:b"), ("x", "")])
def test_a_scope_is_a_month_and_a_unit(wrong: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"month|unit"):
        Scope(*wrong)
