"""One department with a node and Orthanc for all tests of retrieval: they start slowly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.retrieval.requesters import Department, a_department


@pytest.fixture(scope="session")
def department(tmp_path_factory: pytest.TempPathFactory, slides_dir: Path) -> Iterator[Department]:
    with a_department(tmp_path_factory.mktemp("retrieval"), slides_dir) as made:
        yield made
