"""The watch folder: taken over when whole, never before, and nothing stops the next file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows import watch
from flows.isolation import ReadingProcess
from flows.services import Services
from flows.watch import WatchFolder
from processing.readers import open_slide
from storage import intake
from storage.errors import SlideError
from storage.records.intake import Intake, IntakeState, Source
from tests.flows.work import claim, files_below

SETTLE = 0.2
"""As the services of these tests are set."""


class Opener:
    """Opens in this process: quick, for files that do no harm."""

    def opens(self, path: Path, limit: float) -> bool:
        try:
            with open_slide(path):
                return True
        except SlideError:
            return False


@pytest.fixture
def folder(services: Services) -> WatchFolder:
    return WatchFolder(services, services.layout.incoming, Source.WATCH, Opener())


@pytest.fixture
def incoming(services: Services) -> Path:
    return services.layout.incoming


def rows(folder: WatchFolder) -> list[Intake]:
    return intake.listing(folder.services.database)


def look_until(folder: WatchFolder, count: int, within: float = 5.0) -> float:
    """Look until so many were taken over; seconds it took."""
    began, taken = time.monotonic(), 0
    while taken < count:
        assert time.monotonic() - began < within, f"{taken} of {count} taken over"
        taken += folder.look()
        time.sleep(0.02)
    return time.monotonic() - began


def test_renamed_into_place_is_taken_at_the_next_look(
    folder: WatchFolder, incoming: Path, tiny_svs: Path
) -> None:
    part = incoming / "a.svs.part"
    shutil.copyfile(tiny_svs, part)
    assert folder.look() == 0
    time.sleep(SETTLE * 1.5)
    assert folder.look() == 0  # however long it stands still
    part.rename(incoming / "a.svs")
    assert folder.look() == 1
    assert not list(incoming.iterdir())


def test_moved_in_from_elsewhere_with_its_old_time(
    folder: WatchFolder, incoming: Path, tiny_svs: Path
) -> None:
    shutil.copyfile(tiny_svs, incoming / ".hidden")
    os.utime(incoming / ".hidden", (1e9, 1e9))
    (incoming / ".hidden").rename(incoming / "a.svs")
    assert folder.look() == 1


def test_written_slowly(folder: WatchFolder, incoming: Path, tiny_svs: Path) -> None:
    content = tiny_svs.read_bytes()
    with (incoming / "a.svs").open("wb") as file:
        for start in range(0, len(content), len(content) // 8 + 1):
            file.write(content[start : start + len(content) // 8 + 1])
            file.flush()
            assert folder.look() == 0
            time.sleep(SETTLE / 4)
    assert look_until(folder, 1) > SETTLE / 2
    assert rows(folder)[0].bytes == len(content)


def test_written_with_a_long_pause(folder: WatchFolder, incoming: Path, tiny_svs: Path) -> None:
    """It stands still, but does not open: that is not yet a reason to judge it."""
    content = tiny_svs.read_bytes()
    (incoming / "a.svs").write_bytes(content[: len(content) // 2])
    until = time.monotonic() + SETTLE * 4
    while time.monotonic() < until:
        assert folder.look() == 0
        time.sleep(0.02)
    (incoming / "a.svs").write_bytes(content)
    look_until(folder, 1)
    assert rows(folder)[0].bytes == len(content)


def test_announced_by_a_sidecar(folder: WatchFolder, incoming: Path, tiny_svs: Path) -> None:
    shutil.copyfile(tiny_svs, incoming / "a.svs")
    (incoming / "a.svs.done").touch()
    assert folder.look() == 1
    assert not list(incoming.iterdir())


def test_dicom_files_that_come_one_by_one_are_one_slide(
    folder: WatchFolder, incoming: Path, tiny_dicom: Path
) -> None:
    files = files_below(tiny_dicom)
    (incoming / "series").mkdir()
    for file in files:
        part = incoming / "series" / f"{file.name}.part"
        shutil.copyfile(file, part)
        folder.look()
        part.rename(incoming / "series" / file.name)
        assert folder.look() == 0
        time.sleep(SETTLE / 3)
    look_until(folder, 1)
    (row,) = rows(folder)
    assert row.bytes == sum(file.stat().st_size for file in files)
    assert not list(incoming.iterdir())


@pytest.mark.parametrize("content", [b"", b"not a slide at all", b"II*\0" + bytes(500)])
def test_junk_is_judged_when_patience_ends(
    folder: WatchFolder, incoming: Path, content: bytes
) -> None:
    (incoming / "junk.svs").write_bytes(content)
    assert look_until(folder, 1) > SETTLE * 5
    assert rows(folder)[0].state is IntakeState.RECEIVED


def test_a_file_without_a_suffix_or_magic_waits_for_what_lies_beside_it(
    folder: WatchFolder, incoming: Path
) -> None:
    """A MIRAX slide's folder comes before its .mrxs: its parts are not junk meanwhile."""
    (incoming / "slide").mkdir()
    until, number = time.monotonic() + SETTLE * 14, 0
    while time.monotonic() < until:
        number += 1
        (incoming / "slide" / f"Data{number:04}.dat").write_bytes(b"x" * 1000)
        assert folder.look() == 0
        time.sleep(SETTLE / 2)
    assert len(files_below(incoming)) == number


