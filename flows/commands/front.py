"""Print the configuration of an nginx in front: TLS, HTTP/2, and tiles as static files.

nginx runs as the owner of the data folder. The application stays on loopback, started with
`svartid up --behind-proxy`. docs/serving.md says what it does and what was measured.

examples:
  svartid front --certificate tls.crt --key tls.key > front.conf && nginx -c $PWD/front.conf
  svartid front --certificate tls.crt --key tls.key --listen 8443 --name slides.hospital.example
  svartid front --certificate tls.crt --key tls.key --app 127.0.0.1:8081 --no-direct
"""

from __future__ import annotations

import argparse
from pathlib import Path

from flows.commands.common import complain
from flows.front import Front, nginx_configuration
from storage.layout import PRIVATE
from storage.settings import read_settings

SUMMARY = "print the configuration of nginx in front, for TLS and many readers"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--certificate", type=Path, metavar="FILE", required=True, help="PEM")
    parser.add_argument("--key", type=Path, metavar="FILE", required=True, help="its key, PEM")
    parser.add_argument(
        "--listen", default="443", metavar="[HOST:]PORT", help="where people come (default 443)"
    )
    parser.add_argument(
        "--app", default="127.0.0.1:8080", metavar="HOST:PORT", help="where `svartid up` listens"
    )
    parser.add_argument("--name", default="_", metavar="HOST", help="the name people use")
    parser.add_argument(
        "--processes", type=int, default=0, metavar="N", help="nginx workers (default: one a core)"
    )
    parser.add_argument(
        "--scratch", type=Path, metavar="DIR", help="for nginx's own files (default DATA/run/front)"
    )
    parser.add_argument(
        "--no-direct", action="store_true", help="all tiles through the application"
    )


def run(args: argparse.Namespace) -> int:
    """Make the scratch folder and print."""
    for file in (args.certificate, args.key):
        if not file.is_file():
            complain(f"svartid front: {file}: no such file")
            return 2
    layout = read_settings(args.data).layout.create()
    scratch = (args.scratch or layout.run / "front").absolute()
    scratch.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
    front = Front(
        pyramids=layout.pyramids,
        scratch=scratch,
        owner=layout.pyramids.owner(),
        certificate=args.certificate.absolute(),
        key=args.key.absolute(),
        listen=args.listen,
        app=args.app,
        name=args.name,
        processes=str(args.processes) if args.processes > 0 else "auto",
        direct=not args.no_direct,
    )
    print(nginx_configuration(front), end="")
    return 0
