"""The whole way of a guest: in, tested, run, up by two people, silent, down by one."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.bundles import bundles_at
from flows.cli import main
from flows.follow import Follower
from flows.model_runs import run_due, run_model
from flows.model_sandbox import WORKER, Sandbox
from flows.receive import receive
from flows.services import Services, prepare_services
from storage import events, model_results, models, people, quality_maps
from storage.case_tables import case_image
from storage.database import now
from storage.records.case_words import ScanState
from storage.records.intake import IntakeState, Source
from storage.records.models import Admission, AdmissionTest, Manifest, Model
from storage.records.people import Principal, Role
from storage.records.quality import ModelMode
from storage.settings import read_settings
from tests.flows.guests import card_of, direct, manifest_of, weights, written


def read_in(services: Services, path: Path) -> str:
    (bundle,) = bundles_at(path)
    row, _ = receive(services, bundle, Source.COMMAND, "test")
    with Follower(services) as follower:
        row = follower.follow(row.intake_id, {IntakeState.COMPLETE}, lambda *_: None)
    assert row.state is IntakeState.COMPLETE
    return row.slide_id


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory, tiny_svs: Path) -> tuple[Path, str]:
    """A data folder with one slide, and which: every test has its own copy."""
    folder = tmp_path_factory.mktemp("stocked") / "data"
    made = prepare_services(read_settings(folder, {}))
    slide_id = read_in(made, tiny_svs)
    made.database.dispose()
    return folder, slide_id


@pytest.fixture
def services(
    stocked: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    shutil.copytree(stocked[0], tmp_path / "data")
    monkeypatch.setenv("SVARTID_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("SVARTID_DATABASE_URL", raising=False)
    made = prepare_services(read_settings())
    yield made
    made.database.dispose()


@pytest.fixture
def slide_id(stocked: tuple[Path, str]) -> str:
    return stocked[1]


def approve(
    monkeypatch: pytest.MonkeyPatch, services: Services, name: str, role: Role, to: str
) -> int:
    people.ensure_person(services.database, name, role)
    token = people.create_token(services.database, name, role, 1)
    monkeypatch.setenv("SVARTID_TOKEN", token)
    return main(["models", "promote", "fold", "--to", to, "--as", name, "--note", "read the card"])


def test_the_whole_way(
    services: Services, slide_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = weights()
    files = written(tmp_path / "guest", data, manifest_of(data))
    assert main(["models", "add", *files]) == 0
    assert main(["models", "add", *files]) == 1  # it is there already

    assert approve(monkeypatch, services, "lise", Role.PATHOLOGIST, "silent") == 1  # not admitted
    assert main(["models", "admit", "fold"]) == 0
    assert main(["models", "run", "fold", slide_id]) == 0
    assert approve(monkeypatch, services, "lise", Role.PATHOLOGIST, "visible_qc") == 1  # two steps
    assert approve(monkeypatch, services, "tom", Role.TECHNICIAN, "silent") == 1  # no such right
    assert approve(monkeypatch, services, "lise", Role.PATHOLOGIST, "silent") == 0
    assert mode(services) is ModelMode.TEST
    assert approve(monkeypatch, services, "lise", Role.PATHOLOGIST, "silent") == 1  # twice herself
    assert approve(monkeypatch, services, "olav", Role.OPS, "silent") == 0
    assert mode(services) is ModelMode.SILENT

    assert main(["models", "run", "fold", slide_id]) == 0
    silent, first = model_results.of_model(services.database, "fold", "1.0")
    assert (silent.mode, first.mode) == (ModelMode.SILENT, ModelMode.TEST)
    assert silent.figures == first.figures
    own = model_results.results_layout(services.layout)
    drawn = quality_maps.read_map(own, slide_id, silent.maps["fold.fold"])
    assert drawn.shape == (silent.maps["fold.fold"].rows, silent.maps["fold.fold"].columns)
    assert (silent.root, silent.sha256) == (first.root, manifest_of(data).sha256)
    assert model_results.for_reader(services.database, slide_id) == []

    assert main(["models", "demote", "fold", "--to", "test", "--note", "false alarms"]) == 0
    assert mode(services) is ModelMode.TEST
    told = [at.kind for at in events.history(services.database, "model:fold")]
    assert told == [
        "ModelAdded", "ModelTested", "ModelRun", "ModelApproved", "ModelApproved",
        "ModelPromoted", "ModelRun", "ModelDemoted",
    ]  # fmt: skip


def mode(services: Services) -> ModelMode:
    return models.get(services.database, "fold").mode


def test_it_says_what_it_knows(
    services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = weights()
    assert main(["models", "add", *written(tmp_path, data, manifest_of(data))]) == 0
    capsys.readouterr()
    assert main(["models", "show", "fold", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["card"]["known_failures"] == ["red pen"]
    assert main(["models", "list"]) == 0
    assert "not tested" in capsys.readouterr().out
    assert main(["models", "promote", "fold"]) == 2
    assert "--to, --note" in capsys.readouterr().err


def test_a_pickle_is_refused_whatever_its_manifest_says(
    services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = b"\x80\x04\x95pickle"
    assert main(["models", "add", *written(tmp_path, data, manifest_of(data))]) == 1
    assert "pickle" in capsys.readouterr().err
    assert list(services.layout.models.iterdir()) == []


def test_weights_that_do_not_fit_the_network_are_not_admitted(services: Services) -> None:
    data = weights()
    manifest = replace(manifest_of(data), parameters={"width": 5})
    added = entered(services, data, replace(manifest, name="other"))
    assert added.mode is ModelMode.TEST
    assert main(["models", "admit", "other"]) == 1
    admission = models.get(services.database, "other").admission
    assert admission is not None
    assert [(at.name, at.passed) for at in admission.tests] == [("loads", False)]


def entered(services: Services, data: bytes, manifest: object) -> Model:
    kept = manifest_of(data) if manifest is None else manifest
    return models.add(services.database, services.layout, kept, card_of(kept), data, "test")  # type: ignore[arg-type]


def risen(services: Services, data: bytes, manifest: Manifest) -> None:
    """A model that is run on every slide."""
    models.add(services.database, services.layout, manifest, card_of(manifest), data, "test")
    passed = Admission((AdmissionTest("shape", True, None, None),), now(), "test")
    known = models.enter_admission(services.database, manifest.name, manifest.version, passed)
    for name in ("lise", "olav"):
        who = Principal(name, Role.OPS, "test")
        why = models.Reason("tried")
        known = models.approve(services.database, known, ModelMode.SILENT, who, why)


def test_a_hostile_guest_steps_down_and_the_others_go_on(services: Services, slide_id: str) -> None:
    data = weights()
    code = b"import os; os._exit(3)"
    risen(services, code, replace(manifest_of(code), name="a-hostile"))
    risen(services, data, replace(manifest_of(data), stains=("he",)))
    hostile = (sys.executable, str(Path(__file__).with_name("hostile_worker.py")))

    def opened(model: Model, file: bytes) -> Sandbox:
        named = hostile if model.manifest.name == "a-hostile" else WORKER
        return Sandbox(model.manifest, file, worker=named)

    assert run_due(services, opened) == 1
    assert models.get(services.database, "a-hostile").mode is ModelMode.TEST
    assert mode(services) is ModelMode.SILENT
    (found,) = model_results.of_model(services.database, "fold", "1.0")
    assert (found.slide_id, found.mode) == (slide_id, ModelMode.SILENT)
    assert run_due(services, opened) == 0
    (last,) = events.history(services.database, "model:a-hostile")[-1:]
    assert (last.kind, "its process ended" in last.data["why"]) == ("ModelDemoted", True)


def test_a_slide_it_is_not_made_for_is_said_once(services: Services) -> None:
    data = weights()
    at = manifest_of(data)
    risen(services, data, replace(at, input=replace(at.input, mpp=0.1)))
    assert run_due(services, direct) == 1
    (found,) = model_results.of_model(services.database, "fold", "1.0")
    assert found.figures == {"not_evaluated": "mpp_too_coarse"}
    assert run_due(services, direct) == 0


def test_a_new_scan_of_the_glass_retires_what_was_said(services: Services, slide_id: str) -> None:
    data = weights()
    risen(services, data, manifest_of(data))
    known = models.get(services.database, "fold")
    found = run_model(services, known, slide_id, "test", direct)
    assert not found.retired
    image = {"slide_id": slide_id, "barcode": "P26-1-A1-1", "accession": "P26-1"}
    with services.database.transaction() as connection:
        state = ScanState.REPLACED.value
        connection.execute(sa.insert(case_image).values(**image, state=state))
    (later,) = model_results.of_model(services.database, "fold", "1.0")
    assert later.retired
