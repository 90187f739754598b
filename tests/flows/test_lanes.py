"""A lane and its reading process: what dies, hangs or lies is survived and explained."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from flows import isolation, lanes
from flows.completion import complete
from flows.ingest import give_up, read_in
from flows.isolation import Interrupted, ReadingProcess
from flows.lanes import Lane
from flows.services import Services, prepare_services
from flows.verification import verify_slide
from storage import intake, leases
from storage.catalogue import get_slide
from storage.database import Database
from storage.errors import Damaged, ReaderCrashed, SvartidError, TookTooLong, Transient
from storage.records.intake import Intake, IntakeState
from storage.settings import read_settings
from tests.flows.work import claim, deliver, finish, state_of

S = IntakeState
BOTH = (S.RECEIVED, S.READY)
_FAKE = """
import os, signal, sys, time
sys.path.insert(0, {root!r})
{before}
from flows import worker
from flows.ingest import STAGES
{after}
raise SystemExit(worker.main())
"""


def plain(row: Intake, work: Callable[[], None]) -> None:
    """Reports to nobody."""
    work()


@contextmanager
def running(lane: Lane) -> Iterator[threading.Thread]:
    stop = threading.Event()
    thread = threading.Thread(target=lane.run, args=(stop,))
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(timeout=20)
        assert not thread.is_alive()


def lane_of(services: Services, report: lanes.Report = plain) -> Lane:
    return Lane(services, "here:test", BOTH, report, first_pause=0.05)


def wait_for(services: Services, row: Intake, *states: IntakeState, within: float = 30) -> Intake:
    until = time.monotonic() + within
    while state_of(services, row) not in states:
        assert time.monotonic() < until, f"{state_of(services, row)}, not {states}"
        time.sleep(0.02)
    return intake.get(services.database, row.intake_id)


def fake_worker(monkeypatch: pytest.MonkeyPatch, after: str, before: str = "") -> None:
    """A real reading process, but with something changed in it."""
    root = str(Path(__file__).resolve().parents[2])
    script = _FAKE.format(root=root, before=before, after=after)

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", script]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(isolation, "_start", start)


def stage(body: str) -> str:
    """Source that replaces phase one."""
    lines = "\n    ".join(["def stage(services, intake_id, progress):", *body.splitlines()])
    return f"{lines}\nSTAGES['reading'] = stage"


@pytest.fixture
def process(services: Services) -> Iterator[ReadingProcess]:
    made = ReadingProcess()
    yield made
    made.stop()


def run(process: ReadingProcess, row: Intake, limit: float = 30, every: float = 0.1) -> None:
    process.run(row, limit, every, lambda: True)


def claimed(services: Services, slide: Path) -> Intake:
    return claim(services, deliver(services, slide), S.RECEIVED)


def test_a_slide_goes_through_both_phases(services: Services, tiny_svs: Path) -> None:
    row = deliver(services, tiny_svs)
    with running(lane_of(services)):
        assert wait_for(services, row, S.COMPLETE).reason is None
    assert verify_slide(services, get_slide(services.database, row.slide_id))[1] == []


def test_killed_once_is_done_by_the_next_try(
    services: Services, tiny_svs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "died"
    after = "read_in = STAGES['reading']\n" + stage(
        f"if not os.path.exists({str(mark)!r}):\n"
        f"    open({str(mark)!r}, 'w').close()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "read_in(services, intake_id, progress)"
    )
    fake_worker(monkeypatch, after)
    row = deliver(services, tiny_svs)
    with running(lane_of(services)):
        wait_for(services, row, S.COMPLETE)
    assert mark.exists()


def test_a_reader_that_crashes_each_time(
    services: Services, tiny_svs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_worker(monkeypatch, stage("os.kill(os.getpid(), signal.SIGSEGV)"))
    row = deliver(services, tiny_svs)
    with running(lane_of(services)):
        ended = wait_for(services, row, S.QUARANTINED)
    assert (ended.reason, ended.attempts) == ("reader_crashed", 3)
    assert (services.layout.quarantine / row.fingerprint).is_dir()


def test_a_stop_in_good_order_is_no_crash(
    services: Services, tiny_svs: Path, process: ReadingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_worker(monkeypatch, stage("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)"))
    row = claimed(services, tiny_svs)
    for _ in range(4):
        with pytest.raises(Interrupted):
            run(process, row)


def test_a_worker_killed_while_idle_is_replaced(
    services: Services, tiny_svs: Path, process: ReadingProcess
) -> None:
    row = claimed(services, tiny_svs)
    process.warm_up()
    assert process._process is not None
    os.kill(process._process.pid, signal.SIGKILL)
    process._process.wait()
    run(process, row)
    assert state_of(services, row) is S.READY


def test_the_reading_process_outlives_the_thread_that_needed_it(process: ReadingProcess) -> None:
    """Linux ends a child with the thread, not only with the process, that started it."""
    thread = threading.Thread(target=process.warm_up)
    thread.start()
    thread.join()
    assert process._process is not None
    with pytest.raises(subprocess.TimeoutExpired):
        process._process.wait(timeout=2)


def test_the_time_limit(
    services: Services, tiny_svs: Path, process: ReadingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_worker(monkeypatch, stage("time.sleep(60)"))
    row = claimed(services, tiny_svs)
    process.warm_up()
    with pytest.raises(TookTooLong):
        run(process, row, limit=1.0)
    assert process._process is None  # stopped: nothing goes on in the background


def test_half_an_answer_does_not_hang(
    services: Services, tiny_svs: Path, process: ReadingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = "answers = os.dup(1)"
    fake_worker(monkeypatch, stage("os.write(answers, b'{'); time.sleep(60)"), before)
    row = claimed(services, tiny_svs)
    with pytest.raises(TookTooLong):
        run(process, row, limit=2.0)


@pytest.mark.parametrize("noise", ["print('{}')", "os.write(1, b'{}\\n')", "os.system('echo {}')"])
def test_what_libraries_print_is_no_answer(
    services: Services,
    tiny_svs: Path,
    process: ReadingProcess,
    monkeypatch: pytest.MonkeyPatch,
    noise: str,
) -> None:
    error = "from storage.errors import Damaged; raise Damaged('at the end')"
    fake_worker(monkeypatch, stage(f"{noise}\n{error}"))
    row = claimed(services, tiny_svs)
    with pytest.raises(Damaged, match="at the end"):
        run(process, row)


def test_nonsense_for_an_answer_is_a_crash(
    services: Services, tiny_svs: Path, process: ReadingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = "answers = os.dup(1)"
    fake_worker(monkeypatch, stage("os.write(answers, b'nonsense\\n'); time.sleep(60)"), before)
    row = claimed(services, tiny_svs)
    for _ in range(2):
        with pytest.raises(Transient):
            run(process, row)
    with pytest.raises(ReaderCrashed):
        run(process, row)


def test_the_memory_limit(
    services: Services, tiny_svs: Path, process: ReadingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVARTID_READ_LIMIT_MB", "200")
    fake_worker(monkeypatch, stage("import numpy; numpy.ones(500_000_000, 'u1')"))
    row = claimed(services, tiny_svs)
    with pytest.raises(SvartidError) as caught:
        run(process, row)
    assert caught.value.code == "too_large"


def test_a_lost_lease_stops_the_work(
    services: Services, tiny_svs: Path, process: ReadingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_worker(monkeypatch, stage("time.sleep(60)"))
    row = claimed(services, tiny_svs)
    with pytest.raises(Transient):
        process.run(row, 30, 0.1, lambda: False)
    assert process._process is None


def test_a_lease_that_cannot_be_renewed_is_no_reason_to_stop(
    services: Services, tiny_svs: Path, process: ReadingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the answer is never taken for that of the next slide."""
    fake_worker(monkeypatch, "read_in = STAGES['reading']\n" + stage(
        "time.sleep(0.5)\nread_in(services, intake_id, progress)"))  # fmt: skip
    row = claimed(services, tiny_svs)

    def away() -> bool:
        raise Transient("the database is away")

    process.run(row, 30, 0.1, away)
    assert state_of(services, row) is S.READY


