"""What follows of itself from the facts of a case, at the moment of the fact that completed it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from storage.records.case import Case, WorkOrder


def conclude(before: Case, after: Case, moment: datetime) -> Case:
    """`after` with what one more fact, of that moment, brought about: ready, fulfilled, resumed."""
    if after.slides is not before.slides:
        if after.is_all_readable and not (before.is_all_readable or after.closed_at):
            after = replace(after, ready_times=(*after.ready_times, moment))
        done = [order for order in after.orders.values() if _is_done(after, order)]
        filled = {at.order_id: replace(at, fulfilled_at=moment) for at in done}
        if filled:
            after = replace(after, orders={**after.orders, **filled})
    if not after.pauses:
        return after
    ended = ended_matters(after) - ended_matters(before)
    over = [at for at in after.pauses.values() if at.ended_at is None and at.evidence in ended]
    if over:
        resumed = {at.pause_id: replace(at, ended_at=moment) for at in over}
        after = replace(after, pauses={**after.pauses, **resumed})
    return after


def ended_matters(case: Case) -> set[str]:
    """Ids of orders and consultations that have come to an end: pauses linked to them end too."""
    orders = {at.order_id for at in case.orders.values() if not at.is_open}
    return orders | {at.consultation_id for at in case.consultations.values() if not at.is_open}


def _is_done(case: Case, order: WorkOrder) -> bool:
    glasses = [at for at in case.slides.values() if at.order_id == order.order_id]
    waited = [at for at in glasses if at.is_waited_for]
    return order.is_open and bool(waited) and all(at.is_readable for at in waited)
