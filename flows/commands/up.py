"""Start everything: Prefect's server, dispatcher, watch folder and web app, under supervision.

Prints one address. The first start makes an administrator and shows the password once. Stop
with Ctrl-C or SIGTERM; nothing that was received is lost.

examples:
  svartid up --demo
  svartid up --data /srv/svartid --port 8080
  svartid up --host 0.0.0.0 --certificate tls.crt --key tls.key
  svartid up --host 10.0.0.5 --behind-proxy     (a proxy in front ends TLS)
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
from flows.supervisor import Address, start_log, supervise
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
    services = prepare_services(settings)
    password = people.ensure_administrator(services.database)
    made = demo_department.found(services.database) if args.demo else []
    address = Address(args.host, args.port, args.certificate, args.key, args.behind_proxy)
    if args.behind_proxy:
        os.environ["SVARTID_SECURE_COOKIES"] = "1"
    start_log(layout)
    _greet(address, layout, password, made)
    asyncio.run(supervise(settings, address, demo=args.demo))
    return 0


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
    for file in (args.certificate, args.key):
        if file and not file.is_file():
            return f"{file}: no such file"
    if _is_loopback(args.host) or args.certificate or args.behind_proxy:
        return None
    return (
        f"{args.host} can be reached by others, and nothing would be encrypted; "
        "give --certificate and --key, or --behind-proxy when a proxy ends TLS"
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


def _greet(address: Address, layout: Layout, password: str | None, made: list[Made]) -> None:
    lines = [f"svartid  {address.url}", f"data     {layout.root}"]
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
