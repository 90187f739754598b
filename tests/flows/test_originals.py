"""Taking over: whole or not at all, the same bytes once, whatever the names."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import originals
from flows.bundles import bundles_at
from flows.housekeeping import remove_litter
from flows.originals import (
    Bundle,
    fingerprint_of,
    original_path,
    safe_name,
    set_aside,
    take_back,
    take_over,
)
from flows.services import Services
from storage import intake
from storage.errors import ChangedWhileRead, NoSpace, SlideError, Transient
from storage.layout import Layout
from tests.flows.work import deliver, files_below

ODD_NAMES = (
    "new\nline.svs",
    "..",
    "...svs",
    "å\u202e漢字.svs",
    "x" * 300 + ".svs",
    "a\\b.svs",
    " ",
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "data").create()


def one(path: Path) -> Bundle:
    return Bundle(path.name, path.parent, (path,))


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("move", [False, True])
def test_one_file(layout: Layout, tmp_path: Path, move: bool) -> None:
    source = tmp_path / "a.svs"
    source.write_bytes(b"tissue" * 1000)
    taken = take_over(layout, one(source), move=move)
    assert (taken.fingerprint, taken.bytes) == (sha(b"tissue" * 1000), 6000)
    kept = original_path(layout, taken.fingerprint)
    assert kept.name == "a.svs"
    assert fingerprint_of(kept) == taken.fingerprint
    assert source.read_bytes() == kept.read_bytes()
    assert not files_below(layout.staging)


def test_a_moved_delivery_is_gone_when_its_row_is_there(services: Services, tmp_path: Path) -> None:
    source = tmp_path / "a.svs"
    source.write_bytes(b"tissue")
    inode = source.stat().st_ino
    row = deliver(services, source, move=True)
    assert not source.exists()
    assert original_path(services.layout, row.fingerprint).stat().st_ino == inode  # not copied


def test_a_file_with_another_name_outside_is_copied(services: Services, tmp_path: Path) -> None:
    """Whoever has the other name could change the original."""
    source, archive = tmp_path / "a.svs", tmp_path / "archive.svs"
    source.write_bytes(b"tissue")
    os.link(source, archive)
    row = deliver(services, source, move=True)
    archive.write_bytes(b"other!")
    assert original_path(services.layout, row.fingerprint).read_bytes() == b"tissue"


def test_moving_across_file_systems(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    source = tmp_path / "a.svs"
    source.write_bytes(b"tissue")
    row = deliver(services, source, move=True)
    assert not source.exists()
    assert original_path(services.layout, row.fingerprint).read_bytes() == b"tissue"


@pytest.mark.parametrize("move", [False, True])
def test_the_same_bytes_twice(services: Services, tmp_path: Path, move: bool) -> None:
    rows = []
    for name in ("a.svs", "b.svs"):
        (tmp_path / name).write_bytes(b"tissue")
        rows.append(deliver(services, tmp_path / name, move=move))
    assert rows[0].intake_id == rows[1].intake_id
    assert [path.name for path in files_below(services.layout.originals)] == ["a.svs"]
    assert not list(services.layout.staging.iterdir())


def test_many_at_once_are_one_original(services: Services, tmp_path: Path) -> None:
    source = tmp_path / "a.svs"
    source.write_bytes(os.urandom(2_000_000))
    begin = threading.Barrier(6)

    def go(_: int) -> str:
        begin.wait()
        return deliver(services, source).intake_id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(go, range(6)))) == 1
    assert len(files_below(services.layout.originals)) == 1
    assert not list(services.layout.staging.iterdir())


@pytest.mark.parametrize("move", [False, True])
def test_a_file_that_grows_meanwhile(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, move: bool
) -> None:
    """Somebody appends between the first look and the last byte."""
    source = tmp_path / "a.svs"
    source.write_bytes(b"tissue")
    hashing = hashlib.sha256

    def growing(*content: bytes) -> object:
        with source.open("ab") as more:
            more.write(b"!")
        return hashing(*content)

    monkeypatch.setattr(hashlib, "sha256", growing)
    monkeypatch.setattr(hashlib, "file_digest", lambda file, _: growing(file.read()))
    with pytest.raises(ChangedWhileRead):
        take_over(layout, one(source), move=move)
    assert source.exists()
    assert not files_below(layout.originals)
    assert not list(layout.staging.iterdir())


def test_a_file_that_is_gone_or_not_a_file(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("nothing.svs", "folder"):
        with pytest.raises(SlideError):
            take_over(layout, one(tmp_path / name), move=False)
    assert not list(layout.staging.iterdir())


def test_no_space(small_disk: Path, tmp_path: Path) -> None:
    layout = Layout(small_disk / "data").create()
    source = tmp_path / "large.svs"
    source.write_bytes(bytes(8_000_000))
    with pytest.raises(NoSpace):
        take_over(layout, one(source), move=True)
    assert source.stat().st_size == 8_000_000
    assert not files_below(layout.root)


def test_odd_names(services: Services, tmp_path: Path) -> None:
    for number, name in enumerate(ODD_NAMES):
        folder = tmp_path / str(number)
        folder.mkdir()
        source = folder / "as-delivered.svs"
        source.write_bytes(name.encode())
        bundle = Bundle(safe_name(name), folder, (source,))
        taken = take_over(services.layout, bundle, move=False)
        assert original_path(services.layout, taken.fingerprint).is_file()
    assert len(list(services.layout.originals.iterdir())) == len(ODD_NAMES)


def test_odd_names_on_disk(services: Services, tmp_path: Path) -> None:
    for number, name in enumerate((b"new\nline.svs", b"not-utf8-\xff.svs", "漢字.svs".encode())):
        source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        source.write_bytes(bytes([number]))
        row = deliver(services, source, move=True)
        assert intake.get(services.database, row.intake_id).name.isprintable()
        assert original_path(services.layout, row.fingerprint).name.isprintable()


@given(st.text(max_size=400))
def test_a_safe_name_is_safe(name: str) -> None:
    safe = safe_name(name)
    assert safe.isprintable()
    assert not set(safe) & set("/\\\0")
    assert safe not in ("", ".", "..")
    assert not safe.startswith(".")
    assert len(safe.encode()) <= 200


def test_names_that_become_one(layout: Layout, tmp_path: Path) -> None:
    files = tuple(tmp_path / name for name in ("a\n.dcm", "a\t.dcm", "a_.dcm"))
    for number, file in enumerate(files):
        file.write_bytes(bytes([number]))
    taken = take_over(layout, Bundle("series", tmp_path, files), move=True)
    kept = original_path(layout, taken.fingerprint)
    assert sorted(path.read_bytes() for path in files_below(kept)) == [b"\0", b"\1", b"\2"]


def test_links_in_a_folder_are_not_followed(tmp_path: Path, tiny_svs: Path) -> None:
    folder = tmp_path / "delivery"
    (folder / "deep").mkdir(parents=True)
    (tmp_path / "secret.svs").write_bytes(tiny_svs.read_bytes())
    shutil.copyfile(tiny_svs, folder / "deep" / "real.svs")
    (folder / "link.svs").symlink_to(tmp_path / "secret.svs")
    (folder / "round").symlink_to(folder)
    assert [bundle.files for bundle in bundles_at(folder)] == [(folder / "deep" / "real.svs",)]


def test_a_series_is_its_bytes_not_its_names(
    layout: Layout, tmp_path: Path, tiny_dicom: Path
) -> None:
    files = files_below(tiny_dicom)
    assert len(files) > 1
    other = tmp_path / "other"
    other.mkdir()
    for number, file in enumerate(reversed(files)):
        shutil.copyfile(file, other / f"{number}.dcm")
    (first,), (second,) = bundles_at(tiny_dicom), bundles_at(other)
    taken = take_over(layout, first, move=False)
    assert take_over(layout, second, move=False) == taken
    assert take_over(layout, Bundle("x", other, second.files[::-1]), move=False) == taken
    kept = original_path(layout, taken.fingerprint)
    assert kept.is_dir()
    assert fingerprint_of(kept) == taken.fingerprint


def test_quarantine_and_back(layout: Layout, tmp_path: Path) -> None:
    source = tmp_path / "a.svs"
    source.write_bytes(b"junk")
    taken = take_over(layout, one(source), move=False)
    set_aside(layout, taken.fingerprint)
    assert original_path(layout, taken.fingerprint).parent.parent == layout.quarantine
    take_over(layout, one(source), move=False)  # delivered again: there twice for a moment
    take_back(layout, taken.fingerprint)
    assert original_path(layout, taken.fingerprint).parent.parent == layout.originals
    assert not list(layout.quarantine.iterdir())
    shutil.rmtree(layout.originals / taken.fingerprint)
    with pytest.raises(Transient):
        original_path(layout, taken.fingerprint)


@pytest.mark.parametrize("moment", ["_hash", "_settle", "submit", "let_go"])
def test_killed_while_a_series_is_taken_over(
    services: Services, tmp_path: Path, tiny_dicom: Path, moment: str
) -> None:
    """Wherever it is killed: delivered again it is one slide, whole, and nothing lies about."""
    source = tmp_path / "series"
    shutil.copytree(tiny_dicom, source)
    whole = deliver(services, tiny_dicom).fingerprint  # what the series is
    shutil.rmtree(services.layout.originals / whole)
    script = f"""
