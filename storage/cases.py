"""The only writer of case history: a fact is checked, appended, and all that follows is done.

Whatever says that something happened (a person, a scanner, a laboratory system, a flow) comes
through `record`. In one transaction the fact is judged by the rules, appended to the log, what
follows from it is recorded, and the rows that lists are made from are made anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.engine import Connection

from storage import case_log, case_rows, events, follow_up
from storage.case_log import Said
from storage.database import Database, now
from storage.errors import Illegal, Malformed, NotFound
from storage.exchange.facts import fact_json
from storage.records.case import Case
from storage.records.case_events import CaseFact, Happened
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
    events.hold(connection)
    log = case_log.read_log(connection, accession)
    known = _known(connection, accession, fact, said)
    if known:
        case = fold(accession, log)
        if known == "same":
            return Recorded(Outcome.KNOWN, case)
        return _refuse(connection, case, fact, _unkeyed(said), known, strict=strict)
    received = now()
    happened = Happened(
        fact, said.actor, said.source, said.occurred_at or received, received_at=received
    )
    reason = case_rows.conflict(connection, accession, fact) or refusal(accession, log, happened)
    if reason == "already":
        return Recorded(Outcome.KNOWN, fold(accession, log), reason=reason)
    if reason:
        return _refuse(connection, fold(accession, log), fact, said, reason, strict=strict)
    return _append(connection, fold(accession, log), log, happened, said.key)


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


def _append(
    connection: Connection, before: Case, log: list[Happened], new: Happened, key: str | None
) -> Recorded:
    """Append, then what follows, until nothing more follows."""
    accession = before.accession
    event_id = case_log.append(connection, accession, new, key)
    log = case_log.read_log(connection, accession)
    after = fold(accession, log)
    case_rows.write(connection, before, after)
    for fact in follow_up.facts_after(before, after, new):
        said = Said(SYSTEM, "rules", follow_up.moment_of(fact, after, new))
        after = record_in(connection, accession, fact, said, strict=False).case
    for fact in follow_up.work_after(connection, after, new):
        said = Said(new.actor, new.source, new.occurred_at)
        after = record_in(connection, accession, fact, said).case
    return Recorded(Outcome.RECORDED, after, event_id)


def _known(connection: Connection, accession: str, fact: CaseFact, said: Said) -> str:
    """`same` when the key names this very fact, a reason when it names another one."""
    if said.key is None:
        return ""
    found = events.find_by_key(connection, said.key)
    if found is None:
        return ""
    if found.kind == case_log.SET_ASIDE:
        same = found.data["kind"] == type(fact).__name__ and found.data["fact"] == fact_json(fact)
        return "same" if same and found.data["accession"] == accession else "key_used_before"
    same = found.subject == case_log.subject_of(accession) and found.kind == type(fact).__name__
    return "same" if same and found.data == fact_json(fact) else "key_used_before"


def _unkeyed(said: Said) -> Said:
    return Said(said.actor, said.source, said.occurred_at)


def _refuse(
    connection: Connection, case: Case, fact: CaseFact, said: Said, reason: str, *, strict: bool
) -> Recorded:
    if strict:
        raise Illegal(reason)
    event_id = case_log.set_aside(connection, case.accession, fact, said, reason)
    return Recorded(Outcome.SET_ASIDE, case, event_id, reason)
