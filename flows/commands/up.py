"""Start everything: Prefect's server, dispatcher, watch folder and web app, under supervision.

Prints one address. The first start makes an administrator and shows the password once. Stop
with Ctrl-C or SIGTERM; nothing that was received is lost.

examples:
  svartid up --demo
  svartid up --data /srv/svartid --port 8080
  svartid up --host 0.0.0.0 --certificate tls.crt --key tls.key
  svartid up --host 10.0.0.5 --behind-proxy     (a proxy in front ends TLS)
  svartid up --dicom-port 11112                 (a DICOM node, AE title SVARTID)
  svartid up --dicom-port 2762 --dicom-host 10.0.0.5 --dicom-certificate dicom.crt \\
             --dicom-key dicom.key --dicom-ca hospital.crt
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import ipaddress
import os
import socket
import time
from pathlib import Path

from flows import demo_department
from flows.commands.common import complain
from flows.demo_department import Made
from flows.services import prepare_services
from flows.supervisor import Address, DicomAddress, start_log, supervise
from storage import people
from storage.layout import Layout
from storage.settings import read_settings

SUMMARY = "start everything and print the address"
_LOCK_TRIES = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on")
    parser.add_argument(
        "--demo", action="store_true", help="slides to look at, in cases of a small department"
    )
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="TLS certificate (PEM)")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key (PEM)")
    parser.add_argument(
        "--behind-proxy",
        action="store_true",
        help="a proxy in front ends TLS: cookies are marked secure",
    )
    dicom = parser.add_argument_group("DICOM node (who may call: svartid peer)")
    dicom.add_argument("--dicom-port", type=int, metavar="PORT", help="off unless given")
    dicom.add_argument(
        "--dicom-host", metavar="HOST", help="address to listen on (default: --host)"
    )
    dicom.add_argument("--dicom-certificate", type=Path, metavar="FILE", help="TLS certificate")
    dicom.add_argument("--dicom-key", type=Path, metavar="FILE", help="its key")
    dicom.add_argument(
        "--dicom-ca", type=Path, metavar="FILE", help="callers need a certificate of one of these"
    )
    dicom.add_argument(
        "--dicom-plain",
        action="store_true",
        help="without TLS beyond this machine: on a network that is closed or encrypted itself",
    )


def run(args: argparse.Namespace) -> int:
    """Supervise until told to stop."""
    problem = _refusal(args)
    if problem:
        complain(f"svartid up: {problem}")
        return 2
    settings = read_settings(args.data)
    layout = settings.layout.create()
    if not _take_lock(layout):
        complain(f"svartid up: another one runs on {layout.root}; stop it or give another --data")
        return 1
    if not _is_free(args.host, args.port):
        complain(f"svartid up: port {args.port} is taken; give another with --port")
        return 1
    dicom = _dicom_address(args)
    if dicom.port is not None and not _is_free(dicom.host, dicom.port):
        complain(f"svartid up: port {dicom.port} is taken; give another with --dicom-port")
        return 1
    services = prepare_services(settings)
    password = people.ensure_administrator(services.database)
    made = demo_department.found(services.database) if args.demo else []
    address = Address(args.host, args.port, args.certificate, args.key, args.behind_proxy)
    if args.behind_proxy:
        os.environ["SVARTID_SECURE_COOKIES"] = "1"
    start_log(layout)
    _greet((address, dicom), layout, password, made)
    asyncio.run(supervise(settings, address, dicom, demo=args.demo))
    return 0


def _dicom_address(args: argparse.Namespace) -> DicomAddress:
    files = (args.dicom_certificate, args.dicom_key, args.dicom_ca)
    return DicomAddress(args.dicom_host or args.host, args.dicom_port, *files)


def _take_lock(layout: Layout) -> bool:
    """Hold the data folder until this process ends; a few tries, since others may just look."""
    lock = os.open(layout.run / "up.lock", os.O_CREAT | os.O_RDWR, 0o600)
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return True
    os.close(lock)
    return False


def _refusal(args: argparse.Namespace) -> str | None:
    """Why these arguments are not safe, None when they are."""
    if bool(args.certificate) != bool(args.key):
        return "--certificate and --key belong together"
    dicom_files = (args.dicom_certificate, args.dicom_key, args.dicom_ca)
    for file in (args.certificate, args.key, *dicom_files):
        if file and not file.is_file():
            return f"{file}: no such file"
    return _web_refusal(args) or _dicom_refusal(args)


def _web_refusal(args: argparse.Namespace) -> str | None:
    if _is_loopback(args.host) or args.certificate or args.behind_proxy:
        return None
    return (
        f"{args.host} can be reached by others, and nothing would be encrypted; "
        "give --certificate and --key, or --behind-proxy when a proxy ends TLS"
    )


def _dicom_refusal(args: argparse.Namespace) -> str | None:
    if bool(args.dicom_certificate) != bool(args.dicom_key):
        return "--dicom-certificate and --dicom-key belong together"
    if args.dicom_ca and not args.dicom_certificate:
        return "--dicom-ca goes with --dicom-certificate and --dicom-key"
    host = args.dicom_host or args.host
    secured = args.dicom_certificate or args.dicom_plain
    if args.dicom_port is None or secured or _is_loopback(host):
        return None
    return (
        f"{host} can be reached by others, and DICOM would not be encrypted; give "
        "--dicom-certificate and --dicom-key, or --dicom-plain where the network is safe"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _greet(
    addresses: tuple[Address, DicomAddress],
    layout: Layout,
    password: str | None,
    made: list[Made],
) -> None:
    address, dicom = addresses
    lines = [f"svartid  {address.url}", f"data     {layout.root}"]
    if dicom.port is not None:
        secured = "TLS" if dicom.certificate else "not encrypted"
        lines.append(f"DICOM    SVARTID at {dicom.host}:{dicom.port}, {secured}")
    if password:
        lines += ["", "sign in  admin", f"password {password}   (shown only now)"]
    else:
        lines.append("sign in  admin   (lost the password? svartid user password admin)")
    if made:
        lines += ["", "a small department to look at   (passwords shown only now)"]
    for at in made:
        who = f"{at.member.full_name}, {at.member.role.value}"
        lines.append(f"{at.member.name:<14} {at.password}  {who}")
    print("\n".join(["", *lines, ""]), flush=True)
