"""What `benchmarks.direct` measures on: a slide, a thousand copies of it, web processes, nginx."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from flows.bundles import bundles_at
from flows.completion import complete
from flows.front import Front, nginx_configuration
from flows.ingest import read_in
from flows.receive import receive
from flows.services import Services, prepare_services
from flows.supervisor import free_port
from storage import leases, ngff, people
from storage.pyramids import Pyramids
from storage.records.geometry import deep_zoom_top
from storage.records.intake import IntakeState, Source
from storage.records.people import Role
from storage.settings import read_settings
from storage.shards import Shard

_SIGNING = "benchmark"
_PEERS = r"""
        location ~ "^/plain/(?<slide>[0-9a-f]{20})/(?<shard>\d{1,2}/c/0/\d{1,4}/\d{1,4})\z" {
            alias PYRAMIDS/$slide.ome.zarr/$shard;
        }
        location ~ "^/signed/(?<sum>[\w-]{22})/(?<until>\d{10})/(?<slide>[0-9a-f]{20})/(?<shard>\d{1,2}/c/0/\d{1,4}/\d{1,4})\z" {
            secure_link $sum,$until;
            secure_link_md5 "$until $slide SIGNING";
            if ($secure_link != "1") { return 403; }
            alias PYRAMIDS/$slide.ome.zarr/$shard;
        }
        location /direct/"""  # noqa: E501 - one regular expression
"""Beside our way: the same files with no rule at all, and with nginx's own signed addresses."""


@dataclass(frozen=True)
class Ground:
    """A data folder with one slide, and a token that may see it."""

    services: Services
    slide_id: str
    token: str

    @property
    def folder(self) -> Path:
        """The slide's pyramid."""
        return self.services.pyramids.path(self.slide_id)


@dataclass(frozen=True)
class Tile:
    """A level-0 tile by both ways: its ordinary address, or a shard and a range of it."""

    ordinary: str
    shard: str
    first: int
    last: int


def prepare(slide: Path, folder: Path) -> Ground:
    """Read the slide in, with all its levels."""
    services = prepare_services(read_settings(folder / "data", {}))
    row, _ = receive(services, bundles_at(slide)[0], Source.COMMAND, "benchmark")
    for state, stage in ((IntakeState.RECEIVED, read_in), (IntakeState.READY, complete)):
        leases.claim(services.database, "bench:1", 600, (state,))
        stage(services, row.intake_id)
    people.ensure_person(services.database, "bench", Role.PATHOLOGIST)
    token = people.create_token(services.database, "bench", Role.PATHOLOGIST, 1)
    return Ground(services, row.slide_id, token)


def tiles_of(ground: Ground, count: int, slide_id: str | None = None) -> list[Tile]:
    """Random tiles of level 0, the same at every run."""
    record, _ = ground.services.pyramids.describe(ground.slide_id)
    plan, name = record.plan, slide_id or ground.slide_id
    per, grid = plan.shard_tiles, plan.size.in_tiles(plan.tile_edge)
    top, pick = deep_zoom_top(plan.size), random.Random(7)
    tiles, shards = [], dict[str, Shard]()
    for _ in range(count):
        column, row = pick.randrange(grid.width), pick.randrange(grid.height)
        key = ngff.shard_key(0, row // per, column // per)
        shard = shards.get(key) or Shard.open(ground.folder / key, per * per)
        assert shard is not None
        shards[key] = shard
        start, length = shard.index[row % per * per + column % per].tolist()
        address = f"/slides/{name}_files/{top}/{column}_{row}.jpeg"
        tiles.append(Tile(address, f"{name}/{key}", start, start + length - 1))
    return tiles


def copies(ground: Ground, count: int) -> list[str]:
    """More slides with the same tiles: hard links, but for the file that names the slide."""
    pyramids: Pyramids = ground.services.pyramids
    names = [hashlib.sha256(str(at).encode()).hexdigest()[:20] for at in range(count)]
    document = (ground.folder / "zarr.json").read_bytes()
    for name in names:
        target = pyramids.path(name)
        shutil.copytree(ground.folder, target, copy_function=os.link)
        (target / "zarr.json").unlink()
        with (target / "zarr.json").open("xb") as file:
            file.write(document.replace(ground.slide_id.encode(), name.encode()))
            file.flush()
            os.fsync(file.fileno())  # what is not on disk cannot be evicted
    return names


@contextmanager
def web(ground: Ground, count: int = 1) -> Iterator[tuple[int, list[int]]]:
    """Web processes as `svartid up` starts them; (port, process ids)."""
    port = free_port()
    environment = os.environ | {
        "SVARTID_DATA": str(ground.services.settings.data),
        "SVARTID_WEB_WORKERS": str(count),
    }
    command = [sys.executable, "-m", "flows.web_server", "127.0.0.1", str(port)]
    with ExitStack() as stack:
        pids = [stack.enter_context(_running(command, environment)) for _ in range(count)]
        for _ in range(8 * count):
            _wait(f"http://127.0.0.1:{port}/healthz")
        yield port, pids


@contextmanager
def nginx(ground: Ground, app: int, folder: Path, processes: int) -> Iterator[tuple[int, int]]:
    """The front as `svartid front` prints it, and beside TLS a plain port; (TLS port, plain)."""
    tls, plain = free_port(), free_port()
    pyramids = ground.services.layout.pyramids
    front = Front(
        pyramids, folder, pyramids.owner(), *_certificate(folder), listen=f"127.0.0.1:{tls}",
        app=f"127.0.0.1:{app}", processes=str(processes),
    )  # fmt: skip
    text = nginx_configuration(front)
    text = text.replace("ssl http2;", f"ssl http2;\n        listen 127.0.0.1:{plain};")
    peers = _PEERS.replace("PYRAMIDS", str(pyramids)).replace("SIGNING", _SIGNING)
    text = text.replace("\n        location /direct/", peers)
    configuration = folder / "nginx.conf"
    configuration.write_text(text)
    command = ["nginx", "-e", "stderr", "-g", "daemon off;", "-c", str(configuration)]
    with _running(command, dict(os.environ)):
        _wait(f"http://127.0.0.1:{plain}/healthz")
        yield tls, plain


def signed(ground: Ground) -> str:
    """The base of an address that nginx's secure_link lets pass for an hour."""
    until = int(time.time()) + 3600
    said = hashlib.md5(f"{until} {ground.slide_id} {_SIGNING}".encode()).digest()
    return f"/signed/{base64.urlsafe_b64encode(said).decode().rstrip('=')}/{until}/"


def trusting() -> ssl.SSLContext:
    """TLS without a look at the certificate, which was made a moment ago."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def memory(pid: int) -> dict[str, float]:
    """Resident MB and open descriptors of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return {
        "rss_mb": round(int(resident.split()[1]) / 1024, 1),
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
    }


def _certificate(folder: Path) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "tls.crt", folder / "tls.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    command += ["ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen(command, env=environment)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def _wait(address: str) -> None:
    for _ in range(200):
        try:
            urlopen(address, timeout=1)
            return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"{address} did not answer")
