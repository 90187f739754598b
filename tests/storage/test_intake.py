"""The intake table on both databases: leases, ends, second tries, what two do at once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage import intake, leases
from storage.catalogue import get_slide
from storage.database import Database
from storage.errors import Damaged, NoSpace, NotFound, Refused, TookTooLong
from storage.records.intake import IntakeState
from storage.records.slide import SlideMetadata
from tests.storage.samples import DONE, delivery, fingerprint, pyramid

READING = (IntakeState.RECEIVED,)
COMPLETING = (IntakeState.READY,)
BOTH = (IntakeState.RECEIVED, IntakeState.READY)

_CLAIM_ALL = """
import json, sys
from storage import intake, leases
from storage.database import Database
from storage.records.intake import IntakeState
database, owner, mine = Database(sys.argv[1]), sys.argv[2], []
print("ready", flush=True)
sys.stdin.readline()
while (row := leases.claim(database, owner, 60, (IntakeState.RECEIVED,))) is not None:
    mine.append(row.intake_id)
print(json.dumps(mine))
"""


def ready(database: Database, name: str) -> str:
    """A slide that has been through phase one; its intake's id."""
    row, _ = intake.submit(database, delivery(name))
    leases.claim(database, "first", 60, READING, row.intake_id)
    intake.mark_ready(database, row.intake_id, pyramid(name))
    return row.intake_id


def test_the_same_bytes_are_one_row(database: Database) -> None:
    row, new = intake.submit(database, delivery("a"))
    again, anew = intake.submit(database, delivery("a"))
    assert (new, anew, again.intake_id) == (True, False, row.intake_id)
    assert intake.counts(database) == {"received": 1}


def test_an_unknown_row_is_not_found(database: Database) -> None:
    for call in (intake.get, leases.give_back):
        with pytest.raises(NotFound):
            call(database, "nobody")


def test_the_oldest_is_claimed_first_and_only_once(database: Database) -> None:
    rows = [intake.submit(database, delivery(name))[0] for name in "abc"]
    claimed = [leases.claim(database, "one", 60, BOTH) for _ in range(4)]
    assert [row and row.intake_id for row in claimed] == [row.intake_id for row in rows] + [None]
    assert not leases.waiting(database, BOTH)


def test_a_claim_takes_only_what_is_wanted(database: Database) -> None:
    ready(database, "a")
    assert leases.claim(database, "one", 60, READING) is None
    row = leases.claim(database, "one", 60, COMPLETING)
    assert row is not None
    assert row.state is IntakeState.COMPLETING


def test_a_lease_belongs_to_one_owner(database: Database) -> None:
    row, _ = intake.submit(database, delivery("a"))
    leases.claim(database, "one", 60, READING)
    assert leases.renew(database, row.intake_id, "one", 60)
    assert not leases.renew(database, row.intake_id, "two", 60)
    leases.give_back(database, row.intake_id, "two")
    assert intake.get(database, row.intake_id).state is IntakeState.READING
    leases.give_back(database, row.intake_id, "one")
    assert not leases.renew(database, row.intake_id, "one", 60)


def test_a_row_given_back_waits_as_long_as_was_said(database: Database) -> None:
    row, _ = intake.submit(database, delivery("a"))
    leases.claim(database, "one", 60, READING)
    leases.give_back(database, row.intake_id, "one", wait=0.3)
    assert not leases.waiting(database, READING)
    assert leases.claim(database, "one", 60, READING) is None
    time.sleep(0.35)
    assert leases.waiting(database, READING)
    again = leases.claim(database, "one", 60, READING)
    assert again is not None
    assert again.attempts == 2


def test_a_try_that_does_not_count(database: Database) -> None:
    row, _ = intake.submit(database, delivery("a"))
    for _ in range(5):
        assert leases.claim(database, "one", 60, READING) is not None
        leases.give_back(database, row.intake_id, "one", counted=False)
    assert intake.get(database, row.intake_id).attempts == 0


@pytest.mark.parametrize("lease", [-1.0, 60.0])
def test_abandoned_work_is_given_back(database: Database, lease: float) -> None:
    """Because the lease ran out, or because its owner is known to be dead."""
    row, _ = intake.submit(database, delivery("a"))
    leases.claim(database, "one", lease, READING)
    assert leases.release_abandoned(database, lambda owner: lease < 0) == 1
    assert intake.get(database, row.intake_id).state is IntakeState.RECEIVED
    assert leases.release_abandoned(database, lambda owner: False) == 0
    assert leases.claim(database, "two", 60, READING) is not None