def test_two_at_work_on_one_slide_do_no_harm(services: Services, tiny_svs: Path) -> None:
    """A worker that lost its lease without knowing keeps the original's lock."""
    row = claimed(services, tiny_svs)
    descriptor = os.open(services.layout.originals / row.fingerprint, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        leases.give_back(services.database, row.intake_id)
        with running(lane_of(services)):
            time.sleep(0.5)
            assert state_of(services, row) is not S.READY
            os.close(descriptor)
            descriptor = -1
            wait_for(services, row, S.COMPLETE)
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def test_a_lane_never_dies(services: Services, tiny_svs: Path) -> None:
    errors = [OSError(5, "disk"), RuntimeError("what"), KeyError("x"), Transient("busy")]

    def failing(row: Intake, work: Callable[[], None]) -> None:
        if errors:
            leases.give_back(services.database, row.intake_id)
            raise errors.pop()
        work()

    row = deliver(services, tiny_svs)
    with running(lane_of(services, failing)) as thread:
        wait_for(services, row, S.COMPLETE)
        assert thread.is_alive()
    assert not errors


def test_a_lane_waits_longer_while_the_database_is_away(
    services: Services, tiny_svs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    class Away(Database):
        def reading(self) -> object:  # type: ignore[override]
            nonlocal tries
            tries += 1
            raise Transient("away")

    away = replace(services, database=Away(services.settings.database_url))
    with running(lane_of(away)):
        time.sleep(2.5)
    assert 2 <= tries <= 6


def test_what_is_never_ready_ends_as_failed(
    services: Services, tiny_svs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_worker(monkeypatch, stage("raise OSError(5, 'Input/output error')"))
    row = deliver(services, tiny_svs)
    began = time.monotonic()
    with running(lane_of(services)):
        ended = wait_for(services, row, S.FAILED)
    assert ended.attempts == lanes.MOST_TRIES
    assert "Input/output" in (ended.detail or "")
    assert time.monotonic() - began > 0.05 * (2 ** (lanes.MOST_TRIES - 1) - 1)  # pauses grew
    assert (services.layout.originals / row.fingerprint).is_dir()


def test_a_full_disk_then_space_again(
    small_disk: Path, painted_svs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SVARTID_DATA", str(small_disk / "data"))
    monkeypatch.setenv("SVARTID_DATABASE_URL", f"sqlite:///{small_disk.parent}/outside.sqlite")
    services = prepare_services(read_settings())
    row = deliver(services, painted_svs)
    ballast = small_disk / "ballast"
    free = shutil.disk_usage(small_disk).free
    ballast.write_bytes(bytes(max(free - 40_000, 0)))
    with running(lane_of(services)):
        ended = wait_for(services, row, S.FAILED)
        assert (ended.reason, ended.attempts) == ("no_space", 1)
        assert not list(services.layout.staging.iterdir())
        ballast.unlink()
        intake.try_again(services.database, row.intake_id, "ops")
        wait_for(services, row, S.COMPLETE, S.FAILED)
    assert state_of(services, row) is S.COMPLETE
    services.database.dispose()


def test_a_failed_second_phase_leaves_the_slide_and_resumes_there(
    services: Services, tiny_svs: Path
) -> None:
    row = claimed(services, tiny_svs)
    read_in(services, row.intake_id)
    folder = services.pyramids.path(row.slide_id)
    inode = (folder / "0" / "zarr.json").stat().st_ino
    claim(services, row, S.READY)
    shard = folder / "0" / "c" / "0" / "0" / "0"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1] + b"!")
    with pytest.raises(SvartidError) as caught:
        complete(services, row.intake_id)
    assert give_up(services, row.intake_id, caught.value) is S.FAILED
    assert give_up(services, row.intake_id, Damaged("again")) is S.FAILED
    assert get_slide(services.database, row.slide_id).complete_at is None
    assert (services.layout.originals / row.fingerprint).is_dir()
    shard.write_bytes(content)
    again = intake.try_again(services.database, row.intake_id, "ops")
    assert again.state is S.READY
    claim(services, row, S.READY)
    complete(services, row.intake_id)
    assert (folder / "0" / "zarr.json").stat().st_ino == inode  # phase one was not done again
    assert verify_slide(services, get_slide(services.database, row.slide_id))[1] == []


def test_reading_in_again_touches_nothing_that_is_open(services: Services, tiny_svs: Path) -> None:
    slide = finish(services, tiny_svs)
    (row,) = intake.listing(services.database)
    folder = services.pyramids.path(slide.slide_id)
    before = {path: path.stat().st_ino for path in folder.rglob("*")}
    read_in(services, row.intake_id)
    complete(services, row.intake_id)
    assert {path: path.stat().st_ino for path in folder.rglob("*")} == before
