"""`svartid peer`, and what `svartid up` says to a DICOM port that would not be safe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.cli import main
from flows.services import Services
from storage import dicom_peers, people
from storage.records.imaging import Peer, PeerMay
from storage.records.people import Role
from tests.flows.dicom_nodes import a_node
from tests.journeys.running import free_port


def peer(services: Services, *words: str) -> int:
    return main(["--data", str(services.layout.root), "peer", *words])


def test_nodes_are_entered_changed_and_forgotten(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert peer(services, "add", "ct-1", "--ae-title", "CT1", "--host", "10.1.2.0/24",
                "--may", "store", "--may", "worklist", "--unit", "radiology") == 0  # fmt: skip
    expected = Peer("ct-1", "CT1", "10.1.2.0/24", 0, unit="radiology",
                    may=frozenset({PeerMay.STORE, PeerMay.WORKLIST}))  # fmt: skip
    assert dicom_peers.get(services.database, "ct-1") == expected
    assert people.role_of(services.database, "ct-1") is Role.NODE
    assert peer(services, "add", "ct-1", "--port", "104", "--tls") == 0
    changed = dicom_peers.get(services.database, "ct-1")
    assert (changed.port, changed.tls, changed.host) == (104, True, "10.1.2.0/24")
    capsys.readouterr()
    assert peer(services, "list", "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["may"] == ["store", "worklist"]
    assert peer(services, "remove", "ct-1") == 0
    assert dicom_peers.listing(services.database) == []


def test_what_cannot_be_is_said(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    assert peer(services, "add", "ct-1") == 2
    assert peer(services, "add") == 2
    assert peer(services, "add", "ct-1", "--ae-title", "MORE THAN SIXTEEN CHARACTERS") == 1
    assert peer(services, "remove", "ct-1") == 1
    assert "no node is called ct-1" in capsys.readouterr().err


def test_a_node_is_called(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    """Our own node, which knows us as somebody who may call."""
    with a_node(services) as port:
        words = ("--ae-title", "SVARTID", "--host", "127.0.0.1")
        peer(services, "add", "self", *words, "--port", str(port))
        assert peer(services, "test", "self") == 0
    assert peer(services, "test", "self") == 1
    assert "nobody answers there" in capsys.readouterr().out


def test_a_port_for_all_is_refused_without_tls(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = ["up", "--data", str(tmp_path / "data"), "--dicom-port", str(free_port())]
    assert main([*there, "--dicom-host", "0.0.0.0"]) == 2
    assert "DICOM would not be encrypted" in capsys.readouterr().err
    assert main([*there, "--dicom-certificate", __file__]) == 2
    assert "belong together" in capsys.readouterr().err
    assert main([*there, "--dicom-ca", __file__]) == 2
    assert main([*there, "--dicom-key", "nowhere.pem", "--dicom-certificate", __file__]) == 2
    assert not (tmp_path / "data").exists()
