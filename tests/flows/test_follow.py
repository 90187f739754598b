"""The command's own way through the stages, and who counts as alive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import follow
from flows.follow import Follower
from flows.housekeeping import clean_up
from flows.liveness import Liveness, is_locked
from flows.services import Services
from storage import intake
from storage.database import Database
from storage.errors import Damaged, NoSpace, SvartidError, Transient
from storage.records.intake import ENDED, IntakeState
from tests.flows.work import claim, deliver, finish, state_of

S = IntakeState
_DIE_READING = """
import os, signal
from pathlib import Path
from flows import follow
from flows.services import open_services
from storage.records.intake import ENDED, IntakeState
from storage.settings import read_settings
follow.STAGES[IntakeState.READING] = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
services = open_services(read_settings())
with follow.Follower(services) as follower:
    follower.follow({intake_id!r}, ENDED, lambda *_: None)
"""


def quiet(*_: object) -> None:
    """Tells nobody."""


def failing(error: BaseException) -> Callable[..., None]:
    def stage(*_: object) -> None:
        raise error

    return stage


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (Damaged("x"), S.QUARANTINED, "damaged"),
        (NoSpace("x"), S.FAILED, "no_space"),
        (MemoryError(), S.QUARANTINED, "too_large"),
        (ZeroDivisionError(), S.FAILED, "internal"),
        (SvartidError("x"), S.FAILED, "internal"),
    ],
)
def test_every_error_ends_the_intake(
    services: Services,
    tiny_svs: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    state: IntakeState,
    reason: str,
) -> None:
    monkeypatch.setitem(follow.STAGES, S.READING, failing(error))
    row = deliver(services, tiny_svs)
    with Follower(services) as follower:
        ended = follower.follow(row.intake_id, ENDED, quiet)
    assert (ended.state, ended.reason, ended.attempts) == (state, reason, 1)


def test_what_is_not_ready_is_tried_a_few_times(
    services: Services, tiny_svs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_PAUSE", 0.05)
    monkeypatch.setitem(follow.STAGES, S.READING, failing(Transient("busy")))
    row = deliver(services, tiny_svs)
    with Follower(services) as follower:
        ended = follower.follow(row.intake_id, ENDED, quiet)
    assert (ended.state, ended.attempts) == (S.FAILED, 5)


def test_the_work_of_a_killed_command_goes_on(services: Services, tiny_svs: Path) -> None:
    row = deliver(services, tiny_svs)
    script = _DIE_READING.format(intake_id=row.intake_id)
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    assert state_of(services, row) is S.READING
    assert len(list(services.layout.run.glob("worker-*.lock"))) == 1
    with Follower(services) as follower:
        assert follower.follow(row.intake_id, ENDED, quiet).state is S.COMPLETE
    assert not list(services.layout.run.glob("worker-*.lock"))


def test_commands_beside_each_other_share_the_work(services: Services, tiny_svs: Path) -> None:
    row = deliver(services, tiny_svs)
    ended = []

    def go() -> None:
        with Follower(services) as follower:
            ended.append(follower.follow(row.intake_id, ENDED, quiet).state)

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert ended == [S.COMPLETE] * 4


def test_who_is_alive(tmp_path: Path) -> None:
    with Liveness(tmp_path) as me, Liveness(tmp_path) as other:
        assert me.is_alive(other.owner)
        assert me.is_alive(other.owner + "#a-claim")
        assert me.is_alive("elsewhere:0123456789ab")  # another machine: its lease decides
        gone = other.owner
    with Liveness(tmp_path) as me:
        assert not me.is_alive(gone)


def test_asking_twice_at_once_does_not_look_like_a_holder(tmp_path: Path) -> None:
    lock = tmp_path / "up.lock"
    lock.touch()
    held = 0

    def ask() -> None:
        nonlocal held
        held += sum(is_locked(lock) for _ in range(3000))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held == 0


def test_a_start_tidies_up_and_loses_nothing(services: Services, tiny_svs: Path) -> None:
    slide = finish(services, tiny_svs)
    layout = services.layout
    other = deliver(services, _junk(layout.root))
    open_draft = layout.staging / f"{other.slide_id}.pyramid"
    stray = layout.originals / ("f" * 64)
    for folder in (
        layout.staging / f"{slide.slide_id}.levels",
        layout.staging / "nobody.pyramid",
        layout.staging / "0123.original",
        layout.made / slide.slide_id,
        open_draft,
        stray,
    ):
        folder.mkdir()
    (stray / "lost.svs").write_bytes(b"received, but never entered")
    claim(services, other, S.RECEIVED)
    with Liveness(layout.run) as liveness:
        clean_up(services, liveness)
        assert [folder.name for folder in layout.staging.iterdir()] == [open_draft.name]
        assert not list(layout.made.iterdir())
        assert len(intake.listing(services.database)) == 2  # too fresh: its owner may be at it


def _junk(folder: Path) -> Path:
    path = folder / "junk.svs"
    path.write_bytes(b"junk")
    return path


@pytest.mark.parametrize("times", [1, 3])
def test_a_process_ends_with_its_parent(times: int) -> None:
    """Also when the parent dies before the child has got as far as Python."""
    script = """
import subprocess, sys, time
from flows.parent import bound
for _ in range(%d):
    child = subprocess.Popen(bound([sys.executable, "-c", "import time; time.sleep(60)"]))
    print(child.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script % times], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    children = [int(parent.stdout.readline()) for _ in range(times)]
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    for child in children:
        _wait_until_gone(child)


def _wait_until_gone(pid: int) -> None:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state in "ZX":
            return
        threading.Event().wait(0.05)
    raise AssertionError(f"process {pid} is still there")


def test_the_whole_way_on_either_database(
    services: Services, database: Database, tiny_svs: Path
) -> None:
    on_it = Services(services.settings, database, services.pyramids)
    slide = finish(on_it, tiny_svs)
    assert slide.complete_at is not None
    assert deliver(on_it, tiny_svs).state is S.COMPLETE
