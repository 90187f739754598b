"""DICOM over TLS, judged by dcmtk and OpenSSL: 1.2 and 1.3 with AEAD, certificates both ways."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.services import Services
from storage.records.imaging import PeerMay
from tests.flows.dicom_nodes import HOST, let_in
from tests.flows.node_process import NodeProcess


@dataclass(frozen=True)
class Certificates:
    """What an authority has made, in a folder."""

    folder: Path

    def make(self) -> None:
        """The authority, ours, the caller's; and one that made itself."""
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key",
                      "-out", "ca.pem", "-subj", "/CN=hospital", "-days", "2")  # fmt: skip
        (self.folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        for name in ("node", "caller"):
            self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key",
                          "-out", f"{name}.csr", "-subj", f"/CN={name}")  # fmt: skip
            self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey",
                          "ca.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", "2",
                          "-extfile", "names")  # fmt: skip
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "self.key",
                      "-out", "self.pem", "-subj", "/CN=nobody", "-days", "2")  # fmt: skip

    def __call__(self, name: str) -> str:
        return str(self.folder / name)

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.make()
    return made


@pytest.fixture
def node(services: Services, certificates: Certificates) -> Iterator[NodeProcess]:
    let_in(services, "SENDER", may=frozenset({PeerMay.STORE}))
    words = ("--certificate", certificates("node.pem"), "--key", certificates("node.key"))
    with NodeProcess(services, *words, "--ca", certificates("ca.pem")) as running:
        yield running


def dcmtk(node: NodeProcess, program: str, *words: str, files: tuple[str, ...] = ()) -> bool:
    command = [program, "-aet", "SENDER", "-aec", "SVARTID", *words, HOST, str(node.port), *files]
    return subprocess.run(command, capture_output=True, timeout=60).returncode == 0


def openssl(node: NodeProcess, certificates: Certificates, *words: str) -> str:
    """What a handshake comes to: `TLSv1.3 TLS_AES_256_GCM_SHA384`, or empty."""
    own = ("-cert", certificates("caller.pem"), "-key", certificates("caller.key"))
    command = ["openssl", "s_client", "-connect", f"{HOST}:{node.port}", *own, *words]
    done = subprocess.run(command, capture_output=True, text=True, input="", timeout=60)
    for line in done.stdout.splitlines():
        if line.startswith("New, ") and "NONE" not in line:
            return line.removeprefix("New, ").replace(", Cipher is", "")
    return ""


def test_certificates_are_asked_for_both_ways(
    node: NodeProcess, certificates: Certificates, slides_dir: Path
) -> None:
    known = ("+tls", certificates("caller.key"), certificates("caller.pem"))
    trusts = ("+cf", certificates("ca.pem"))
    assert dcmtk(node, "echoscu", *known, *trusts)
    file = str(slides_dir / "radiology" / "pydicom-CT_small.dcm")
    assert dcmtk(node, "storescu", *known, *trusts, files=(file,))
    assert not dcmtk(node, "echoscu", "+tla", *trusts)
    stranger = ("+tls", certificates("self.key"), certificates("self.pem"))
    assert not dcmtk(node, "echoscu", *stranger, *trusts)
    assert not dcmtk(node, "echoscu", *known, "+cf", certificates("self.pem"))
    assert not dcmtk(node, "echoscu")  # in the clear
    assert dcmtk(node, "echoscu", *known, *trusts)
    assert "Traceback" not in node.said


def test_nothing_old_is_spoken(node: NodeProcess, certificates: Certificates) -> None:
    assert openssl(node, certificates).startswith("TLSv1.3 ")
    assert openssl(node, certificates, "-tls1_2").startswith("TLSv1.2 ECDHE-")
    for old in ("-tls1", "-tls1_1"):
        assert openssl(node, certificates, old, "-cipher", "ALL:@SECLEVEL=0") == ""
    for weak in ("AES256-GCM-SHA384", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA",
                 "DHE-RSA-AES256-GCM-SHA384"):  # fmt: skip
        assert openssl(node, certificates, "-tls1_2", "-cipher", weak) == "", weak
    for good in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"):
        assert good in openssl(node, certificates, "-tls1_2", "-cipher", good)


def test_who_dawdles_with_the_handshake_keeps_nobody_out(
    node: NodeProcess, certificates: Certificates
) -> None:
    with socket.create_connection((HOST, node.port)) as wire:
        wire.sendall(b"\x16\x03\x01")
        known = ("+tls", certificates("caller.key"), certificates("caller.pem"))
        assert dcmtk(node, "echoscu", *known, "+cf", certificates("ca.pem"))


def test_a_certificate_that_is_none_is_said(services: Services, certificates: Certificates) -> None:
    words = ("--certificate", certificates("node.csr"), "--key", certificates("node.key"))
    running = NodeProcess(services, *words)
    with pytest.raises(AssertionError):
        running.start(within=15)
    assert "no certificate and its key" in running.said
    assert "Traceback" not in running.said
