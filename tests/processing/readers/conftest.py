"""One reading process for all spoiled files of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from processing.paint import NdpiLayout, Painting, write_ndpi, write_svs
from tests.contracts.hostile import ReadingProcess


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingProcess]:
    """Whatever it was given, it must have kept quiet."""
    process = ReadingProcess(tmp_path_factory.mktemp("reading") / "stderr")
    yield process
    said = process.close()
    assert not said, said[-2000:]


@pytest.fixture(scope="session")
def painted_rgb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The painted slide with tiles that are RGB inside, as some scanners write."""
    path = tmp_path_factory.mktemp("painted") / "rgb.svs"
    write_svs(Painting(1500, 1100, seed=7), path, photometric="rgb")
    return path


@pytest.fixture(scope="session")
def painted_ndpi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painting in Hamamatsu's layout, three levels."""
    path = tmp_path_factory.mktemp("painted") / "painted.ndpi"
    whole = Painting(1440, 1088, seed=7).region(0, 0, 1440, 1088)
    write_ndpi([whole, whole[::2, ::2], whole[::4, ::4]], path, NdpiLayout(across=3))
    return path
