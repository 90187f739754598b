"""A scanner as a foreign program would be: it knows svartid by HTTP and a token, nothing else.

It asks for work, takes as long as scanners do, makes a slide with the glass's barcode on label and
in metadata, and hands it in. Now and then it fails, or has the wrong glass in the slot.
"""

from __future__ import annotations

import hashlib
import math
import os
import random
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from processing.paint import Painting, write_svs

MEDIAN_SECONDS, MEAN_SECONDS = 110.0, 150.0
"""Of a scan on routine slides (docs of the domain: between 117 and 183 s in the mean)."""
_SIGMA = math.sqrt(2 * math.log(MEAN_SECONDS / MEDIAN_SECONDS))
_BEAT = 20.0
_CHUNK = 4 * 2**20
_TRIES = 5
_TUS = {"Tus-Resumable": "1.0.0"}
_REASONS = ("focus", "tissue_not_found", "stitching", "glass_jammed")

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What the simulated scanner is like."""

    station: str = "S1"
    site: str = ""
    watch: Path | None = None
    """The watch folder it drops files in; None: it uploads them."""
    speed: float = 1.0
    """How many times faster than a real one."""
    failures: float = 0.015
    mistakes: float = 0.0
    """Share of scans with the wrong glass in the slot."""
    size: tuple[int, int] = (1500, 1100)
    poll: float = 1.0


class Stopped(Exception):
    """Told to stop in the middle of a scan."""


@dataclass(slots=True)
class Scanner:
    """One machine; `client` has the address of svartid and the token in its headers."""

    client: httpx.Client
    options: Options
    tell: Tell
    chance: random.Random = field(default_factory=random.Random)
    stop: threading.Event = field(default_factory=threading.Event)
    _last: str = ""
    """The glass scanned before: what lies in the slot when somebody was in a hurry."""

    def run(self) -> None:
        """Scan until told to stop; a server that is away or busy is waited for."""
        pause = self.options.poll
        while not self.stop.is_set():
            try:
                worked = self.once()
                pause = self.options.poll
            except (httpx.TransportError, httpx.HTTPStatusError) as error:
                if isinstance(error, httpx.HTTPStatusError) and not error.response.is_server_error:
                    raise
                self.tell({"event": "server_away", "error": type(error).__name__})
                worked, pause = False, min(pause * 2, 30.0)
            if not worked:
                self.stop.wait(pause)

    def once(self) -> bool:
        """One scan, if one waits. Errors: httpx.HTTPStatusError, httpx.TransportError."""
        asked = {"kind": "scan", "station": self.options.station, "site": self.options.site}
        answer = self._post("/api/v1/work/next", asked)
        if answer.status_code == httpx.codes.NO_CONTENT:
            return False
        item = answer.json()
        about = {"item_id": item["item_id"], "barcode": item["barcode"]}
        try:
            self._scan(item, about)
        except Stopped:
            self._fail(item, about, "stopped")
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.CONFLICT:
                raise
            self.tell({"event": "taken_away", **about})
        except (OSError, ValueError) as error:  # the disk, or a barcode that cannot be printed
            self._fail(item, about, type(error).__name__)
        return True

    def draw_seconds(self) -> float:
        """How long a scan takes on a real machine: lognormal."""
        return self.chance.lognormvariate(math.log(MEDIAN_SECONDS), _SIGMA)

    def _scan(self, item: dict[str, Any], about: dict[str, Any]) -> None:
        self._say(item, "start", {"station": self.options.station})
        seconds = self.draw_seconds()
        fails = self.chance.random() < self.options.failures
        self.tell({"event": "started", **about, "seconds": round(seconds, 1)})
        self._wait(item, seconds * (self.chance.random() if fails else 1.0) / self.options.speed)
        if fails:
            self._fail(item, about, self.chance.choice(_REASONS))
            return
        glass = self._glass(item["barcode"])
        with tempfile.TemporaryDirectory(prefix="svartid-scanner-") as folder:
            path = Path(folder) / f"{self.options.station}-{item['item_id'][:12]}.svs"
            write_svs(self._painting(glass, item["stain"]), path)
            fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
            self._say(item, "finish", {"fingerprint": fingerprint})
            self._deliver(item, path)
        told = {"event": "delivered", **about, "fingerprint": fingerprint}
        self.tell(told | ({"wrong_glass": glass} if glass != item["barcode"] else {}))

    def _glass(self, wanted: str) -> str:
        """What really lies in the slot."""
        if self.chance.random() >= self.options.mistakes:
            self._last = wanted
            return wanted
        return self._last if self._last not in ("", wanted) else f"{wanted}-X"

    def _painting(self, barcode: str, stain: str) -> Painting:
        """Another one each time: the same bytes would be the same scan."""
        plain = "".join(c for c in stain if c.isascii() and c.isprintable() and c not in "|\\")
        width, height = self.options.size
        seed = self.chance.randrange(1 << 31)
        return Painting(
            width, height, seed, barcode=barcode, accession="SCANNED", stain=plain[:16] or "HE"
        )

    def _wait(self, item: dict[str, Any], seconds: float) -> None:
        """As long as a scan takes, telling now and then that it goes on."""
        until, beat = time.monotonic() + seconds, time.monotonic() + _BEAT
        while (left := until - time.monotonic()) > 0:
            if self.stop.wait(min(left, _BEAT / 4)):
                raise Stopped
            if time.monotonic() >= beat:
                self._say(item, "beat", None)
                beat += _BEAT

    def _fail(self, item: dict[str, Any], about: dict[str, Any], reason: str) -> None:
        self._say(item, "fail", {"reason": reason})
        self.tell({"event": "failed", **about, "reason": reason})

    def _deliver(self, item: dict[str, Any], path: Path) -> None:
        """Into the watch folder, whole by its last name; or by an upload that goes on."""
        if self.options.watch is None:
            self._upload(path)
            return
        part = self.options.watch / f"{path.name}.part"
        with part.open("wb") as file:
            file.write(path.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        part.rename(self.options.watch / path.name)

    def _upload(self, path: Path) -> None:
        """tus: created, then sent piece by piece from where the server says it is."""
        size = path.stat().st_size
        name = b64encode(path.name.encode()).decode()
        head = _TUS | {"Upload-Length": str(size), "Upload-Metadata": f"filename {name}"}
        address = self._sent("POST", "/api/v1/uploads", head).headers["location"]
        offset, failures = 0, 0
        with path.open("rb") as file:
            while offset < size:
                file.seek(offset)
                piece = file.read(_CHUNK)
                head = _TUS | {
                    "Upload-Offset": str(offset),
                    "Content-Type": "application/offset+octet-stream",
                }
                try:
                    answer = self._sent("PATCH", address, head, piece)
                except httpx.TransportError:
                    failures += 1
                    if failures >= _TRIES:
                        raise
                    self.stop.wait(self.options.poll)
                    answer = self._sent("HEAD", address, _TUS)
                offset = int(answer.headers["upload-offset"])

    def _say(self, item: dict[str, Any], word: str, body: dict[str, Any] | None) -> None:
        """Tell what becomes of an item; a word that got lost on the way is said again."""
        for attempt in range(_TRIES):
            try:
                self._post(f"/api/v1/work/{item['item_id']}/{word}", body)
            except httpx.TransportError:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(self.options.poll)
            else:
                return

    def _post(self, address: str, body: dict[str, Any] | None) -> httpx.Response:
        return self.client.post(address, json=body).raise_for_status()

    def _sent(
        self, method: str, address: str, headers: dict[str, str], body: bytes = b""
    ) -> httpx.Response:
        answer = self.client.request(method, address, headers=headers, content=body)
        return answer.raise_for_status()
