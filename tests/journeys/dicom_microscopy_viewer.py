"""dicom-microscopy-viewer, Slim's engine, showing a series of our DICOMweb in Chromium.

`make install` puts it beside the tests' other programs; `python -m tests.journeys.\
dicom_microscopy_viewer` does the same by itself. It is for tests only, and nothing of it is served
by svartid: a small server of the test's own has the page, and hands on what the page asks for.
"""

from __future__ import annotations

import http.client
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from viewers.browser_packages import BrowserPackage, BrowserPackageError, fetch, is_intact

_BUILT = "package/dist/"
VIEWER = BrowserPackage(
    name="dicom-microscopy-viewer",
    version="0.48.24",
    integrity=(
        "sha512-016o/23eNqXMxgX5EjnDmFz1ROSMQmU7vmRlTVPUgshl6NaBrZzEyWkzq4BNaFFPfrE274AWdR5crW51cWh"
        "+9g=="
    ),
    files={
        f"{_BUILT}dicomMicroscopyViewer.bundle.min.js": "dicomMicroscopyViewer.bundle.min.js",
        **{
            f"{_BUILT}dynamic-import/{name}": name
            for name in (
                "dataLoader.worker.min.js",
                "charlswasm_decode.wasm",
                "dicomiccwasm.wasm",
                "libjpegturbowasm_decode.wasm",
                "openjpegwasm_decode.wasm",
            )
        },
        "package/LICENSE": "LICENSE",
    },
)
CLIENT = BrowserPackage(
    name="dicomweb-client",
    version="0.11.3",
    integrity=(
        "sha512-7t1Rc/01fyFnKlQeNPW9Pvxvmsx8R/BgB2n7BxTuWirRFwlTC5upEeLeS3vO72P+n6/SQZ3+5ij0bgaWDHQ"
        "G/A=="
    ),
    files={"package/build/dicomweb-client.js": "dicomweb-client.js", "package/LICENSE": "LICENSE"},
)
_SHARE = Path(sys.prefix) / "share" / "svartid-tests"
_TYPES = {".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html"}
_PAGE = """<!doctype html><meta charset="utf-8"><title>dicom-microscopy-viewer</title>
<style>html, body, #viewport { margin: 0; width: 100%; height: 100%; background: #fff }</style>
<div id="viewport"></div>
<script src="/dicomweb-client.js"></script>
<script src="/dicomMicroscopyViewer.bundle.min.js"></script>
"""
_SHOW = """async ([study, series]) => {
  const dmv = window.dicomMicroscopyViewer, client =
    new window.DICOMwebClient.api.DICOMwebClient({ url: `${location.origin}/dicom-web` });
  window.loaded = 0;
  window.failed = [];
  const told = await client.retrieveSeriesMetadata(
    { studyInstanceUID: study, seriesInstanceUID: series });
  const metadata = told
    .map((at) => new dmv.metadata.VLWholeSlideMicroscopyImage({ metadata: at }))
    .filter((at) => ["VOLUME", "THUMBNAIL"].includes(at.ImageType[2]));
  const target = document.getElementById("viewport");
  for (const name of ["frame_loading_ended", "frame_loading_error", "loading_error"])
    target.addEventListener(`dicommicroscopyviewer_${name}`, (event) => {
      if (name === "frame_loading_ended") window.loaded += 1;
      else window.failed.push(`${name}: ${JSON.stringify(event.detail)}`);
    });
  const viewer = new dmv.viewer.VolumeImageViewer({ client, metadata });
  viewer.render({ container: target });
  for (const { identifier } of viewer.getAllOpticalPaths()) {
    viewer.activateOpticalPath(identifier);  // one is shown by itself, several are not
    viewer.showOpticalPath(identifier);
  }
  return metadata.length;
}"""


@dataclass(frozen=True)
class Shown:
    """What the viewer made of a series."""

    levels: int
    loaded: int
    failed: list[str]


@contextmanager
def served(root: str, token: str) -> Iterator[str]:
    """A server with the viewer's files, which hands /dicom-web on to `root` with a token."""
    handler = type("Handler", (_Handler,), {"root": root.removeprefix("http://"), "token": token})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def show(page: Page, address: str, study: str, series: str) -> Shown:
    """Open the viewer on a series and wait until it has drawn."""
    page.goto(f"{address}/index.html")
    levels: Any = page.evaluate(_SHOW, [study, series])
    page.wait_for_function("() => window.loaded > 0 || window.failed.length > 0", timeout=30_000)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    loaded, failed = page.evaluate("() => [window.loaded, window.failed]")
    return Shown(int(levels), int(loaded), [str(at) for at in failed])


def files() -> dict[str, Path]:
    """The files of the page; where they were never installed the test is skipped, or fails."""
    found = {}
    for package in (VIEWER, CLIENT):
        folder = _SHARE / package.folder
        if not is_intact(package, folder):
            missing = f"no {package.name} here: make install brings it"
            if os.environ.get("SVARTID_REQUIRE_SLIDES") == "1":
                pytest.fail(missing)
            pytest.skip(missing)
        found |= {name: folder / name for name in package.files.values()}
    return found


class _Handler(BaseHTTPRequestHandler):
    root, token = "", ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/dicom-web/"):
            self._hand_on()
            return
        name = self.path.partition("?")[0].rpartition("/")[2]  # it asks in more than one folder
        if name == "index.html":
            self._send(200, "text/html", _PAGE.encode())
        elif name in files():
            self._send(200, _TYPES[Path(name).suffix], files()[name].read_bytes())
        else:
            self._send(404, "text/plain", b"")

    def _hand_on(self) -> None:
        connection = http.client.HTTPConnection(self.root, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Host": self.headers["Host"]}
        connection.request("GET", self.path, headers=headers | {"Accept": self.headers["Accept"]})
        answer = connection.getresponse()
        self._send(answer.status, answer.headers.get("Content-Type", ""), answer.read())
        connection.close()

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what goes wrong is seen on the page."""


def main() -> int:
    """Fetch both packages if they are not there; 0 when they are in place."""
    for package in (VIEWER, CLIENT):
        folder = _SHARE / package.folder
        try:
            if not is_intact(package, folder):
                fetch(package, folder)
        except BrowserPackageError as error:
            sys.stderr.write(f"{package.folder}: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
