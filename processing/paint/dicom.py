"""Write a painting as a DICOM series: one instance a level, then label and overview."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pydicom import Dataset

from .dicom_header import Instance, header
from .encoding import Encoder
from .frames import DOWNSAMPLES, TILE, Pass, Progress, levels_of
from .glass import label, overview
from .painting import Painting
from .pixels import Pixels

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"


def write_dicom(
    painting: Painting, folder: Path, *, quality: int = 80, progress: Progress | None = None
) -> None:
    """Write the series into `folder`; each file appears whole, and none before all are done."""
    folder.mkdir(parents=True, exist_ok=True)
    encode = Encoder(quality, subsampling="422")
    volumes = [
        Instance(f"level-{n}.dcm", "VOLUME", level.width, level.height, TILE, TILE, downsample)
        for n, (level, downsample) in enumerate(zip(levels_of(painting), DOWNSAMPLES, strict=True))
    ]
    walk = Pass(painting, encode, progress)
    with ExitStack() as stack:
        files = [stack.enter_context(_writing(folder, painting, v)) for v in volumes]
        for frame in walk.frames():
            files[frame.level].frame(frame.data)
        for kind, pixels in _pictures(painting, walk.overview):
            height, width = pixels.shape[:2]
            # The whole glass is coarser than the scan by as much as its pixels are larger.
            instance = Instance(f"{kind.lower()}.dcm", kind, width, height, width, height, 0)
            stack.enter_context(_writing(folder, painting, instance)).frame(encode(pixels))


def _pictures(painting: Painting, scan: Pixels) -> Iterator[tuple[str, Pixels]]:
    yield "LABEL", label(painting)
    yield "OVERVIEW", overview(painting, scan)


class _Places(NamedTuple):
    """Where in the file the two halves of the extended offset table are filled in later."""

    offsets: int
    lengths: int
    items: int


class _InstanceFile:
    """One DICOM file whose frames are appended one by one, in order."""

    def __init__(self, file: BinaryIO, dataset: Dataset, frames: int) -> None:
        self._file = file
        self._frames = frames
        self._offsets: list[int] = []
        self._lengths: list[int] = []
        dataset.save_as(file, enforce_file_format=True)
        # The tables' size is known from the number of frames: leave room, fill in at the end.
        offsets = self._element(b"\xe0\x7f\x01\x00", b"OV", 8 * frames)
        file.write(bytes(8 * frames))
        lengths = self._element(b"\xe0\x7f\x02\x00", b"OV", 8 * frames)
        file.write(bytes(8 * frames))
        self._element(b"\xe0\x7f\x10\x00", b"OB", 0xFFFFFFFF)
        file.write(_ITEM + bytes(4))
        self._places = _Places(offsets, lengths, file.tell())

    def frame(self, jpeg: bytes) -> None:
        """Append a frame; the standard wants its length even, the table its own length."""
        self._offsets.append(self._file.tell() - self._places.items)
        self._lengths.append(len(jpeg))
        padded = jpeg + b"\0" * (len(jpeg) % 2)
        self._file.write(_ITEM + struct.pack("<I", len(padded)) + padded)

    def finish(self) -> None:
        """Close the sequence of frames and fill in the tables."""
        if len(self._offsets) != self._frames:
            raise RuntimeError(f"{len(self._offsets)} frames written, {self._frames} promised.")
        self._file.write(_END + bytes(4))
        for place, values in (
            (self._places.offsets, self._offsets),
            (self._places.lengths, self._lengths),
        ):
            self._file.seek(place)
            self._file.write(struct.pack(f"<{len(values)}Q", *values))

    def _element(self, tag: bytes, kind: bytes, length: int) -> int:
        """Write the head of an element and return where its value starts."""
        self._file.write(tag + kind + b"\0\0" + struct.pack("<I", length))
        return self._file.tell()


@contextmanager
def _writing(folder: Path, painting: Painting, instance: Instance) -> Iterator[_InstanceFile]:
    """A `.part` file that takes its name when the block ends well, and goes when it does not."""
    path = folder / instance.file_name
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            written = _InstanceFile(file, header(painting, instance), instance.frames)
            yield written
            written.finish()
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
