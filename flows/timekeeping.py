"""Time that passes is told to the cases it concerns: warnings, breaches, pauses that last.

What is to be done is found by reading alone; each act is then judged by the rules like any other
fact, so that doing it twice, or too late, changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from processing.turnaround.calendar import working_days_used
from processing.turnaround.standing import Standing, standing_of
from storage import cases, events, policies, work_items, worklist
from storage.case_log import Said
from storage.database import Database, now
from storage.errors import Illegal, NotFound
from storage.records.case_events import TargetBreached, TargetWarned
from storage.records.milestones import Milestones, Pause
from storage.records.policy import Policy
from storage.records.work import WorkItem, WorkKind, WorkState
from storage.worklist import CaseRow

_SOURCE = "timekeeping"


class ActKind(StrEnum):
    """What time demands."""

    WARN = "warned"
    BREACH = "breached"
    LONG_PAUSE = "long_pause"
    PAUSE_OVER = "pause_over"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do about a case; `about` is the pause's id, or the item's that is over."""

    kind: ActKind
    accession: str
    due: datetime | None = None
    about: str = ""
    site: str = ""
    unit: str = ""
    rank: int = 0


def demanded(database: Database, moment: datetime | None = None) -> list[Act]:
    """What is to be done by now; reads only."""
    moment = moment or now()
    policy = policies.current(database, moment)
    rows = worklist.open_everywhere(database)
    acts = [act for row in rows for act in _of_case(policy, row, moment)]
    paused = {at.pause_id for row in rows for at in row.milestones.pauses if at.ended_at is None}
    acts = [act for act in acts if act.kind is not ActKind.LONG_PAUSE or _is_new(database, act)]
    told = work_items.listing(database, [WorkKind.LONG_PAUSE])
    return [*acts, *(_over(item) for item in told if item.about not in paused)]


def do(database: Database, acts: list[Act]) -> str:
    """Do what was demanded; how often what, in words."""
    done = Counter[str]()
    for act in acts:
        with suppress(
            Illegal, NotFound
        ):  # something has happened since: then it is not demanded any more
            done[act.kind.value] += _do(database, act)
    return " ".join(f"{word} {count}" for word, count in sorted(done.items()) if count) or "nothing"


def _of_case(policy: Policy, row: CaseRow, moment: datetime) -> Iterator[Act]:
    case = row.milestones
    standing = standing_of(policy, case, moment)
    if standing is None:
        return
    if standing.standing is Standing.LATE and case.breached_at is None:
        yield Act(ActKind.BREACH, row.accession, standing.due)
    elif standing.standing is Standing.WARN and case.warned_at is None:
        yield Act(ActKind.WARN, row.accession, standing.due)
    about = {"site": row.site, "unit": row.unit, "rank": case.priority.rank}
    for pause in _lasting(policy, case, moment):
        yield Act(ActKind.LONG_PAUSE, row.accession, about=pause.pause_id, **about)  # type: ignore[arg-type]


def _lasting(policy: Policy, case: Milestones, moment: datetime) -> list[Pause]:
    """Pauses that have gone on for longer than the policy lets pass without a look."""
    most = policy.pause_task_after_working_days
    going_on = (at for at in case.pauses if at.ended_at is None and at.began_at < moment)
    return [
        at for at in going_on if working_days_used(policy, case.site, at.began_at, moment) > most
    ]


def _is_new(database: Database, act: Act) -> bool:
    """No task was ever raised for the pause: one that a person has settled stays settled."""
    about = {"accession": act.accession, "about": act.about}
    every = list(WorkState)
    return not work_items.listing(database, [WorkKind.LONG_PAUSE], every, limit=1, **about)


def _over(item: WorkItem) -> Act:
    return Act(ActKind.PAUSE_OVER, item.accession or "", about=item.item_id)


def _do(database: Database, act: Act) -> bool:
    said = Said(cases.SYSTEM, _SOURCE)
    if act.kind is ActKind.PAUSE_OVER:
        with database.transaction() as connection:
            work_items.end(connection, act.about, WorkState.DONE)
        return True
    if act.kind is ActKind.LONG_PAUSE:
        return _raise_task(database, act)
    assert act.due is not None  # noqa: S101 - both of these have it
    breached = act.kind is ActKind.BREACH
    fact = TargetBreached(act.due) if breached else TargetWarned(act.due)
    return cases.record(database, act.accession, fact, said).outcome is cases.Outcome.RECORDED


def _raise_task(database: Database, act: Act) -> bool:
    """One task a pause, however many look at it."""
    about = {"accession": act.accession, "about": act.about}
    with database.transaction() as connection:
        events.hold(connection)
        if work_items.open_in(connection, [WorkKind.LONG_PAUSE], **about):
            return False
        where = {"site": act.site, "unit": act.unit, "rank": act.rank}
        work_items.offer(connection, WorkKind.LONG_PAUSE, cases.SYSTEM, **about, **where)
    return True
