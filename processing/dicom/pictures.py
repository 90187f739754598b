"""Label, overview and thumbnail of a pyramid as DICOM instances of one frame."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cached_property

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

from processing import jpeg
from processing.dicom import encapsulated
from processing.dicom.header import Coding, Picture, build_header, sop_uid_of
from processing.dicom.virtual import cut
from storage.errors import Damaged, NotFound
from storage.records.geometry import Size
from storage.records.imaging import WSI, SeriesEntry
from storage.tiles import OpenPyramid

_MOST_EDGE = 65535


class VirtualPicture:
    """One image beside the levels: a JPEG goes out as it is, a PNG as its pixels."""

    sop_class = WSI
    frames = 1

    def __init__(self, pyramid: OpenPyramid, name: str, entry: SeriesEntry) -> None:
        self._pyramid, self._entry, self._name = pyramid, entry, name
        size = self._size()
        self.picture = Picture(size, size, associated=name)
        self.sop_uid = sop_uid_of(entry, self.picture)

    @property
    def transfer_syntax(self) -> str:
        """JPEG Baseline, or uncompressed."""
        return str(JPEGBaseline8Bit if self._is_jpeg else ExplicitVRLittleEndian)

    def header(self) -> Dataset:
        """See `Instance`."""
        record = self._pyramid.record
        coding = Coding(ExplicitVRLittleEndian, "RGB")
        if self._is_jpeg:
            raw = self.picture.size.area * 3 / len(self._file)
            colour = "RGB" if jpeg.read_header(self._file).says_rgb else "YBR_FULL_422"
            coding = Coding(JPEGBaseline8Bit, colour, ratio=raw)
        return build_header(
            self._entry, record.metadata, self.picture, coding, record.plan.size, None, None
        )

    def frame(self, number: int) -> bytes:
        """See `Instance`."""
        if number:
            raise NotFound("the image has one frame")
        return self._file if self._is_jpeg else self._pixels

    def size(self) -> int:
        """See `Instance`."""
        return len(self._whole)

    def stream(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """See `Instance`."""
        yield from cut(iter([self._whole]), start, stop)

    @cached_property
    def _file(self) -> bytes:
        return (self._pyramid.folder / self._pyramid.record.associated[self._name]).read_bytes()

    @property
    def _is_jpeg(self) -> bool:
        return self._file[:2] == b"\xff\xd8" and jpeg.read_header(self._file).is_copyable

    def _size(self) -> Size:
        if self._is_jpeg:
            width, height = jpeg.frame_size(self._file)
            return Size(width, height)
        height, width = self._decoded.shape[:2]
        if max(width, height) > _MOST_EDGE:
            raise Damaged("an image beside the levels is larger than a frame can be")
        return Size(width, height)

    @cached_property
    def _decoded(self) -> jpeg.Pixels:
        """RGB of what is not a JPEG that everybody reads."""
        coded = self._file
        pixels = np.asarray(
            jpeg.decode_grey(coded) if coded[:2] == b"\xff\xd8" else imagecodecs.png_decode(coded)
        )
        if pixels.ndim == 2:
            pixels = np.stack([pixels] * 3, axis=-1)
        return np.ascontiguousarray(pixels[..., :3], np.uint8)

    @property
    def _pixels(self) -> bytes:
        return self._decoded.tobytes()

    @cached_property
    def _whole(self) -> bytes:
        out = io.BytesIO()
        self.header().save_as(out, enforce_file_format=True)
        if not self._is_jpeg:
            even = self._pixels + b"\0" * (len(self._pixels) & 1)
            return out.getvalue() + encapsulated.native_head(len(even), words=False) + even
        head = encapsulated.encapsulated_head(np.array([len(self._file)], np.int64))
        return out.getvalue() + head + b"".join(encapsulated.item(self._file)) + encapsulated.END
