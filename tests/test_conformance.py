"""The statements say what the code does: held against the web app's routes and the node itself."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pynetdicom.ae import ApplicationEntity
from pynetdicom.presentation import build_role

from flows.conformance import integration, statement
from flows.conformance_facts import offers, storage_classes, transfer_syntaxes
from flows.conformance_web import SERVICES
from flows.dicom_context import Node
from flows.dicom_node import make_server
from flows.services import prepare_services
from storage import dicom_peers
from storage.records.imaging import Peer, PeerMay
from storage.settings import read_settings
from viewers.app import _context, build_api

DOCS = Path(__file__).resolve().parents[1] / "docs"
_UID = re.compile(r"\| (1\.2[\d.]+) \|")
_ROOT = "/dicom-web"
_PRINTING = "1.2.840.10008.5.1.1.9"


@pytest.mark.parametrize(
    ("name", "made"), [("dicom-conformance.md", statement), ("ihe-integration.md", integration)]
)
def test_the_committed_statement_is_the_codes(name: str, made: Callable[[], str]) -> None:
    assert (DOCS / name).read_text("utf-8") == made(), f"svartid conformance > docs/{name}"


def test_the_web_services_are_the_apps(tmp_path: Path) -> None:
    document = build_api(_context(read_settings(tmp_path, {}))).openapi()
    routes = {
        (method.upper(), _plain(path.removeprefix(_ROOT)))
        for path, methods in document["paths"].items()
        if path.startswith(_ROOT)
        for method in methods
    }
    assert routes == {(at.method, _plain(at.path)) for at in SERVICES}


def test_the_node_takes_what_the_statement_names_and_nothing_else(tmp_path: Path) -> None:
    """Every SOP class and transfer syntax is proposed by another implementation's hand."""
    services = prepare_services(read_settings(tmp_path / "data", {}))
    peer = Peer("them", "THEM", host="127.0.0.1", may=frozenset(PeerMay))
    dicom_peers.put(services.database, peer, "test")
    server = make_server(Node(services), ("127.0.0.1", 0))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    try:
        said = set(_UID.findall(statement()))
        wanted = {*storage_classes(), *(at.abstract_syntax for at in offers())}
        assert wanted | set(transfer_syntaxes()) <= said
        taken = set[str]()
        for start in range(0, len(wanted), 100):
            some = sorted(wanted)[start : start + 100]
            taken |= _accepted(port, [(uid, ["1.2.840.10008.1.2.1"]) for uid in some])
        assert taken == wanted
        ct = "1.2.840.10008.5.1.4.1.1.2"
        for syntax in transfer_syntaxes():
            assert _accepted(port, [(ct, [syntax])]) == {ct}, syntax
        assert _accepted(port, [("1.2.840.10008.1.1", ["1.2.840.10008.1.2"])])
        assert not _accepted(port, [(_PRINTING, ["1.2.840.10008.1.2"])])
        assert not _accepted(port, [(ct, ["1.2.840.10008.1.2.4.94"])])  # pixels elsewhere (JPIP)
    finally:
        server.shutdown()
        server.server_close()
        services.database.dispose()


def _accepted(port: int, proposed: list[tuple[str, list[str]]]) -> set[str]:
    caller = ApplicationEntity("THEM")
    roles = []
    for uid, syntaxes in proposed:
        caller.add_requested_context(uid, syntaxes)
        if ".5.1.4.1.1." in uid:
            roles.append(build_role(uid, scu_role=True, scp_role=True))
    association = caller.associate("127.0.0.1", port, ae_title="SVARTID", ext_neg=roles[:60])
    found = {str(at.abstract_syntax) for at in association.accepted_contexts}
    if association.is_established:
        association.release()
    return found


def _plain(path: str) -> str:
    """Without the names of its parts."""
    return re.sub(r"\{[^}]*\}", "{}", path)