def test_work_under_a_living_lease_is_left_alone(database: Database) -> None:
    intake.submit(database, delivery("a"))
    leases.claim(database, "one", 60, READING)
    assert leases.release_abandoned(database, lambda owner: True) == 0


def test_a_second_phase_that_fails_leaves_the_slide(database: Database) -> None:
    intake_id = ready(database, "a")
    slide_id = intake.get(database, intake_id).slide_id
    leases.claim(database, "one", 60, COMPLETING)
    assert intake.mark_ended(database, intake_id, Damaged("a shard")) is IntakeState.FAILED
    assert get_slide(database, slide_id).complete_at is None
    assert intake.try_again(database, intake_id, "ops").state is IntakeState.READY
    leases.claim(database, "one", 60, COMPLETING)
    intake.mark_complete(database, intake_id, DONE)
    assert get_slide(database, slide_id).complete_at is not None


def test_delivering_again_is_a_second_try(database: Database) -> None:
    row, _ = intake.submit(database, delivery("a"))
    intake.mark_ended(database, row.intake_id, NoSpace("full"))
    again, new = intake.submit(database, delivery("a"))
    assert (again.intake_id, new, again.state) == (row.intake_id, True, IntakeState.RECEIVED)
    assert (again.reason, again.attempts) == (None, 0)


def test_what_has_ended_stays_as_it_ended(database: Database) -> None:
    intake_id = ready(database, "a")
    leases.claim(database, "one", 60, COMPLETING)
    intake.mark_complete(database, intake_id, DONE)
    assert intake.mark_ended(database, intake_id, TookTooLong("late")) is IntakeState.COMPLETE
    with pytest.raises(Refused):
        intake.try_again(database, intake_id, "ops")
    row, _ = intake.submit(database, delivery("b"))
    intake.mark_ended(database, row.intake_id, Damaged("nonsense"))
    with pytest.raises(Refused):
        intake.mark_ready(database, row.intake_id, pyramid("b"))
    with pytest.raises(NotFound):
        get_slide(database, row.slide_id)


def test_words_out_of_a_file_fit_any_database(database: Database) -> None:
    row, _ = intake.submit(database, delivery("a"))
    words = SlideMetadata("ven\0dor", scanner="\ud800", barcode="1\x002")
    intake.mark_ready(database, row.intake_id, pyramid("a", words))
    kept = get_slide(database, row.slide_id).metadata
    assert (kept.vendor, kept.barcode) == ("ven\N{REPLACEMENT CHARACTER}dor", "1\ufffd2")
    other, _ = intake.submit(database, delivery("b"))
    intake.mark_ended(database, other.intake_id, Damaged("at \0 \udcff\nhere"))
    assert intake.get(database, other.intake_id).detail == "at \ufffd \ufffd here"


def test_threads_claim_every_row_once(database: Database) -> None:
    rows = [intake.submit(database, delivery(str(number)))[0] for number in range(40)]
    begin = threading.Barrier(10)

    def claim_all(owner: int) -> list[str]:
        begin.wait()
        mine = []
        while (row := leases.claim(database, f"thread-{owner}", 60, READING)) is not None:
            mine.append(row.intake_id)
        return mine

    with ThreadPoolExecutor(10) as pool:
        claimed = [name for mine in pool.map(claim_all, range(10)) for name in mine]
    assert Counter(claimed) == Counter(row.intake_id for row in rows)


def test_processes_claim_every_row_once(database: Database) -> None:
    rows = [intake.submit(database, delivery(str(number)))[0] for number in range(30)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _CLAIM_ALL, database.url, f"process-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    claimed = list[str]()
    for process in processes:  # all wait at the line: none has begun before all are there
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        said, _ = process.communicate(timeout=60)
        claimed += json.loads(said)
    assert Counter(claimed) == Counter(row.intake_id for row in rows)


def test_one_file_submitted_by_many_at_once_is_one_row(database: Database) -> None:
    begin = threading.Barrier(8)

    def submit(_: int) -> tuple[str, bool]:
        begin.wait()
        row, new = intake.submit(database, delivery("same"))
        return row.intake_id, new

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(submit, range(8)))
    assert len({intake_id for intake_id, _ in results}) == 1
    assert sum(new for _, new in results) == 1
    assert intake.listing(database)[0].fingerprint == fingerprint("same")


def test_a_retry_by_many_at_once_is_one_retry(database: Database) -> None:
    row, _ = intake.submit(database, delivery("a"))
    intake.mark_ended(database, row.intake_id, NoSpace("full"))
    begin = threading.Barrier(6)

    def retry(_: int) -> bool:
        begin.wait()
        try:
            intake.try_again(database, row.intake_id, "ops")
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(retry, range(6))) == 1
