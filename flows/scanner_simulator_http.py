"""A simulated scanner that knows svartid by HTTP and a token, nothing else."""

from __future__ import annotations

import hashlib
import os
import time
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flows.scanner_simulator import Item, Machine, TakenAway
from processing.paint import Painting, write_svs

_CHUNK = 4 * 2**20
_TRIES = 5
_TUS = {"Tus-Resumable": "1.0.0"}


@dataclass(slots=True, kw_only=True)
class Scanner(Machine):
    """`client` has the address of svartid and the token in its headers."""

    client: httpx.Client

    def is_away(self, error: Exception) -> bool:
        """See `Machine`."""
        if isinstance(error, httpx.HTTPStatusError):
            return error.response.is_server_error
        return isinstance(error, httpx.TransportError)

    def ask(self) -> Item | None:
        """See `Machine`. Errors: httpx.HTTPStatusError, httpx.TransportError."""
        asked = {"kind": "scan", "station": self.options.station, "site": self.options.site}
        answer = self._post("/api/v1/work/next", asked)
        if answer.status_code == httpx.codes.NO_CONTENT:
            return None
        item: Item = answer.json()
        return item

    def say(self, item: Item, word: str, reason: str = "") -> None:
        """See `Machine`."""
        bodies: dict[str, Any] = {
            "start": {"station": self.options.station}, "fail": {"reason": reason},
        }  # fmt: skip
        self._say(item, word, bodies.get(word))

    def hand_in(self, item: Item, painting: Painting, folder: Path) -> Item:
        """See `Machine`: the fingerprint first, so that it is known what the file is of."""
        path = folder / f"{self.options.station}-{item['item_id'][:12]}.svs"
        write_svs(painting, path)
        fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
        self._say(item, "finish", {"fingerprint": fingerprint})
        self._deliver(path)
        return {"fingerprint": fingerprint}

    def _deliver(self, path: Path) -> None:
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

    def _say(self, item: Item, word: str, body: dict[str, Any] | None) -> None:
        """Tell what becomes of an item; a word that got lost on the way is said again."""
        for attempt in range(_TRIES):
            try:
                self._post(f"/api/v1/work/{item['item_id']}/{word}", body)
            except httpx.HTTPStatusError as error:
                if error.response.status_code == httpx.codes.CONFLICT:
                    raise TakenAway from error
                raise
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
