"""The policies of quality with their versions, and the right of a check to ask for another scan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from storage import events, quality
from storage.database import Database, now
from storage.drift_tables import quality_validation
from storage.errors import Malformed, NotFound
from storage.events import Event
from storage.exchange.plain import from_plain, is_text, to_plain
from storage.quality_tables import quality_policy
from storage.records.quality import Policy
from storage.records.validation import LEAST_FAILURES, LEAST_SLIDES, Validation


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """A version, and who kept it when."""

    policy: Policy
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KeptValidation:
    """A validation, and the version of the policy it came with."""

    policy_id: str
    version: int
    validation: Validation
    by: str
    at: datetime


def listing(database: Database) -> list[KeptPolicy]:
    """The newest version of every policy, by name."""
    newest: dict[str, KeptPolicy] = {}
    with database.reading() as connection:
        query = sa.select(quality_policy).order_by(
            quality_policy.c.policy_id, quality_policy.c.version
        )
        for row in connection.execute(query):
            newest[row.policy_id] = _kept(row)
    return list(newest.values())


def history(database: Database, policy_id: str) -> list[KeptPolicy]:
    """Every version, newest first."""
    at = quality_policy.c
    query = sa.select(quality_policy).where(at.policy_id == policy_id).order_by(at.version.desc())
    with database.reading() as connection:
        return [_kept(row) for row in connection.execute(query)]


def get(database: Database, policy_id: str, version: int = 0) -> Policy:
    """A version of a policy, 0 the newest. Errors: NotFound."""
    for kept in history(database, policy_id):
        if version in (0, kept.policy.version):
            return kept.policy
    raise NotFound("there is no such policy of quality; svartid checks list names them")


def validations(database: Database, policy_id: str = "") -> list[KeptValidation]:
    """What rights rest on, newest first; of one policy, or of all."""
    at = quality_validation.c
    query = sa.select(quality_validation).order_by(at.at.desc(), at.check)
    if policy_id:
        query = query.where(at.policy_id == policy_id)
    with database.reading() as connection:
        return [
            KeptValidation(
                row.policy_id, row.version, from_plain(Validation, row.record), row.by, row.at
            )
            for row in connection.execute(query)
        ]


def validate(database: Database, policy: Policy, said: Validation, by: str) -> Policy:
    """Let a check ask for another scan by itself: the policy's next version, with what it rests on.

    Errors: Malformed for counts that do not fit together, or too few without a reason.
    """
    _check(said)
    validated = tuple(dict.fromkeys((*policy.validated, said.check)))
    with database.transaction() as connection:
        events.hold(connection)
        kept = quality.keep_policy_in(connection, replace(policy, validated=validated), by)
        connection.execute(
            sa.insert(quality_validation).values(
                policy_id=kept.policy_id, version=kept.version, check=said.check,
                record=to_plain(said), by=by, at=now(),
            )
        )  # fmt: skip
        told: dict[str, Any] = {
            "policy": kept.policy_id, "version": kept.version, "check": said.check,
            "slides": said.slides, "failures": said.failures,
        }  # fmt: skip
        told |= {"forced": said.forced} if said.forced else {}
        subject = f"quality_policy:{kept.policy_id}"
        events.record(connection, Event(subject, "CheckValidated", by, "quality", told))
    return kept


def withdraw(database: Database, policy: Policy, check: str, by: str, reason: str) -> Policy:
    """Take from a check the right to ask for another scan by itself; it may still ask for a look.

    Nothing happens where it has no such right. Errors: Malformed without a reason.
    """
    if check not in policy.validated:
        return policy
    if not reason.strip() or not is_text(reason, 2000):
        raise Malformed("a reason says why the check loses its right")
    validated = tuple(at for at in policy.validated if at != check)
    with database.transaction() as connection:
        events.hold(connection)
        kept = quality.keep_policy_in(connection, replace(policy, validated=validated), by)
        told = {"policy": kept.policy_id, "version": kept.version}
        told |= {"check": check, "reason": reason.strip()}
        subject = f"quality_policy:{kept.policy_id}"
        events.record(connection, Event(subject, "CheckRightWithdrawn", by, "quality", told))
    return kept


def _check(said: Validation) -> None:
    good = said.slides - said.failures
    if not (0 <= said.found <= said.failures and 0 <= said.false_alarms <= good):
        raise Malformed("found is at most failures, false alarms at most the other slides")
    if not said.is_enough and not said.forced.strip():
        raise Malformed(
            f"a check is validated on at least {LEAST_SLIDES} slides with {LEAST_FAILURES} failures"
            " among them; a reason can override this, and is kept"
        )
    if not all(is_text(at, 2000) for at in (said.note, said.forced)):
        raise Malformed("note and reason have at most 2000 letters")


def _kept(row: Row[Any]) -> KeptPolicy:
    return KeptPolicy(from_plain(Policy, row.policy), row.by, row.at)
