"""The intake table against a model of it: whatever is called in whatever order."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from storage import catalogue, intake, leases
from storage.database import Database
from storage.errors import Damaged, NoSpace, NotFound, Refused, SvartidError, Transient
from storage.events import history
from storage.records.intake import CLAIMABLE, IntakeState
from storage.tables import intake as intake_table
from tests.databases import fresh_database
from tests.storage.samples import DONE, delivery, fingerprint, pyramid

NAMES, OWNERS = ("a", "b", "c"), ("one", "two")
S = IntakeState
WORKING = {S.READING: S.RECEIVED, S.COMPLETING: S.READY}
ENDED = (S.QUARANTINED, S.FAILED)
names, owners = st.sampled_from(NAMES), st.sampled_from(OWNERS)


@dataclass
class Known:
    """What the model says of one row."""

    intake_id: str
    state: IntakeState
    events: list[str]
    owner: str | None = None
    attempts: int = 0
    progress: tuple[int, int] = (0, 0)
    readable: bool = False


class IntakeMachine(RuleBasedStateMachine):
    """Every call is made on the table and on the model; after each they agree."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        with self.database.transaction() as connection:
            for table in ("event", "slide", "intake"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
        self.rows: dict[str, Known] = {}

    def row(self, name: str) -> Known | None:
        return self.rows.get(name)

    @rule(name=names)
    def submit(self, name: str) -> None:
        row, new = intake.submit(self.database, delivery(name))
        known = self.rows.get(name)
        if known is None:
            assert new
            self.rows[name] = Known(row.intake_id, S.RECEIVED, ["SlideReceived"])
            return
        assert row.intake_id == known.intake_id
        assert new == (known.state in ENDED)
        if new:
            self.restart(known, "IntakeDeliveredAgain")

    def restart(self, known: Known, kind: str) -> None:
        known.state = S.READY if known.readable else S.RECEIVED
        known.owner, known.attempts = None, 0
        known.events.append(kind)

    @rule(owner=owners, wanted=st.sampled_from([(S.RECEIVED,), (S.READY,), tuple(CLAIMABLE)]))
    def claim(self, owner: str, wanted: tuple[IntakeState, ...]) -> None:
        waiting = [known for known in self.rows.values() if known.state in wanted]
        assert leases.waiting(self.database, wanted) == bool(waiting)
        row = leases.claim(self.database, owner, 60, wanted)
        assert (row is None) == (not waiting)
        if row is not None:
            (known,) = [known for known in waiting if known.intake_id == row.intake_id]
            known.state, known.owner = CLAIMABLE[known.state], owner
            known.attempts += 1
            assert row.state is known.state

    @precondition(lambda self: self.rows)
    @rule(name=names, owner=owners)
    def renew(self, name: str, owner: str) -> None:
        if known := self.row(name):
            kept = leases.renew(self.database, known.intake_id, owner, 60)
            assert kept == (known.state in WORKING and known.owner == owner)

    @precondition(lambda self: self.rows)
    @rule(name=names, done=st.integers(0, 9))
    def progress(self, name: str, done: int) -> None:
        if known := self.row(name):
            leases.progress(self.database, known.intake_id, done, 9)
            if known.state in WORKING:
                known.progress = (done, 9)

    @precondition(lambda self: self.rows)
    @rule(name=names, owner=st.one_of(st.none(), owners), counted=st.booleans())
    def give_back(self, name: str, owner: str | None, counted: bool) -> None:
        if known := self.row(name):
            leases.give_back(self.database, known.intake_id, owner, counted=counted)
            if known.state in WORKING and owner in (None, known.owner):
                known.state, known.owner = WORKING[known.state], None
                known.attempts -= not counted

    @rule(dead=owners)
    def release_abandoned(self, dead: str) -> None:
        left = [each for each in self.rows.values() if each.state in WORKING and each.owner == dead]
        assert leases.release_abandoned(self.database, lambda owner: owner != dead) == len(left)
        for known in left:
            known.state, known.owner = WORKING[known.state], None

    @precondition(lambda self: self.rows)
    @rule(name=names)
    def mark_ready(self, name: str) -> None:
        known = self.row(name)
        if known is None:
            return
        if known.state in ENDED:
            with pytest.raises(Refused):
                intake.mark_ready(self.database, known.intake_id, pyramid(name))
            return
        intake.mark_ready(self.database, known.intake_id, pyramid(name))
        if known.state in (S.RECEIVED, S.READING):
            known.state, known.owner, known.attempts = S.READY, None, 0
            known.readable = True
            known.events.append("SlideReady")

    @precondition(lambda self: self.rows)
    @rule(name=names)
    def mark_complete(self, name: str) -> None:
        known = self.row(name)
        if known is None:
            return
        if known.state not in (S.READY, S.COMPLETING, S.COMPLETE):
            with pytest.raises(Refused):
                intake.mark_complete(self.database, known.intake_id, DONE)
            return
        intake.mark_complete(self.database, known.intake_id, DONE)
        if known.state is not S.COMPLETE:
            known.state, known.owner, known.attempts = S.COMPLETE, None, 0
            known.events.append("PyramidCompleted")

    @precondition(lambda self: self.rows)
    @rule(name=names, error=st.sampled_from([Damaged("x"), NoSpace("x"), Transient("x")]))
    def mark_ended(self, name: str, error: SvartidError) -> None:
        known = self.row(name)
        if known is None:
            return
        state = intake.mark_ended(self.database, known.intake_id, error)
        if known.state in (*ENDED, S.COMPLETE):
            assert state is known.state
            return
        theirs = isinstance(error, Damaged) and not known.readable
        known.state, known.owner = S.QUARANTINED if theirs else S.FAILED, None
        known.events.append("SlideQuarantined" if theirs else "IntakeFailed")
        assert state is known.state

    @precondition(lambda self: self.rows)
    @rule(name=names)
    def try_again(self, name: str) -> None:
        known = self.row(name)
        if known is None:
            return
        if known.state not in ENDED:
            with pytest.raises(Refused):
                intake.try_again(self.database, known.intake_id, "ops")
            return
        kind = "IntakeRetried" if known.state is S.FAILED else "QuarantineReleased"
        intake.try_again(self.database, known.intake_id, "ops")
        self.restart(known, kind)

    @invariant()
    def agrees(self) -> None:
        with self.database.reading() as connection:
            stored = {row.fingerprint: row for row in connection.execute(sa.select(intake_table))}
        assert stored.keys() == {fingerprint(name) for name in self.rows}
        for name, known in self.rows.items():
            row = stored[fingerprint(name)]
            assert (row.state, row.owner) == (known.state.value, known.owner)
            assert (row.attempts, (row.done, row.total)) == (known.attempts, known.progress)
            assert (row.owner is not None) == (known.state in WORKING)
            assert (row.reason is not None) == (known.state in ENDED)

    @invariant()
    def catalogue_agrees(self) -> None:
        for name, known in self.rows.items():
            try:
                slide = catalogue.get_slide(self.database, fingerprint(name)[:20])
            except NotFound:
                assert not known.readable
            else:
                assert known.readable
                assert (slide.complete_at is not None) == (known.state is S.COMPLETE)

    @invariant()
    def history_tells_all(self) -> None:
        for name, known in self.rows.items():
            happened = history(self.database, f"slide:{fingerprint(name)[:20]}")
            assert [event.kind for event in happened] == known.events


def machine_on(database: Database) -> type[IntakeMachine]:
    return type("OnOneDatabase", (IntakeMachine,), {"database": database})


def few(examples: int) -> settings:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=slow
    )


def test_sqlite_agrees_with_the_model() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'svartid.sqlite'}")
        database.migrate()
        run_machine(machine_on(database), settings=few(80))
        database.dispose()


def test_postgresql_agrees_with_the_model(postgres: str) -> None:
    with fresh_database(postgres) as url:
        database = Database(url)
        database.migrate()
        run_machine(machine_on(database), settings=few(60))
        database.dispose()
