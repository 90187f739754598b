"""The whole way of a guest: in, tested, run, up by two people, silent, down by one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flows.bundles import bundles_at
from flows.cli import main
from flows.follow import Follower
from flows.receive import receive
from flows.services import Services
from storage import events, model_results, models, people, quality_maps
from storage.records.intake import IntakeState, Source
from storage.records.models import Model
from storage.records.people import Role
from storage.records.quality import ModelMode
from tests.flows.guests import card_of, manifest_of, weights, written


def read_in(services: Services, path: Path) -> str:
    (bundle,) = bundles_at(path)
    row, _ = receive(services, bundle, Source.COMMAND, "test")
    with Follower(services) as follower:
        row = follower.follow(row.intake_id, {IntakeState.COMPLETE}, lambda *_: None)
    assert row.state is IntakeState.COMPLETE
    return row.slide_id


def approve(
    monkeypatch: pytest.MonkeyPatch, services: Services, name: str, role: Role, to: str
) -> int:
    people.ensure_person(services.database, name, role)
    token = people.create_token(services.database, name, role, 1)
    monkeypatch.setenv("SVARTID_TOKEN", token)
    return main(["models", "promote", "fold", "--to", to, "--as", name, "--note", "read the card"])


def test_the_whole_way(
    services: Services, tiny_svs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = weights()
    slide_id = read_in(services, tiny_svs)
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
