"""The servers whose tiles are measured, each with the address of a tile of level 0."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.conversion import deep_zoom_folder, dicom_folder
from benchmarks.installation import Installation, uvicorn, web_app
from benchmarks.measure import Missing
from benchmarks.peers import Environment
from flows.supervisor import free_port

Address = Callable[[int, int], str]
"""Path of a level-0 tile by column and row."""

SVARTID, SVARTID_2 = "svartid, 1 worker", "svartid, 2 workers"
ORTHANC = "Orthanc /wsi/tiles"
DEEP_ZOOM = "openslide-python DeepZoomGenerator"
NGINX = "nginx, Deep Zoom files"
_HERE = Path(__file__).parent
_IIPSRV = "/usr/lib/iipimage-server/iipsrv.fcgi"
_PLUGIN = "/usr/share/orthanc/plugins/libOrthancWSI.so"


@dataclass(frozen=True)
class Server:
    """How a server is started and asked."""

    port: int
    commands: tuple[tuple[str, ...], ...]
    tile: Address
    alive: str
    """An address that answers 200 when the server is up."""
    header: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    fill: Callable[[], Address] | None = None
    """Run once the server is up; gives the address of tiles."""


@dataclass(frozen=True)
class Bench:
    """What servers are made from."""

    slide: Path
    folder: Path
    installation: Installation
    peers: Mapping[str, Environment]
    alone: bool
    """True in a network of its own, where a server that listens on every address is no danger."""


def servers(bench: Bench) -> Iterator[tuple[str, Callable[[], Server]]]:
    """Names and how each is made; making may raise Missing."""
    yield SVARTID, lambda: _svartid(bench, 1)
    yield SVARTID_2, lambda: _svartid(bench, 2)
    yield NGINX, lambda: _nginx_files(bench, "")
    yield f"{NGINX}, open_file_cache", lambda: _nginx_files(bench, _FILE_CACHE)
    yield "iipsrv, IIIF", lambda: _iipsrv(bench)
    yield DEEP_ZOOM, lambda: _deep_zoom(bench)
    yield "large_image, tiff", lambda: _large_image(bench)
    yield ORTHANC, lambda: _orthanc(bench)


def _svartid(bench: Bench, workers: int) -> Server:
    port, ours = free_port(), bench.installation
    environment = {"SVARTID_DATA": str(ours.data)}
    return Server(
        port, (web_app(port, workers),), ours.tile, ours.tile(0, 0), ours.header, environment
    )


def _deep_zoom(bench: Bench) -> Server:
    port, top = free_port(), bench.installation.top
    command = uvicorn("benchmarks.deep_zoom_peer:app", port)
    return Server(
        port,
        (command,),
        lambda column, row: f"/slides/any_files/{top}/{column}_{row}.jpeg",
        "/healthz",
        environment={"SLIDE": str(bench.slide)},
    )


def _large_image(bench: Bench) -> Server:
    port, peer = free_port(), bench.peers["large-image"]
    command = uvicorn(
        "large_image_peer:app", port, "--app-dir", str(_HERE), python=peer.program("python")
    )
    return Server(
        port,
        (command,),
        lambda column, row: f"/tile/{column}_{row}.jpeg",
        "/healthz",
        environment={"SLIDE": str(bench.slide), "PYTHONPATH": ""},
    )


_FILE_CACHE = "open_file_cache max=20000 inactive=600s; open_file_cache_valid 600s;"
_NGINX = """\
daemon off; worker_processes 1; pid {folder}/nginx.pid; {user}
error_log stderr error;
events {{ worker_connections 256; }}
http {{
  access_log off; types {{ image/jpeg jpg; }} {options}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}; root {root};
    location = /iipsrv {{
      fastcgi_pass 127.0.0.1:{behind};
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param REQUEST_URI $request_uri;
      fastcgi_param HTTP_HOST $http_host;
      fastcgi_param SERVER_PROTOCOL $server_protocol;
    }}
  }}
}}
"""


def _nginx(bench: Bench, port: int, options: str, behind: int) -> tuple[str, ...]:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise Missing("nginx is not installed")
    folder = bench.folder / f"nginx-{port}"
    folder.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""  # the folder is closed to others
    text = _NGINX.format(
        folder=folder, user=user, options=options, port=port, behind=behind, root=bench.folder
    )
    (folder / "nginx.conf").write_text(text)
    return (program, "-c", str(folder / "nginx.conf"), "-e", "stderr")


def _nginx_files(bench: Bench, options: str) -> Server:
    tiles, top = deep_zoom_folder(bench.folder), bench.installation.top
    if not tiles.is_dir():
        raise Missing("vips dzsave left no tiles to serve")
    port = free_port()
    command = _nginx(bench, port, options, free_port())

    def tile(column: int, row: int) -> str:
        return f"/{tiles.name}/{top}/{column}_{row}.jpg"

    return Server(port, (command,), tile, tile(0, 0))


def _iipsrv(bench: Bench) -> Server:
    if not Path(_IIPSRV).exists():
        raise Missing("iipimage-server is not installed")
    port, behind = free_port(), free_port()
    commands = (
        (_IIPSRV, "--bind", f"127.0.0.1:{behind}", "--backlog", "64"),
        _nginx(bench, port, "", behind),
    )

    def tile(column: int, row: int) -> str:
        return f"/iipsrv?IIIF={bench.slide}/{column * 256},{row * 256},256,256/256,/0/default.jpg"

    environment = {"VERBOSITY": "0", "LOGFILE": "/dev/null"}
    return Server(port, commands, tile, tile(0, 0), environment=environment)


def _orthanc(bench: Bench) -> Server:
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    if program is None or not Path(_PLUGIN).exists():
        raise Missing("orthanc and orthanc-wsi are not both installed")
    if not bench.alone:
        raise Missing("it listens on every address, and no network of its own could be made")
    instances = sorted(dicom_folder(bench.folder).glob("*.dcm"))
    if not instances:
        raise Missing("OrthancWSIDicomizer left no instances to serve")
    port, store = free_port(), bench.folder / "orthanc"
    store.mkdir()
    configuration = {
        "StorageDirectory": str(store),
        "IndexDirectory": str(store),
        "Plugins": [_PLUGIN],
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
    }
    (store / "orthanc.json").write_text(json.dumps(configuration))

    def fill() -> Address:
        base = f"http://127.0.0.1:{port}"
        for instance in instances:
            urllib.request.urlopen(f"{base}/instances", data=instance.read_bytes()).close()
        with urllib.request.urlopen(f"{base}/series") as answer:
            series = json.load(answer)[0]
        return lambda column, row: f"/wsi/tiles/{series}/0/{column}/{row}"

    command = (program, str(store / "orthanc.json"))
    return Server(port, (command,), lambda column, row: "", "/system", fill=fill)


def in_own_network(command: list[str]) -> list[str] | None:
    """The command in a network with nothing but loopback; None where that is not allowed."""
    flags = ["--net"] if os.geteuid() == 0 else ["--net", "--map-root-user"]
    if shutil.which("unshare") is None:
        return None
    tried = subprocess.run(["unshare", *flags, "true"], capture_output=True, check=False)
    return ["unshare", *flags, *command] if tried.returncode == 0 else None
