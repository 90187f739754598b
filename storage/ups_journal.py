"""Every change of a work item is a change of its steps, and news of them: in one transaction.

Called by `storage.work_items` alone, so whatever changes work, a person, a scanner, a program over
DICOM, is told alike. A step that has ended stays so; work that is offered again, or after it was
done, is a new step that replaces it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storage.database import now
from storage.records.ups import FINAL, Step, StepEvent, StepState
from storage.records.work import OPEN, WorkItem, WorkKind, WorkState
from storage.ups_tables import ups_news, ups_step

KINDS = (WorkKind.SCAN, WorkKind.ANALYSIS, WorkKind.CONSULTATION)
"""Work that is told as steps."""
GIVEN_UID = "ups_uid"
"""In an item's data: the UID that whoever asked for it gave its first step."""
SCHEME = "99SVARTID"
"""Of codes that are ours."""
_STATES = {
    WorkState.OFFERED: StepState.SCHEDULED, WorkState.CLAIMED: StepState.IN_PROGRESS,
    WorkState.DONE: StepState.COMPLETED, WorkState.FAILED: StepState.CANCELED,
    WorkState.CANCELLED: StepState.CANCELED,
}  # fmt: skip
_STATE, _READINESS, _REASON = "00741000", "00404041", "00741238"
_MOST_REASON = 1024


def note_offered(connection: Connection, item: WorkItem) -> None:
    """New work is a scheduled step."""
    if item.kind in KINDS:
        _begin(connection, item, 1, "", str(item.data.get(GIVEN_UID) or ""))


def note_changed(connection: Connection, before: WorkItem, item: WorkItem) -> None:
    """What the change means for the item's step."""
    if item.kind not in KINDS:
        return
    step, wanted = newest(connection, item.item_id), _STATES[item.state]
    if step is None:  # it is older than steps are
        if item.state in OPEN:
            _begin(connection, item, 1, "", "")
            note_changed(connection, before, item)
    elif step.state is wanted:
        if before.performer != item.performer:
            tell(connection, step.uid, StepEvent.ASSIGNED, assignment(item.performer))
    elif wanted is StepState.SCHEDULED:
        if step.state not in FINAL:
            _turn(connection, step, StepState.CANCELED, item.reason)
        _begin(connection, item, step.number + 1, step.uid, "")
    elif step.state not in FINAL:
        if step.state is StepState.SCHEDULED and wanted is not StepState.IN_PROGRESS:
            _turn(connection, step, StepState.IN_PROGRESS, "")
        _turn(connection, step, wanted, item.reason if wanted is StepState.CANCELED else "")


def newest(connection: Connection, item_id: str) -> Step | None:
    """The last step of an item."""
    query = sa.select(ups_step).where(ups_step.c.item_id == item_id)
    row = connection.execute(query.order_by(ups_step.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else step_of_row(row)


def tell(
    connection: Connection,
    uid: str,
    event: StepEvent,
    data: Mapping[str, Any],
    **about: Any,  # noqa: ANN401 - columns of the table
) -> None:
    """Enter what subscribers are to hear, inside the caller's transaction; `about` are columns."""
    values = {"uid": uid, "event": int(event), "data": dict(data), "at": now()}
    connection.execute(sa.insert(ups_news).values(**values, **about))


def state_report(state: StepState, reason: str = "") -> dict[str, Any]:
    """What a state report says, as the DICOM JSON model (PS3.4 CC.2.4.1)."""
    told: dict[str, Any] = {
        _READINESS: {"vr": "CS", "Value": ["READY"]},
        _STATE: {"vr": "CS", "Value": [state.value]},
    }
    return told | ({_REASON: {"vr": "LT", "Value": [reason[:_MOST_REASON]]}} if reason else {})


def assignment(performer: str) -> dict[str, Any]:
    """What is told of who is to perform a step: a person or a unit, by the name it has here."""
    if not performer:
        return {}
    words = {"00080100": ("SH", performer[:16]), "00080102": ("SH", SCHEME)}
    words["00080104"] = ("LO", performer[:64])
    coded = {tag: {"vr": vr, "Value": [text]} for tag, (vr, text) in words.items()}
    return {"00404009": {"vr": "SQ", "Value": [coded]}}


def step_of_row(row: Row[Any]) -> Step:
    """A row of `ups_step` as the record."""
    values = {name: getattr(row, name) for name in Step.__slots__}
    return Step(**values | {"state": StepState(row.state)})


def _begin(connection: Connection, item: WorkItem, number: int, replaces: str, given: str) -> None:
    """A scheduled step; its UID is the item's own random number where none is given."""
    root = f"2.25.{int(item.item_id, 16)}"
    uid, moment = given or (root if number == 1 else f"{root}.{number}"), now()
    connection.execute(
        sa.insert(ups_step).values(
            uid=uid,
            item_id=item.item_id,
            number=number,
            state=StepState.SCHEDULED.value,
            said={},
            replaces=replaces,
            created_at=moment,
            changed_at=moment,
        )
    )
    tell(connection, uid, StepEvent.STATE, state_report(StepState.SCHEDULED), born=True)
    if item.performer:
        tell(connection, uid, StepEvent.ASSIGNED, assignment(item.performer))


def _turn(connection: Connection, step: Step, state: StepState, reason: str) -> None:
    ended = {"ended_at": now(), "reason": reason} if state in FINAL else {}
    values = {"state": state.value, "changed_at": now()} | ended
    connection.execute(sa.update(ups_step).where(ups_step.c.uid == step.uid).values(**values))
    tell(connection, step.uid, StepEvent.STATE, state_report(state, reason))
