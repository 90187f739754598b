"""`svartid send` and `svartid forward`: what they print and how they end; Orthanc is at the end."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.cli import main
from flows.ingest import read_in
from flows.services import Services
from storage import dicom_peers, forwarding, imaging
from storage.records.imaging import Peer
from storage.records.intake import IntakeState
from storage.records.people import SVARTID
from storage.tables import access_log
from tests.flows.forwarding import PEER, UNIT, Laboratory, Service
from tests.flows.work import claim, deliver
from tests.journeys.running import free_port
from tests.orthanc import Orthanc, an_orthanc

Run = Callable[..., str]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    with an_orthanc(tmp_path_factory.mktemp("archive")) as running:
        yield running


@pytest.fixture
def lab(services: Services) -> Laboratory:
    return Laboratory(services)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; what it printed, or why it failed."""

    def call(*words: str, code: int = 0) -> str:
        assert main(list(words)) == code, capsys.readouterr()
        output = capsys.readouterr()
        return output.out if code == 0 else output.err

    return call


def test_a_slide_goes_to_an_association_and_to_a_service(
    lab: Laboratory, tiny_svs: Path, archive: Orthanc, run: Run
) -> None:
    accession = lab.case()
    slide = lab.slide(tiny_svs, accession)
    there = lab.pixels(slide)
    told = run("send", slide.slide_id, "--to", f"127.0.0.1:{archive.dicom_port}/ARCHIVE")
    assert told.startswith(f"{len(there)} of {len(there)} objects")
    assert {uid: archive.pixels().get(uid) for uid in there} == there
    entry = imaging.of_slide(lab.services.database, SVARTID, slide.slide_id)
    for name in (entry.series_uid, entry.study_uid):
        *objects, summary = map(
            json.loads, run("send", name, "--to", archive.web_url, "--json").splitlines()
        )
        assert {at["object"] for at in objects} == set(there)
        assert not any(at["refused"] for at in objects)
        assert (summary["sent"], summary["failed"], summary["kept"]) == (len(there), 0, None)
    query = sa.select(access_log).where(access_log.c.action == "send")
    with lab.services.database.reading() as connection:
        lines = [(at.slide_id, at.accession, at.session) for at in connection.execute(query)]
    assert lines == [(slide.slide_id, accession, "command")] * 3


def test_a_known_node_gets_nothing_its_unit_may_not_see(
    lab: Laboratory, tiny_svs: Path, run: Run
) -> None:
    with Service() as service:
        slide = lab.slide(tiny_svs, lab.case())
        lab.knows(Peer(PEER, "ARCHIVE", url=service.url, unit="another"))
        assert "its unit may not see this" in run("send", slide.slide_id, "--to", PEER, code=1)
        assert service.sent == []
        dicom_peers.put(lab.services.database, Peer(PEER, "ARCHIVE", url=service.url), "me")
        assert "objects" in run("send", slide.slide_id, "--to", PEER)
        assert len(service.sent) == 1


def test_what_a_node_does_not_take_is_named(
    lab: Laboratory, tiny_svs: Path, run: Run, tmp_path: Path
) -> None:
    with Service() as service:
        slide = lab.slide(tiny_svs, lab.case())
        refused = next(iter(lab.pixels(slide)))
        service.refused, service.token = {refused: 0xA900}, "secret"
        place = tmp_path / "token"
        place.write_text("secret")
        words = ("send", slide.slide_id, "--to", service.url)
        assert run(*words, "--token", str(place), code=1) == (
            f"svartid send: object {refused}: A900\n"
        )
        told = run(*words, code=3)
        assert "secret" not in told
        assert "the service answers 401" in told


@pytest.mark.parametrize(
    ("to", "code", "told"),
    [
        ("127.0.0.1:{port}/NOBODY", 3, "nobody answers there"),
        ("http://127.0.0.1:{port}/dicom-web", 3, "nobody answers there"),
        ("127.0.0.1:99999/NOBODY", 2, "a port lies between"),
        ("nobody", 1, "no node is called nobody"),
    ],
)
def test_where_nobody_is(
    lab: Laboratory, tiny_svs: Path, run: Run, to: str, code: int, told: str
) -> None:
    slide = lab.slide(tiny_svs, lab.case())
    assert told in run("send", slide.slide_id, "--to", to.format(port=free_port()), code=code)


def test_what_is_not_here_or_not_complete_is_not_sent(
    services: Services, tiny_svs: Path, run: Run
) -> None:
    row = deliver(services, tiny_svs)
    for name in ("1.2.3", "xyz", row.slide_id):
        assert "no such slide" in run("send", name, "--to", "http://127.0.0.1:1/x", code=1)
    claim(services, row, IntakeState.RECEIVED)
    read_in(services, row.intake_id)
    told = run("send", row.slide_id, "--to", "http://127.0.0.1:1/x", code=1)
    assert "not complete yet" in told


def test_a_service_that_nobody_vouches_for_is_sent_nothing(
    lab: Laboratory, tiny_svs: Path, run: Run, tmp_path: Path
) -> None:
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject,
         "-keyout", key, "-out", certificate], check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Service() as service:
        service.socket = context.wrap_socket(service.socket, server_side=True)
        slide = lab.slide(tiny_svs, lab.case())
        words = ("send", slide.slide_id, "--to", service.url.replace("http:", "https:"))
        assert "its certificate is not trusted" in run(*words, code=3)
        assert service.sent == []
        assert "objects" in run(*words, "--ca", str(certificate))


def test_rules_and_the_queue_by_command(lab: Laboratory, tiny_svs: Path, run: Run) -> None:
    with Service() as service:
        lab.knows(Peer(PEER, "ARCHIVE", url=service.url, unit=UNIT))
        assert "no rules" in run("forward", "rule", "list")
        assert "nothing is forwarded" in run("forward", "list")
        added = ("--to", PEER, "--on", "slide_complete", "--modality", "SM", "--from", "tester")
        rule = run("forward", "rule", "add", *added).strip()
        (told,) = map(json.loads, run("forward", "rule", "list", "--json").splitlines())
        assert (told["rule_id"], told["modalities"]) == (rule, ["SM"])
        assert "SM, from tester" in run("forward", "rule", "list")
        lab.slide(tiny_svs, lab.case())
        lab.works()
        (sent,) = map(json.loads, run("forward", "list", "--json").splitlines())
        assert (sent["state"], sent["done"]) == ("sent", sent["objects"])
        assert run("forward", "list", "--state", "waiting", "--json") == ""
        run("forward", "resend", sent["forward_id"])
        assert sent["forward_id"] in run("forward", "list", "--state", "waiting", "--to", PEER)
        run("forward", "rule", "remove", rule)
        assert run("forward", "rule", "list", "--json") == ""
        lab.works()
        assert len(service.sent) == 2
        assert forwarding.counts(lab.services.database) == {"sent": 1}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("resend", "0" * 32), 1),
        (("resend",), 2),
        (("rule",), 2),
        (("rule", "add", "--to", "nobody", "--on", "slide_complete"), 1),
        (("rule", "add", "--to", "nobody"), 2),
        (("rule", "remove", "nothing"), 1),
        (("list", "something"), 2),
    ],
)
def test_wrong_words(services: Services, run: Run, words: tuple[str, ...], code: int) -> None:
    assert run("forward", *words, code=code).startswith("svartid forward")
