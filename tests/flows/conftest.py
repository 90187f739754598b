"""Services on a data folder of their own, and a slide small enough for many tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.services import Services, prepare_services
from processing.paint import Painting, write_dicom, write_svs
from storage.records.imaging import PeerMay
from storage.settings import read_settings
from tests.flows.dicom_nodes import let_in
from tests.flows.node_process import NodeProcess


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """An empty data folder; the processes a test starts find the same one."""
    monkeypatch.setenv("SVARTID_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SVARTID_SETTLE_SECONDS", "0.2")
    monkeypatch.delenv("SVARTID_DATABASE_URL", raising=False)
    made = prepare_services(read_settings())
    yield made
    made.database.dispose()


@pytest.fixture
def node(services: Services) -> Iterator[NodeProcess]:
    """A DICOM node that lets SENDER store."""
    let_in(services, "SENDER", may=frozenset({PeerMay.STORE}))
    with NodeProcess(services) as running:
        yield running


@pytest.fixture(scope="session")
def tiny_svs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painted slide of a few tiles."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.svs"
    write_svs(Painting(600, 400, seed=3), path)
    return path


@pytest.fixture(scope="session")
def tiny_dicom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painted DICOM series of a few tiles."""
    folder = tmp_path_factory.mktemp("tiny") / "series"
    write_dicom(Painting(600, 400, seed=3), folder)
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB of its own; skipped where this user may not mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "svartid-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a tmpfs: a full disk was not tested")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
