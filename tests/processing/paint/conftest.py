"""One small painting, written once in each format."""

from __future__ import annotations

from pathlib import Path

import pytest

from processing.paint import Painting, write_dicom, write_svs


@pytest.fixture(scope="session")
def painting() -> Painting:
    return Painting(3000, 2300, seed=1, barcode="SVT-0042-B1-2", accession="SVT-0042")


@pytest.fixture(scope="session")
def svs(painting: Painting, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("svs") / "painted.svs"
    write_svs(painting, path)
    return path


@pytest.fixture(scope="session")
def series(painting: Painting, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dicom")
    write_dicom(painting, folder)
    return folder