import os, signal
from pathlib import Path
from flows import originals, receive
from flows.services import open_services
from storage import intake
from storage.settings import read_settings
from tests.flows.work import deliver
def die(*_, **__):
    if {moment!r} == "let_go":
        next(Path({str(source)!r}).iterdir()).unlink()
    os.kill(os.getpid(), signal.SIGKILL)
for module in (originals, receive, intake):
    if hasattr(module, {moment!r}):
        setattr(module, {moment!r}, die)
deliver(open_services(read_settings()), Path({str(source)!r}), move=True)
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == -9
    remove_litter(services)
    assert not list(services.layout.staging.iterdir())
    row = deliver(services, source, move=True)
    assert row.fingerprint == whole
    assert not list(source.iterdir())
    assert [folder.name for folder in services.layout.originals.iterdir()] == [whole]
    assert fingerprint_of(original_path(services.layout, whole)) == whole


def test_litter_of_the_living_is_left_alone(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a.svs"
    source.write_bytes(b"tissue")
    settle = originals._settle

    def tidied_meanwhile(staging: Path, target: Path) -> None:
        remove_litter(services)
        settle(staging, target)

    monkeypatch.setattr(originals, "_settle", tidied_meanwhile)
    assert deliver(services, source).fingerprint == sha(b"tissue")
    assert len(files_below(services.layout.originals)) == 1