def test_links_are_removed_never_followed(
    folder: WatchFolder, incoming: Path, tmp_path: Path, tiny_svs: Path
) -> None:
    (tmp_path / "outside").mkdir()
    shutil.copyfile(tiny_svs, tmp_path / "outside" / "secret.svs")
    (incoming / "link.svs").symlink_to(tmp_path / "outside" / "secret.svs")
    (incoming / "folder").symlink_to(tmp_path / "outside")
    (incoming / "nowhere").symlink_to(tmp_path / "nothing")
    (incoming / "deep").mkdir()
    (incoming / "deep" / "round").symlink_to(incoming)
    assert folder.look() == 0
    assert [path.name for path in incoming.rglob("*")] == ["deep"]
    assert (tmp_path / "outside" / "secret.svs").exists()
    assert rows(folder) == []


@pytest.mark.parametrize("step", ["lstat", "grouped", "opened", "taken"])
def test_what_vanishes_meanwhile_stops_nobody(
    folder: WatchFolder,
    incoming: Path,
    tiny_svs: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    """A folder is taken away in the middle of a look; the file beside it is taken over."""
    going = incoming / "going"
    going.mkdir()
    for place in (going / "a.svs", incoming / "stays.svs"):
        shutil.copyfile(tiny_svs, place)
        os.utime(place, (1e9, 1e9))
    (going / "a.svs").write_bytes(tiny_svs.read_bytes() + b"!")

    def first(call: Callable[..., object]) -> Callable[..., object]:
        def vanishing(*arguments: object, **more: object) -> object:
            shutil.rmtree(going, ignore_errors=True)
            return call(*arguments, **more)

        return vanishing

    if step == "lstat":
        monkeypatch.setattr(watch, "_entries", first(watch._entries))
    elif step == "grouped":
        monkeypatch.setattr(watch, "bundle_files", first(watch.bundle_files))
    elif step == "opened":
        monkeypatch.setattr(folder.opener, "opens", first(folder.opener.opens))
    else:
        monkeypatch.setattr(watch, "receive", first(watch.receive))
    look_until(folder, 1)
    assert [row.name for row in rows(folder)] == ["stays.svs"]


def test_the_same_file_twice(folder: WatchFolder, incoming: Path, tiny_svs: Path) -> None:
    for name in ("a.svs", "b.svs"):
        shutil.copyfile(tiny_svs, incoming / name)
    look_until(folder, 2)
    assert len(rows(folder)) == 1
    assert not list(incoming.iterdir())


def test_what_cannot_be_taken_waits_without_a_storm(
    folder: WatchFolder, incoming: Path, tiny_svs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    def refuse(*_: object, **__: object) -> None:
        nonlocal tries
        tries += 1
        raise SlideError("no")

    monkeypatch.setattr(watch, "receive", refuse)
    shutil.copyfile(tiny_svs, incoming / "a.svs")
    (incoming / "a.svs.done").touch()
    for _ in range(20):
        assert folder.look() == 0
    assert tries == 1
    assert (incoming / "a.svs").exists()


@pytest.fixture
def reading_process(services: Services) -> Iterator[ReadingProcess]:
    process = ReadingProcess()
    yield process
    process.stop()


def test_opening_happens_in_another_process(
    reading_process: ReadingProcess, tiny_svs: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "hangs")
    (tmp_path / "junk.svs").write_bytes(b"junk")
    assert reading_process.opens(tiny_svs, 30)
    assert not reading_process.opens(tmp_path / "junk.svs", 30)
    assert not reading_process.opens(tmp_path / "nothing", 30)
    began = time.monotonic()
    assert not reading_process.opens(tmp_path / "hangs", 0.5)
    assert time.monotonic() - began < 3
    assert reading_process.opens(tiny_svs, 30)


def test_a_real_watch_process(services: Services, tiny_svs: Path) -> None:
    process = subprocess.Popen([sys.executable, "-m", "flows.watch"], stderr=subprocess.PIPE)
    try:
        incoming = services.layout.incoming
        part = incoming / "a.svs.part"
        shutil.copyfile(tiny_svs, part)
        (incoming / "junk").write_bytes(b"junk")
        assert process.stderr is not None
        while b"ready" not in (line := process.stderr.readline()):
            assert line, "the watch process ended"
        time.sleep(0.7)
        part.rename(incoming / "a.svs")
        until = time.monotonic() + 20
        while len(intake.listing(services.database)) < 2:
            assert time.monotonic() < until
            time.sleep(0.05)
        names = {row.name: row for row in intake.listing(services.database)}
        assert names.keys() == {"a.svs", "junk"}
        claim(services, names["junk"], IntakeState.RECEIVED)
    finally:
        process.terminate()
        process.communicate(timeout=20)
