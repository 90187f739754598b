"""A scanner's weeks as they lie in the database: slides that came, and what the checks measured."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from storage.database import Database
from storage.exchange.plain import to_plain
from storage.quality_tables import quality_run
from storage.records.quality import (
    Basis,
    Finding,
    ModelRef,
    PolicyRef,
    QualityReport,
    QualityState,
    Verdict,
)
from storage.tables import slide

NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
SCANNER, STAIN = "GT450-7", "HE"
FOCUS = ModelRef("focus-mlp", "1.2", "f" * 64)
_SLIDE = {
    "bytes": 1, "width": 1000, "height": 1000, "tile_edge": 512, "mpp_origin": "header",
    "vendor": "test", "notices": [], "associated": [], "icc": False, "copied": True,
}  # fmt: skip


@dataclass(frozen=True)
class Days:
    """A stretch of a scanner's life; `blur` is the median of focus in µm."""

    first: datetime
    days: int
    a_day: int = 10
    blur: float = 0.4
    alarms: float = 0.05
    barcode: str = ""
    seed: int = 0
    scanner: str = SCANNER
    stain: str = STAIN
    extra: Mapping[str, Any] = field(default_factory=dict)


def live(database: Database, *stretches: Days) -> list[str]:
    """Enter the slides and their reports; the slides' ids."""
    rows = [row for stretch in stretches for row in _rows(stretch)]
    with database.transaction() as connection:
        connection.execute(sa.insert(slide), [one for one, _ in rows])
        connection.execute(sa.insert(quality_run), [one for _, one in rows])
    return [str(one["slide_id"]) for one, _ in rows]


def _rows(stretch: Days) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    rng = random.Random(f"{stretch.seed} {stretch.first}")
    for day in range(stretch.days):
        for number in range(stretch.a_day):
            at = stretch.first + timedelta(days=day, minutes=number)
            report = _report(stretch, rng, at)
            about = {"slide_id": report.slide_id, "fingerprint": uuid.uuid4().hex * 2}
            times = {"received_at": at, "ready_at": at, "name": "slide"}
            image = {"scanner": stretch.scanner, "barcode": stretch.barcode or None}
            run = {
                "run_id": report.run_id, "slide_id": report.slide_id, "at": at,
                "state": report.verdict.state.value, "scanner": stretch.scanner,
                "stain": stretch.stain, "report": to_plain(report), "sha256": "0" * 64,
            }  # fmt: skip
            yield _SLIDE | about | times | image, run | dict(stretch.extra)


def _report(stretch: Days, rng: random.Random, at: datetime) -> QualityReport:
    bad = rng.random() < stretch.alarms
    state = QualityState.REVIEW if bad else QualityState.PASS
    spread = 0.02 if stretch.barcode else 0.1
    figures = {"p50": rng.gauss(stretch.blur, spread), "p95": rng.gauss(1.2, spread)}
    found = Finding("focus.radius", "1", Basis.MODEL, state, "um", figures, model=FOCUS)
    jpeg = Finding("jpeg.quality", "1", Basis.EXACT, QualityState.PASS, "Q", {"quality": 80})
    return QualityReport(
        uuid.uuid4().hex, "0" * 64, None, uuid.uuid4().hex, at, "1", PolicyRef("default", 1, "0"),
        (1000, 1000), 0.25, 100.0, 1.0, Verdict(state), (found, jpeg), 1.0, 1.0,
        stretch.scanner, stretch.stain,
    )  # fmt: skip


def calm(days: int = 40) -> Days:
    """Weeks of nothing new, until now."""
    return Days(NOW - timedelta(days=days), days)


def later(stretch: Days, **other: Any) -> Days:  # noqa: ANN401
    """What came right after a stretch, with something changed."""
    after = {"first": stretch.first + timedelta(days=stretch.days)}
    return replace(stretch, **after | other)
