"""zarrita in Chromium, with the lines of docs/reading-pyramids.md and nothing else of ours."""

from __future__ import annotations

import base64
import json
import mimetypes
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, Route

from viewers.browser_packages import npm_command

_HERE = Path(__file__).parent
_DOCS = _HERE.parents[1] / "docs" / "reading-pyramids.md"
_PINNED = _HERE / "zarrita"
_ORIGIN = "http://zarrita.test"
_MODULES = {
    "zarrita": "zarrita/dist/src/index.js",
    "@zarrita/storage": "@zarrita/storage/dist/src/index.js",
    "@zarrita/storage/fetch": "@zarrita/storage/dist/src/fetch.js",
    "numcodecs/": "numcodecs/dist/",
    "numcodecs/blosc": "numcodecs/dist/blosc.js",
    "reference-spec-reader": "reference-spec-reader/dist/index.js",
    "unzipit": "unzipit/dist/unzipit.module.js",
}
_PACK = """
export function pack(region) {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: wide } = region.data;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096)
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return { shape: region.shape, stride: region.stride, wide, data: btoa(text) };
}
"""
_AT_BOX = """
export async function readBox(address, level, [x, y, width, height]) {
  const group = await zarr.open(new zarr.FetchStore(address), { kind: "group" });
  const array = await zarr.open(group.resolve(level), { kind: "array" });
  return pack(await zarr.get(array, [null, zarr.slice(y, y + height), zarr.slice(x, x + width)]));
}
"""


def install_zarrita() -> Path:
    """`npm ci` of the pinned packages, once per environment; the node_modules folder."""
    folder = Path(sys.prefix) / "share" / "svartid-tests" / "zarrita"
    lock = (_PINNED / "package-lock.json").read_bytes()
    done = folder / "installed.json"
    if not done.exists() or done.read_bytes() != lock:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(_PINNED, folder)
        command = [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
        done.write_bytes(lock)
    return folder / "node_modules"


def documented_lines() -> tuple[str, str]:
    """The two blocks of JavaScript in the documentation: the codec, and reading a region."""
    codec, reading = re.findall(r"```js\n(.*?)```", _DOCS.read_text(), re.DOTALL)
    return codec, reading


class Zarrita:
    """A page that has only zarrita, and the pyramids of a folder to read from."""

    def __init__(self, browser: Browser, pyramids: Path) -> None:
        self._packages, self._pyramids = install_zarrita(), pyramids
        self.page: Page = browser.new_page()
        self.page.route("**/*", self._serve)
        self.page.goto(f"{_ORIGIN}/")

    def read_as_documented(self, slide_id: str) -> NDArray[np.uint8 | np.uint16]:
        """What the documented lines read, [c, y, x]."""
        return self._run("readDocumented(address)", slide_id, None, None)

    def read(
        self, slide_id: str, level: int, box: tuple[int, int, int, int]
    ) -> NDArray[np.uint8 | np.uint16]:
        """A region of a level, [c, y, x]."""
        return self._run("readBox(address, level, box)", slide_id, str(level), box)

    def _run(
        self, call: str, slide_id: str, level: str | None, box: object
    ) -> NDArray[np.uint8 | np.uint16]:
        answer: dict[str, Any] = self.page.evaluate(
            f"async ([address, level, box]) => (await import('/lines.js')).{call}",
            [f"{_ORIGIN}/pyramids/{slide_id}.ome.zarr", level, box],
        )
        flat = np.frombuffer(base64.b64decode(answer["data"]), f"<u{answer['wide']}")
        strides = [step * answer["wide"] for step in answer["stride"]]
        return np.lib.stride_tricks.as_strided(flat, answer["shape"], strides)

    def _serve(self, route: Route) -> None:
        kind, _, rest = urlparse(route.request.url).path[1:].partition("/")
        if kind == "":
            imports = {name: f"/packages/{path}" for name, path in _MODULES.items()}
            table = json.dumps({"imports": imports})
            html = f'<!doctype html><script type="importmap">{table}</script>'
            route.fulfill(body=html, content_type="text/html")
        elif kind == "lines.js":
            route.fulfill(body=_lines(), content_type="text/javascript")
        elif kind in {"packages", "pyramids"}:
            root = self._packages if kind == "packages" else self._pyramids
            _send_file(route, root / rest)
        else:
            route.fulfill(status=404)

    def close(self) -> None:
        self.page.close()


def _lines() -> str:
    codec, reading = documented_lines()
    documented = (
        f"export async function readDocumented(address) {{\n{reading}\nreturn pack(region);\n}}"
    )
    return "\n".join([codec, _PACK, documented, _AT_BOX])


def _send_file(route: Route, file: Path) -> None:
    """A file or a part of it, as any static web server answers."""
    if not file.is_file():
        route.fulfill(status=404)
        return
    data = file.read_bytes()
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", route.request.headers.get("range", ""))
    if asked is None:
        headers = {"content-length": str(len(data)), "content-type": kind}
        route.fulfill(body=b"" if route.request.method == "HEAD" else data, headers=headers)
        return
    first, last = asked[1], asked[2]
    start = int(first) if first else len(data) - int(last)
    end = int(last) + 1 if first and last else len(data)
    headers = {"content-type": kind, "content-range": f"bytes {start}-{end - 1}/{len(data)}"}
    route.fulfill(status=206, body=data[start:end], headers=headers)
