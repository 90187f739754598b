"""The contract every reader keeps, and the probe by which a reader is chosen.

Frames: regions are in the pixels of the level they are read from. Pixels are uint8 RGB, or, of
fluorescence, planes of uint8 or uint16.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import ClassVar, Self

import tifffile

from processing.jpeg import Pixels
from processing.plane_codec import Plane
from processing.readers.tiff_chain import check_chain
from storage.errors import Damaged, EmptyFile, TooLarge
from storage.proof import Places
from storage.records.channels import Channels
from storage.records.geometry import Region, Size, TileBlock
from storage.records.slide import AssociatedImage, JpegEncoding, SlideMetadata
from storage.shards import Chunk

_MOST_PIXELS = 4 * 10**11
_MOST_EDGE = 2_000_000
MOST_ASSOCIATED = 25 * 10**6
"""Pixels of a label, overview or thumbnail."""
MOST_CODED = 2**26
"""Pixels of one coded strip or tile; a bomb of this size is survived within seconds."""
MOST_RAW = 2**28
"""Pixels of one uncompressed strip: some programs write a picture as a single one."""
MOST_SEGMENTS = 20_000_000
"""Tiles of one level; the largest slides have a tenth of it."""
_COPIED_EDGES = range(64, 2049, 2)
_HEAD_BYTES = 4096
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class SourceLevel:
    """One resolution as the scanner stored it."""

    size: Size
    tile_edge: int | None = None
    """Pixels of its square tiles, None where it has none."""
    jpeg: JpegEncoding | None = None
    """Set when the tiles are JPEG streams that can be copied as they are."""


@dataclass(frozen=True)
class Probe:
    """A first look at what was delivered: enough to choose a reader, read only once."""

    path: Path
    files: tuple[Path, ...] = field(default=())

    @classmethod
    def at(cls, path: Path) -> Self:
        """Look at a file, or at a folder that holds one slide in several files."""
        if not path.is_dir():
            return cls(path, (path,))
        return cls(path, tuple(sorted(file for file in path.rglob("*") if file.is_file())))

    @cached_property
    def head(self) -> bytes:
        """First bytes of the (first) file."""
        with self.files[0].open("rb") as file:
            head = file.read(_HEAD_BYTES)
        if not head:
            raise EmptyFile("the file is empty")
        return head

    @cached_property
    def tiff(self) -> tifffile.TiffFile | None:
        """The TIFF directory when it is one, else None. Errors: Damaged."""
        magic = self.head[:4]
        if magic not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return None
        with self.files[0].open("rb") as file:
            check_chain(file)
        try:
            tiff = tifffile.TiffFile(self.files[0])
            if len(tiff.pages) == 0:
                raise Damaged("the TIFF directory holds no image")
        except (tifffile.TiffFileError, ValueError, IndexError, KeyError, OSError) as error:
            raise Damaged(f"the TIFF directory cannot be read: {error}") from error
        return tiff

    @property
    def is_dicom(self) -> bool:
        """True for a DICOM part 10 file."""
        return self.head[128:132] == b"DICM"

    def close(self) -> None:
        """Give file handles back."""
        tiff = self.__dict__.get("tiff")
        if tiff is not None:
            with suppress(OSError):
                tiff.close()


class SlideReader(ABC):
    """Opens one vendor's files. Constructors are alike: `Reader(probe)`."""

    name: ClassVar[str]

    levels: Sequence[SourceLevel]
    """Largest first; level sizes are as the file says."""
    metadata: SlideMetadata
    icc_profile: bytes | None = None
    channels: Channels | None = None
    """Set for fluorescence: `plane` gives the samples, and there are no RGB pixels."""

    @classmethod
    @abstractmethod
    def recognises(cls, probe: Probe) -> bool:
        """Cheap and narrow: looks at tags, decodes nothing."""

    @abstractmethod
    def __init__(self, probe: Probe) -> None:
        """Read directories and metadata. Errors: any SlideError."""

    @abstractmethod
    def pixels(self, level: int, region: Region) -> Pixels:
        """RGB [region.height, region.width, 3] of a source level; white outside the image."""

    def plane(self, level: int, channel: int, region: Region) -> Plane:
        """Samples [region.height, region.width] of one channel; zero outside the image.

        Only for slides whose `channels` is set; in their dtype. Errors: Damaged, Truncated.
        """
        raise NotImplementedError(f"{self.name} has no channels")

    def jpeg_tiles(self, level: int, block: TileBlock) -> list[Chunk | None]:
        """Stand-alone JPEG streams of a block, row by row; None where the scanner left a hole.

        Only for levels whose `jpeg` is set.
        """
        raise NotImplementedError(f"{self.name} has no JPEG tiles")

    def tile_places(self, level: int) -> Places | None:
        """Where the JPEG tiles of a level lie in the file (an absolute path); None without."""
        return None

    def associated_images(self) -> tuple[AssociatedImage, ...]:
        """Label, overview and thumbnail, those there are."""
        return ()

    def close(self) -> None:  # noqa: B027
        """Give file handles back."""


def plausible_size(width: int, height: int) -> Size:
    """A size as read from a file, or TooLarge/Damaged when no scanner makes such."""
    if width < 1 or height < 1:
        raise Damaged(f"the image is {width}x{height} pixels")
    if max(width, height) > _MOST_EDGE or width * height > _MOST_PIXELS:
        raise TooLarge(f"the file claims {width}x{height} pixels")
    return Size(width, height)


def check_grid(
    size: Size, tile_width: int, tile_height: int, *, coded: bool = True
) -> tuple[int, int]:
    """Columns and rows of tiles that cover `size`. Errors: Damaged, TooLarge."""
    if tile_width < 1 or tile_height < 1:
        raise Damaged(f"tiles of {tile_width}x{tile_height} pixels")
    if tile_width * tile_height > (MOST_CODED if coded else MOST_RAW):
        raise TooLarge(f"tiles of {tile_width}x{tile_height} pixels")
    columns, rows = -(-size.width // tile_width), -(-size.height // tile_height)
    if columns * rows > MOST_SEGMENTS:
        raise TooLarge(f"{columns * rows} tiles in one level")
    return columns, rows


def is_copyable_edge(width: int, height: int) -> bool:
    """Square tiles of a size that screens and shards handle well."""
    return width == height and width in _COPIED_EDGES


def plausible_mpp(value: float | None) -> float | None:
    """Micrometres per pixel within what microscopes give; None for leftovers such as 72 dpi."""
    return value if value is not None and 0.01 <= value <= 100 else None


def number(text: object) -> float | None:
    """A finite number in a vendor's words, with point or comma; None when it is none."""
    with suppress(ValueError):
        value = float(str(text).replace(",", "."))
        return value if isfinite(value) else None
    return None


def plausible_power(text: object) -> float | None:
    """The objective's nominal power."""
    value = number(text)
    return value if value is not None and 0.1 <= value <= 1000 else None


def plausible_text(text: object) -> str | None:
    """A name or barcode fit for screens and JSON: printable, short; None when nothing is left."""
    if text is None:
        return None
    kept = "".join(letter for letter in str(text)[:_LONGEST_TEXT] if letter.isprintable())
    return kept.strip() or None
