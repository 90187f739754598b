"""The only writer of case history: a fact is checked, appended, and all that follows is done.

Whatever says that something happened (a person, a scanner, a laboratory system, a flow) comes
through `record`. In one transaction the fact is judged by the rules, appended to the log, what
follows from it is recorded, and the rows that lists are made from are made anew.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy.engine import Connection

from storage import case_log, case_rows, events, follow_up
from storage.case_log import Said
from storage.database import Database, now
from storage.errors import Illegal, Malformed, NotFound
from storage.events import Event
from storage.exchange import facts
from storage.exchange.plain import is_moment, is_text
from storage.records.ai_rules import ai_refusal, is_ai
from storage.records.case import Case
from storage.records.case_events import CONCLUDED, CaseFact, Happened
from storage.records.case_fold import fold
from storage.records.case_rules import refusal

_ACCESSION = re.compile(r"[0-9A-Za-zÆØÅæøå][0-9A-Za-zÆØÅæøå./_-]{0,39}")
SYSTEM = "svartid"


class Outcome(StrEnum):
    """What became of a fact."""

    RECORDED = "recorded"
    KNOWN = "known"
    """It had been recorded before; nothing changed."""
    SET_ASIDE = "set_aside"
    """It contradicts what is known; kept on the repair list."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a fact, and the case as it is now."""

    outcome: Outcome
    case: Case
    event_id: int = 0
    reason: str = ""


def record(
    database: Database, accession: str, fact: CaseFact, said: Said, *, strict: bool = True
) -> Recorded:
    """Record that `fact` happened to the case.

    The same key, or a fact that is so already, changes nothing. What the rules refuse raises
    Illegal (`strict`: somebody waits for the answer) or is set aside for the repair list.
    Errors: Illegal, Malformed (accession), Transient.
    """
    with database.transaction() as connection:
        return record_in(connection, accession, fact, said, strict=strict)


def record_in(
    connection: Connection, accession: str, fact: CaseFact, said: Said, *, strict: bool = True
) -> Recorded:
    """The same inside the caller's transaction, so that several facts stand or fall together."""
    if not _ACCESSION.fullmatch(accession):
        raise Malformed("an accession number has 1 to 40 letters, digits, and ./_- between them")
    fact = facts.check(fact)
    strict = strict or is_ai(said.actor)  # what it may not say is not kept for people to sort out
    events.hold(connection)  # first: what waited for its turn happened after what was before it
    received = now()
    said = _checked(said, received)
    log = case_log.read_log(connection, accession)
    case = fold(accession, log)
    found = events.find_by_key(connection, said.key) if said.key else None
    if found is not None:
        return _told_before(connection, case, fact, said, found, strict=strict)
    moment = said.occurred_at or received
    happened = Happened(fact, said.actor, said.source, moment, received_at=received)
    reason = ai_refusal(case, happened) or case_rows.conflict(connection, accession, fact)
    reason = reason or refusal(accession, log, happened)
    if reason == "already":
        return Recorded(Outcome.KNOWN, case, reason=reason)
    if reason:
        return _refuse(connection, case, fact, said, reason, strict=strict)
    return _append(connection, case, happened, said.key)


def get(database: Database, accession: str) -> Case:
    """The case as its events make it; NotFound."""
    with database.reading() as connection:
        return get_in(connection, accession)


def get_in(connection: Connection, accession: str) -> Case:
    """The same inside the caller's transaction."""
    log = case_log.read_log(connection, accession)
    if not log:
        raise NotFound("no case has that accession number")
    return fold(accession, log)


def history(database: Database, accession: str) -> list[Happened]:
    """The events of a case in the order of the log; empty when there is none."""
    with database.reading() as connection:
        return case_log.read_log(connection, accession)


def rebuild(database: Database, accession: str) -> None:
    """Make the rows of a case anew from its events; they come out as they were."""
    with database.transaction() as connection:
        events.hold(connection)
        case_rows.write(connection, None, get_in(connection, accession))


def _append(connection: Connection, before: Case, new: Happened, key: str | None) -> Recorded:
    """Append, then what follows, until nothing more follows."""
    accession = before.accession
    event_id = case_log.append(connection, accession, new, key)
    after = fold(accession, case_log.read_log(connection, accession))
    case_rows.write(connection, before, after)
    for fact, moment in follow_up.conclusions(before, after, new):
        concluded = Happened(fact, SYSTEM, CONCLUDED, moment, received_at=now())
        after = _append(connection, after, concluded, None).case
    for fact, moment in follow_up.work_after(connection, after, new):
        with suppress(Illegal):  # told late: what came meanwhile has made it pointless
            said = Said(new.actor, new.source, moment)
            after = record_in(connection, accession, fact, said).case
    return Recorded(Outcome.RECORDED, after, event_id)


def _checked(said: Said, received: datetime) -> Said:
    """With its moment in UTC: told without one it is now, also when it is looked at later."""
    sizes = ((said.actor, 80), (said.source, 40), (said.key or "", 120))
    if not all(is_text(text, most) for text, most in sizes):
        raise Malformed("who says it, from where, or its key is too long")
    moment = said.occurred_at or received
    if not is_moment(moment):
        raise Malformed("a time needs its zone, and lies within the calendar")
    return replace(said, occurred_at=moment.astimezone(UTC))


def _told_before(
    connection: Connection, case: Case, fact: CaseFact, said: Said, found: Event, *, strict: bool
) -> Recorded:
    """What became of it then; its key with other contents is a slip of the sender."""
    if not case_log.is_same(found, case.accession, fact):
        said = replace(said, key=None)
        return _refuse(connection, case, fact, said, "key_used_before", strict=strict)
    if found.kind != case_log.SET_ASIDE:
        return Recorded(Outcome.KNOWN, case)
    reason = str(found.data["reason"])
    if strict:
        raise Illegal(reason)
    return Recorded(Outcome.SET_ASIDE, case, found.event_id, reason)


def _refuse(
    connection: Connection, case: Case, fact: CaseFact, said: Said, reason: str, *, strict: bool
) -> Recorded:
    if strict:
        raise Illegal(reason)
    event_id = case_log.set_aside(connection, case.accession, fact, said, reason)
    return Recorded(Outcome.SET_ASIDE, case, event_id, reason)
