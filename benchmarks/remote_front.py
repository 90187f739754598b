"""nginx before the application: TLS and HTTP/2, as a hospital's front would be."""

from __future__ import annotations

import base64
import hashlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_CONF = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream application {{ server 127.0.0.1:{behind}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;
    ssl_protocols TLSv1.3;
    http2_max_concurrent_streams 256;
    location / {{
      proxy_pass http://application;
      proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffering on; proxy_read_timeout 1h;
    }}
    location = /api/v1/changes {{
      proxy_pass http://application;
      proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffering off; proxy_read_timeout 1h;
    }}
  }}
}}
"""


@dataclass(frozen=True)
class Front:
    """Where it listens, and what makes Chromium take its certificate for a good one."""

    port: int
    browser_argument: str


@contextmanager
def front(folder: Path, behind: int) -> Iterator[Front | None]:
    """An nginx with HTTP/2 before the application's port; None where there is no nginx."""
    if shutil.which("nginx") is None or shutil.which("openssl") is None:
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    argument = _certificate(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (folder / "nginx.conf").write_text(_CONF.format(folder=folder, behind=behind, port=port))
    words = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with subprocess.Popen(words) as process:
        try:
            _wait(port)
            yield Front(port, argument)
        finally:
            process.terminate()


def _certificate(folder: Path) -> str:
    """A key and a self-signed certificate; Chromium caches nothing behind one it distrusts."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    words += " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    _run([*words.split(), "-keyout", str(key), "-out", str(certificate)])
    public = _run(["openssl", "pkey", "-in", str(key), "-pubout", "-outform", "DER"])
    digest = base64.b64encode(hashlib.sha256(public).digest()).decode()
    return f"--ignore-certificate-errors-spki-list={digest}"


def _run(words: list[str]) -> bytes:
    return subprocess.run(words, capture_output=True, check=True).stdout


def _wait(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("nginx did not start")
