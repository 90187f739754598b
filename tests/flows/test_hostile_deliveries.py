"""Deliveries meant to harm: writers that stay, links and pipes in place of files, much junk."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from flows.bundles import bundles_at
from flows.isolation import ReadingProcess
from flows.originals import Bundle, take_over
from flows.services import Services
from flows.watch import WatchFolder
from storage import intake
from storage.errors import ChangedWhileRead, SlideError
from storage.layout import Layout
from storage.records.intake import Source


def one(path: Path) -> Bundle:
    return Bundle(path.name, path.parent, (path,))


def test_a_file_somebody_still_writes_is_not_linked(services: Services, tmp_path: Path) -> None:
    source = tmp_path / "a.svs"
    with source.open("wb") as writing:
        writing.write(b"tissue")
        writing.flush()
        with pytest.raises(ChangedWhileRead):
            take_over(services.layout, one(source), move=True)
    taken = take_over(services.layout, one(source), move=True)
    assert taken.bytes == 6


@pytest.mark.parametrize("move", [False, True])
def test_only_regular_files_are_taken(services: Services, tmp_path: Path, move: bool) -> None:
    secret, link, pipe = tmp_path / "secret", tmp_path / "l.svs", tmp_path / "p.svs"
    secret.write_text("secret")
    link.symlink_to(secret)
    os.mkfifo(pipe)
    for path in (link, pipe):
        with pytest.raises(SlideError):
            take_over(services.layout, one(path), move=move)
    assert not any(services.layout.originals.iterdir())
    assert not any(services.layout.staging.iterdir())


def test_the_folder_beside_a_mirax_may_be_no_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "shadow").write_text("secret")
    slides = tmp_path / "slides"
    slides.mkdir()
    (slides / "m.mrxs").write_bytes(b"x")
    (slides / "m").symlink_to(tmp_path / "elsewhere")
    assert [bundle.files for bundle in bundles_at(slides)] == [((slides / "m.mrxs"),)]


def test_a_mass_of_junk_does_not_hold_a_slide_back(services: Services, tiny_svs: Path) -> None:
    incoming = services.layout.incoming
    folder = WatchFolder(services, incoming, Source.WATCH, ReadingProcess())
    old = time.time() - 3600
    for number in range(300):
        stray = incoming / f"stray-{number}.txt"
        stray.write_text(str(number))
        os.utime(stray, (old, old))
    shutil.copyfile(tiny_svs, services.layout.staging / "good.svs")
    os.utime(services.layout.staging / "good.svs", (old, old))
    (services.layout.staging / "good.svs").rename(incoming / "good.svs")
    began = time.monotonic()
    while not any(row.name == "good.svs" for row in intake.listing(services.database)):
        folder.look()
        assert time.monotonic() - began < 20
    folder.opener.stop()


def test_readers_do_not_hold_the_flow_servers_credential(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "user:secret")
    monkeypatch.setenv("SVARTID_DATA", str(services.layout.root))
    process = ReadingProcess()
    process.warm_up()
    child = process._process
    assert child is not None
    time.sleep(0.3)
    assert b"PREFECT" not in Path(f"/proc/{child.pid}/environ").read_bytes()
    process.stop()


def test_the_data_folder_is_closed_to_others(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir(mode=0o755)
    root.chmod(0o755)
    Layout(root).create()
    assert root.stat().st_mode & 0o007 == 0
