"""Made-up cases: by hand, and of every shape a history can have."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from processing.turnaround.working_days import COPENHAGEN
from storage.records.milestones import (
    Awaited,
    AwaitedThing,
    ConsultationTimes,
    Distance,
    Milestones,
    Pause,
    PauseReason,
    Priority,
    SlideTimes,
    SpecimenClass,
    SupplementTimes,
)

SITE = "roskilde"
_EPOCH = datetime(2026, 3, 1, tzinfo=UTC)


def local(text: str) -> datetime:
    """A moment by the clock on a Danish wall, "2026-03-02 08:30", in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=COPENHAGEN).astimezone(UTC)


def case(**changes: Any) -> Milestones:  # noqa: ANN401 - whatever the fields are
    """A routine biopsy of which nothing is known yet but what is given."""
    about = {
        "accession": "P26-1",
        "site": SITE,
        "unit": "patologi",
        "priority": Priority.ROUTINE,
        "specimen_class": SpecimenClass.BIOPSY,
    }
    return Milestones(**{**about, **changes})


def pause(began: str, ended: str | None, reason: PauseReason) -> Pause:
    return Pause("p", reason, "kir", "note", local(began), local(ended) if ended else None)


moments = st.integers(0, 40 * 86_400_000_000).map(lambda at: _EPOCH + timedelta(microseconds=at))
"""Forty days, to the microsecond, over the change to summer time and Easter 2026."""
_maybe = st.none() | moments
_ended = {"began_at": moments, "ended_at": _maybe}
pauses = st.builds(
    Pause, st.just("p"), st.sampled_from(PauseReason), st.just("a"), st.just("e"), **_ended
)
_awaited = st.builds(Awaited, st.sampled_from(AwaitedThing), st.just("x"), **_ended)
_slides = st.builds(
    SlideTimes,
    st.sampled_from("abc"),
    moments,
    **dict.fromkeys(("stained_at", "queued_at", "started_at", "scanned_at"), _maybe),
    available_at=_maybe,
)
_consultations = st.builds(
    ConsultationTimes, st.just("c"), st.sampled_from(Distance), moments, _maybe, _maybe, _maybe
)
_TIMES = [at.name for at in fields(Milestones) if at.name.endswith("_at")]


@st.composite
def cases(draw: st.DrawFn) -> Milestones:
    """Anything missing, anything in any order."""
    few = {"max_size": 4}
    return case(
        priority=draw(st.sampled_from(Priority)),
        specimen_class=draw(st.sampled_from(SpecimenClass)),
        **{name: draw(_maybe) for name in _TIMES},
        slides=tuple(draw(st.lists(_slides, **few))),
        consultations=tuple(draw(st.lists(_consultations, max_size=2))),
        supplements=tuple(draw(st.lists(st.builds(SupplementTimes, moments, _maybe), max_size=2))),
        pauses=tuple(draw(st.lists(pauses, **few))),
        awaited=tuple(draw(st.lists(_awaited, **few))),
    )
