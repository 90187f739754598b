"""The web application in this process, over a small store read in once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from flows.bundles import bundles_at
from flows.follow import Follower
from flows.receive import receive
from flows.services import Services, prepare_services
from processing.paint import Painting, write_svs
from storage import people
from storage.records.intake import Intake, IntakeState, Source
from storage.records.people import Role
from storage.settings import Settings, read_settings
from tests.viewers.archive import Archive, found
from viewers.app import create_app

NOBODY = "nobody"


@dataclass(frozen=True)
class Shop:
    """A data folder with slides in it, and a token for each role."""

    services: Services
    svs: str
    """Complete, JPEG tiles copied, with label and overview."""
    dicom: str
    tokens: dict[Role, str]
    quarantined: Intake

    @property
    def settings(self) -> Settings:
        return self.services.settings

    def deliver(self, path: Path) -> Intake:
        """Take a file over; it is read in by `read_in` and `complete`."""
        (bundle,) = bundles_at(path)
        row, _ = receive(self.services, bundle, Source.COMMAND, "test")
        return row

    def follow(self, row: Intake, until: IntakeState = IntakeState.COMPLETE) -> Intake:
        """See it through, in this process; its row at the end."""
        with Follower(self.services) as follower:
            return follower.follow(row.intake_id, {until}, lambda *_: None)

    def ingest(self, path: Path) -> str:
        row = self.follow(self.deliver(path))
        assert row.state is IntakeState.COMPLETE
        return row.slide_id


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, painted_svs: Path, painted_dicom: Path) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    services = prepare_services(read_settings(folder / "data", {}))
    tokens = {}
    for role in Role:
        people.ensure_person(services.database, role.value, role)
        tokens[role] = people.create_token(services.database, role.value, role, 1)
    (folder / "rubbish.svs").write_bytes(b"not a slide")
    empty = Shop(services, "", "", tokens, None)  # type: ignore[arg-type]
    return replace(
        empty,
        svs=empty.ingest(painted_svs),
        dicom=empty.ingest(painted_dicom),
        quarantined=empty.follow(empty.deliver(folder / "rubbish.svs")),
    )


@pytest.fixture(scope="session")
def larger_svs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slide whose second level the scanner left out, over several shards."""
    path = tmp_path_factory.mktemp("larger") / "larger.svs"
    write_svs(Painting(4700, 2300, seed=3), path)
    return path


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, painted_svs: Path) -> Archive:
    """A slide and a received series, for DICOMweb."""
    return found(tmp_path_factory.mktemp("archive"), painted_svs)


Ask = Callable[..., TestClient]


@pytest.fixture
def ask(shop: Shop) -> Iterator[Ask]:
    """`ask("ops")` is a client of a program in that role, on an application of this test's own."""
    app = create_app(shop.settings)

    def client(role: str | None = "administrator", accept: str = "*/*") -> TestClient:
        headers = {"Accept": accept}
        if role not in {None, NOBODY}:
            headers["Authorization"] = f"Bearer {shop.tokens[Role(role)]}"
        return TestClient(
            app, headers=headers, raise_server_exceptions=False, follow_redirects=False
        )

    return client
