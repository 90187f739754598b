"""A DICOM node's port: a bare connection, an association asked for by hand, an echo by dcmtk."""

from __future__ import annotations

import socket
import struct
import subprocess

from tests.flows.dicom_nodes import HOST
from tests.flows.node_process import NodeProcess


def connected(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=10)


def echoes(node: NodeProcess) -> bool:
    command = ["echoscu", "-aet", "SENDER", "-aec", "SVARTID", HOST, str(node.port)]
    return subprocess.run(command, capture_output=True, timeout=30).returncode == 0


def association_request(title: str) -> bytes:
    """A-ASSOCIATE-RQ for verification, written by hand (PS3.8 9.3.2)."""

    def item(kind: int, data: bytes) -> bytes:
        return struct.pack(">BBH", kind, 0, len(data)) + data

    context = item(
        0x20,
        b"\1\0\0\0" + item(0x30, b"1.2.840.10008.1.1") + item(0x40, b"1.2.840.10008.1.2"),
    )
    user = item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3.4"))
    body = struct.pack(">HH", 1, 0) + b"SVARTID".ljust(16) + title.encode().ljust(16) + bytes(32)
    body += item(0x10, b"1.2.840.10008.3.1.1.1") + context + user
    return struct.pack(">BBI", 1, 0, len(body)) + body
