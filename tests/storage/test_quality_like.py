"""Slides that a slide is held against: same scanner, same stain, newest run, none rejected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from storage import quality
from storage.database import Database
from storage.records.quality import (
    Basis,
    Finding,
    HumanVerdict,
    PolicyRef,
    QualityReport,
    QualityState,
    Verdict,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)
_CHECK = "stain.background"


def enter(database: Database, slide: str, hour: int, white: float, scanner: str = "S1") -> str:
    """A report; its run."""
    state = QualityState.PASS
    found = Finding(_CHECK, "1", Basis.RULE, state, "DN", {"white": white, "word": "x"})
    run = f"{slide}-{hour}"
    report = QualityReport(
        slide, "0" * 64, None, run, NOW + timedelta(hours=hour), "1", PolicyRef("p", 1, "0"),
        (9, 9), 0.25, 1.0, 1.0, Verdict(state), (found,), 1.0, 1.0, scanner, "HE",
    )  # fmt: skip
    quality.enter(database, report, "svartid")
    return run


def test_the_newest_of_each_other_slide_counts(quick_database: Database) -> None:
    enter(quick_database, "a", 1, 200)
    enter(quick_database, "a", 2, 240)
    enter(quick_database, "b", 1, 238)
    enter(quick_database, "me", 3, 100)
    enter(quick_database, "c", 3, 90, scanner="S2")
    run = enter(quick_database, "d", 4, 80)
    said = HumanVerdict(quality.REJECTED, "tech", "stained again", NOW)
    with quick_database.transaction() as connection:
        quality.say_in(connection, "d", run, said)
    like = quality.figures_like(quick_database, "me", "S1", "HE", _CHECK)
    assert sorted(at["white"] for at in like) == [238, 240]
    assert all(set(at) == {"white"} for at in like)


def test_without_scanner_or_stain_there_is_no_cohort(quick_database: Database) -> None:
    enter(quick_database, "a", 1, 240, scanner="")
    assert quality.figures_like(quick_database, "me", "", "HE", _CHECK) == []
    assert quality.figures_like(quick_database, "me", "S1", "", _CHECK) == []
