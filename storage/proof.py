"""The proof of a scan: a digest of every tile and file under one root, and where tiles came from.

Kept as `proof.zip` inside the pyramid, so that an exported pyramid can still be checked; the
root stands in the database and in the event log, where nobody who changes a file changes it.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from storage import merkle
from storage.errors import StoreDamaged
from storage.merkle import DIGEST_BYTES

PROOF_FILE = "proof.zip"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Zip's oldest moment: the same proof is the same bytes, whenever it is written."""


@dataclass(frozen=True)
class Places:
    """Where the tiles of a copied level lie in the original. [row, column], bytes; length 0: none.

    A stored tile is `head` followed by the original's bytes without their first two (FFD8), or
    those bytes as they are where `head` is empty.
    """

    file: str
    """Name inside the original; the only one has the name it came under."""
    head: bytes
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def digest(self) -> bytes:
        """SHA-256 over all of it."""
        words = f"{self.file}\0{self.offsets.shape}\0".encode() + self.head
        pieces = (words, self.offsets.astype("<i8").tobytes(), self.lengths.astype("<i8").tobytes())
        return hashlib.sha256(b"".join(pieces)).digest()


@dataclass(frozen=True)
class Proof:
    """Of one scan."""

    fingerprint: str
    tiles: Mapping[int, NDArray[np.uint8]]
    """By level: [row, column, 32], `merkle.leaf` of each tile's stored bytes."""
    files: Mapping[str, bytes]
    """SHA-256 by name, of every small file of the pyramid but this proof."""
    places: Mapping[int, Places] = field(default_factory=dict)

    @cached_property
    def root(self) -> str:
        """Hex digest that stands for all of it."""
        return merkle.root([merkle.leaf(entry) for entry in self._entries()]).hex()

    def tile_path(self, level: int, column: int, row: int) -> list[tuple[str, bytes]]:
        """The way from a tile's leaf to the root of its level."""
        columns = self.tiles[level].shape[1]
        return merkle.path(_leaves(self.tiles[level]), row * columns + column)

    @cached_property
    def level_roots(self) -> dict[int, bytes]:
        """By level: the root over its tiles, row by row."""
        return {level: merkle.root(_leaves(at)) for level, at in self.tiles.items()}

    def level_path(self, level: int) -> list[tuple[str, bytes]]:
        """The way from a level's entry to the root of the scan."""
        entries = self._entries()
        at = entries.index(_entry(f"tiles/{level}", self.level_roots[level]))
        return merkle.path([merkle.leaf(entry) for entry in entries], at)

    def _entries(self) -> list[bytes]:
        named = {"original": bytes.fromhex(self.fingerprint)}
        named |= {f"tiles/{level}": root for level, root in self.level_roots.items()}
        named |= {f"places/{level}": at.digest() for level, at in self.places.items()}
        named |= {f"file/{name}": digest for name, digest in self.files.items()}
        return [_entry(name, digest) for name, digest in sorted(named.items())]

    def to_bytes(self) -> bytes:
        """As a zip archive; the same proof gives the same bytes."""
        about = {
            "format": 1,
            "fingerprint": self.fingerprint,
            "root": self.root,
            "files": {name: digest.hex() for name, digest in sorted(self.files.items())},
            "grids": {str(level): at.shape[:2] for level, at in sorted(self.tiles.items())},
            "places": {
                str(level): {"file": at.file, "head": at.head.hex()}
                for level, at in sorted(self.places.items())
            },
        }
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            _add(archive, "proof.json", json.dumps(about, indent=1).encode(), packed=True)
            for level, digests in sorted(self.tiles.items()):
                _add(archive, f"tiles/{level}", digests.tobytes(), packed=False)
            for level, at in sorted(self.places.items()):
                _add(archive, f"offsets/{level}", _deltas(at.offsets), packed=True)
                _add(archive, f"lengths/{level}", at.lengths.astype("<i8").tobytes(), packed=True)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Proof:
        """Read one; StoreDamaged when it is none, or does not lead to the root it names.

        That nothing at all was changed in it only its SHA-256 in the database can say.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                about = json.loads(archive.read("proof.json"))
                proof = _read(archive, about)
        except (zipfile.BadZipFile, zlib.error, ValueError, LookupError, TypeError,
                NotImplementedError, RuntimeError, EOFError) as error:  # fmt: skip
            raise StoreDamaged(f"{PROOF_FILE} cannot be read ({type(error).__name__})") from error
        if proof.root != about["root"]:
            raise StoreDamaged(f"{PROOF_FILE} does not lead to its own root")
        return proof


def entry_leaf(name: str, digest: bytes) -> bytes:
    """Leaf of one entry of the scan's tree: `name`, a zero byte, the digest."""
    return merkle.leaf(_entry(name, digest))


def _entry(name: str, digest: bytes) -> bytes:
    return name.encode() + b"\0" + digest


def _leaves(digests: NDArray[np.uint8]) -> list[bytes]:
    raw = digests.tobytes()
    return [raw[at : at + DIGEST_BYTES] for at in range(0, len(raw), DIGEST_BYTES)]


def _add(archive: zipfile.ZipFile, name: str, data: bytes, *, packed: bool) -> None:
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, method)


def _deltas(offsets: NDArray[np.int64]) -> bytes:
    """Neighbours lie one after the other: their distances pack far better than their places."""
    return np.diff(offsets.reshape(-1), prepend=0).astype("<i8").tobytes()


def _read(archive: zipfile.ZipFile, about: dict[str, object]) -> Proof:
    grids = {int(level): tuple(shape) for level, shape in dict(about["grids"]).items()}  # type: ignore[call-overload]
    tiles = {
        level: np.frombuffer(archive.read(f"tiles/{level}"), np.uint8).reshape(*shape, DIGEST_BYTES)
        for level, shape in grids.items()
    }
    places = {}
    for word, entry in dict(about["places"]).items():  # type: ignore[call-overload]
        level = int(word)
        offsets = np.frombuffer(archive.read(f"offsets/{level}"), "<i8").cumsum()
        lengths = np.frombuffer(archive.read(f"lengths/{level}"), "<i8")
        places[level] = Places(
            entry["file"],
            bytes.fromhex(entry["head"]),
            offsets.reshape(grids[level]),
            lengths.reshape(grids[level]),
        )
    files = {name: bytes.fromhex(digest) for name, digest in dict(about["files"]).items()}  # type: ignore[call-overload]
    return Proof(str(about["fingerprint"]), tiles, files, places)
