"""Uploads that are under way: a file that grows and what is known of it, below DATA/uploads.

When the last byte is there the file goes to `done/`, where the watch folder takes it over.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from storage.errors import NotFound, Refused
from storage.layout import ACTOR
from storage.shards import write_parts

KEPT_SECONDS = 2 * 24 * 3600
"""An upload nobody has continued for that long is removed."""
_ID = re.compile(r"[0-9a-f]{32}")
_MOST_NAME = 150
_NOT_FINAL = frozenset(
    {".part", ".tmp", ".partial", ".crdownload", ".filepart", ".writing", ".done"}
)
"""Endings that mean something else in a watched folder."""


@dataclass(frozen=True, slots=True)
class PartialUpload:
    """One upload: how long it will be, what it is called and whose it is."""

    upload_id: str
    length: int
    filename: str
    actor: str


class PartialUploads:
    """The uploads of one data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, filename: str, length: int, actor: str) -> PartialUpload:
        """Begin an upload, with nothing in it yet."""
        self._remove_forgotten()
        upload = PartialUpload(uuid.uuid4().hex, length, safe_name(filename), actor)
        self._data(upload.upload_id).touch(mode=0o600)
        words = json.dumps(asdict(upload)).encode()
        write_parts(self._about(upload.upload_id), [words], sync=False)
        return upload

    def find(self, upload_id: str, actor: str) -> PartialUpload:
        """An upload of this person. Errors: NotFound, also for somebody else's."""
        if _ID.fullmatch(upload_id):
            try:
                upload = PartialUpload(**json.loads(self._about(upload_id).read_bytes()))
            except FileNotFoundError:
                pass
            else:
                if upload.actor == actor:
                    return upload
        raise NotFound("no such upload")

    def offset(self, upload: PartialUpload) -> int:
        """How many bytes have come. Errors: NotFound."""
        try:
            return self._data(upload.upload_id).stat().st_size
        except FileNotFoundError:
            raise NotFound("no such upload") from None

    @contextmanager
    def appending(self, upload: PartialUpload) -> Iterator[BinaryIO]:
        """The file, open at its end, for one sender at a time. Errors: NotFound, Refused."""
        try:
            file = self._data(upload.upload_id).open("r+b")
        except FileNotFoundError:
            raise NotFound("no such upload") from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refused("another request is sending to this upload") from None
            file.seek(0, os.SEEK_END)
            yield file

    def hand_over(self, upload: PartialUpload) -> None:
        """Everything is here: give it to the watch folder, under its own name, whole."""
        folder = self._folder / "done" / upload.upload_id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ACTOR).write_text(upload.actor, "utf-8")
        data = self._data(upload.upload_id)
        try:
            with data.open("rb") as file:
                os.fsync(file.fileno())
            data.rename(folder / upload.filename)
        except FileNotFoundError:
            raise NotFound("the upload was removed meanwhile") from None
        self._about(upload.upload_id).unlink(missing_ok=True)

    def remove(self, upload: PartialUpload) -> None:
        """Forget an upload and what came of it."""
        self._data(upload.upload_id).unlink(missing_ok=True)
        self._about(upload.upload_id).unlink(missing_ok=True)

    def _data(self, upload_id: str) -> Path:
        return self._folder / upload_id

    def _about(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}.json"

    def _remove_forgotten(self) -> None:
        oldest = time.time() - KEPT_SECONDS
        for file in self._folder.iterdir():
            if _ID.fullmatch(file.stem) and file.is_file() and file.stat().st_mtime < oldest:
                file.unlink(missing_ok=True)


def safe_name(name: str) -> str:
    """A file name without folders, control characters or a meaning in a watched folder."""
    printable = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in name)
    stem, dot, suffix = printable.strip(". ").rpartition(".")
    if not dot or len(suffix.encode()) > _MOST_NAME // 2:
        stem, dot, suffix = stem + dot + suffix, "", ""
    room = _MOST_NAME - len((dot + suffix).encode())
    short = stem.encode()[:room].decode(errors="ignore") + dot + suffix
    if Path(short).suffix.lower() in _NOT_FINAL:
        short += "_"
    return short or "unnamed"
