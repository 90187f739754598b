"""Cases that nobody has are given to a pathologist by the rules, with the reasons kept.

A case that once had somebody is left to people: whoever gave it back had a reason. Where all
pathologists of the unit are barred it stays on the department's list, with a note that says why.
"""

from __future__ import annotations

import json
from collections import Counter

from sqlalchemy.engine import Connection

from processing.routing import Candidate, Demand, Routing, route
from storage import case_log, cases, colleagues, events
from storage.case_log import Said
from storage.database import Database
from storage.records.case import Case, Flag
from storage.records.case_words import AssignedBy, CaseState, Severity
from storage.records.people import Role
from storage.records.reading_events import CaseAssigned, FlagClosed, FlagRaised

STATES = {
    "never": (),
    "ready": (CaseState.READY,),
    "accessioned": (CaseState.IN_LAB, CaseState.SCANNING, CaseState.READY),
}
"""The states in which a case is given away, by the setting `route_at`."""
_SOURCE = "routing"
_NOTE = "routing-"
_MOST_OTHERS = 10


def planned(database: Database, accession: str) -> str:
    """What the rules would do now: `assign`, `note` (nobody may), or nothing; reads only."""
    with database.reading() as connection:
        case = cases.get_in(connection, accession)
        if not _is_ours(connection, case):
            return ""
        choice = _choice(connection, case)
        if choice.pathologist:
            return "assign"
        return "note" if choice.others and not _notes(case) else ""


def assign(database: Database, accession: str) -> str:
    """Do it: `assigned`, `nobody`, or `known` when a person was quicker. Errors: Illegal."""
    said = Said(cases.SYSTEM, _SOURCE)
    with database.transaction() as connection:
        events.hold(connection)
        case = cases.get_in(connection, accession)
        if not _is_ours(connection, case):
            return "known"
        choice = _choice(connection, case)
        if choice.pathologist:
            fact = CaseAssigned(choice.pathologist, AssignedBy.RULES, as_json(choice))
            cases.record_in(connection, accession, fact, said)
            _close_notes(connection, case)
            return "assigned"
        if choice.others and not _notes(case):
            told = sum(flag_id.startswith(_NOTE) for flag_id in case.flags)
            note = FlagRaised(f"{_NOTE}{told + 1}", Severity.NOTE, _in_words(choice))
            cases.record_in(connection, accession, note, said)
    return "nobody"


def settle(database: Database, accession: str) -> bool:
    """A person has given the case to somebody: the note that nobody may have it is over."""
    with database.transaction() as connection:
        events.hold(connection)
        case = cases.get_in(connection, accession)
        return bool(case.assignee) and _close_notes(connection, case)


def as_json(choice: Routing) -> str:
    """The reasons as they are kept in `CaseAssigned.why`: rules and cases, no prose."""
    others = choice.others[:_MOST_OTHERS]
    kept = {
        "why": [[at.rule.value, at.by] for at in choice.why],
        "others": [[name, at.rule.value, at.by] for name, at in others],
        "left_out": len(choice.others) - len(others),
    }
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)


def _is_ours(connection: Connection, case: Case) -> bool:
    """Open, and never anybody's."""
    if case.assignee or case.closed_at or case.final:
        return False
    log = case_log.read_log(connection, case.accession)
    return not any(isinstance(at.fact, CaseAssigned) for at in log)


def _choice(connection: Connection, case: Case) -> Routing:
    opinions = case.consultations.values()
    asked = frozenset(name for at in opinions for name in (at.asked, at.consultant) if name)
    demand = Demand(
        unit=case.unit,
        subspecialty=case.subspecialty,
        language=case.language,
        priority=case.priority,
        requester=case.requester,
        consulted=asked,
    )
    loads = colleagues.loads(connection)
    people = colleagues.colleagues_in(connection, case.unit)
    readers = [at for at in people if at.role is Role.PATHOLOGIST]
    return route(demand, [Candidate(at, loads.get(at.name, 0.0)) for at in readers])


def _notes(case: Case) -> list[Flag]:
    """Open notes of ours."""
    flags = case.flags.values()
    return [at for at in flags if at.flag_id.startswith(_NOTE) and at.closed_at is None]


def _close_notes(connection: Connection, case: Case) -> bool:
    for note in _notes(case):
        fact = FlagClosed(note.flag_id, "assigned")
        cases.record_in(connection, case.accession, fact, Said(cases.SYSTEM, _SOURCE))
    return bool(_notes(case))


def _in_words(choice: Routing) -> str:
    """`nobody_suitable absent=2 requester=1`: codes that screens translate."""
    counted = Counter(reason.rule.value for _, reason in choice.others)
    return " ".join(["nobody_suitable", *(f"{rule}={n}" for rule, n in sorted(counted.items()))])
