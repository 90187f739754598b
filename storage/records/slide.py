"""What is known about a digital slide, whoever made the scanner."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from storage.records.channels import Channels
from storage.records.geometry import Size


class MppOrigin(StrEnum):
    """Where the pixel size comes from; it is never guessed."""

    HEADER = "header"
    DICOM = "dicom"
    TIFF_RESOLUTION = "tiff_resolution"
    UNKNOWN = "unknown"


class Notice(StrEnum):
    """Something the reader of a slide should know, in a word the screens translate."""

    COLOUR_TAG_DISAGREES = "colour_tag_disagrees"
    MPP_UNKNOWN = "mpp_unknown"
    ENCODED_ONCE = "encoded_once"
    LEVEL_IGNORED = "level_ignored"
    MISSING_TILES = "missing_tiles"
    DAMAGED_TILES = "damaged_tiles"
    FOCAL_PLANE_CHOSEN = "focal_plane_chosen"
    OPTICAL_PATH_CHOSEN = "optical_path_chosen"
    DEPTH_REDUCED = "depth_reduced"


@dataclass(frozen=True, slots=True)
class Mpp:
    """Pixel size of level 0 in micrometres, and who says so."""

    x: float
    y: float
    origin: MppOrigin

    @property
    def mean(self) -> float:
        """One figure for screens: the mean of both directions."""
        return (self.x + self.y) / 2


@dataclass(frozen=True, slots=True)
class SlideMetadata:
    """Vendor's words about a slide, translated once at the reader."""

    vendor: str
    mpp: Mpp | None = None
    objective_power: float | None = None
    scanner: str | None = None
    barcode: str | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class AssociatedImage:
    """Label, overview or thumbnail as encoded bytes, PNG or JPEG."""

    name: str
    media_type: str
    data: bytes
    size: Size


class LevelOrigin(StrEnum):
    """How the bytes of a level came to be."""

    COPIED = "copied"
    ENCODED = "encoded"
    DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class JpegEncoding:
    """Settings of our own JPEG encoder; for copied tiles `quality` is an estimate."""

    quality: int = 90
    subsampling: str = "444"


@dataclass(frozen=True, slots=True)
class PlaneEncoding:
    """Chunks of one channel each, without loss, in the depth of the source."""

    dtype: str
    """uint8 or uint16."""

    @property
    def itemsize(self) -> int:
        """Bytes of a sample."""
        return 1 if self.dtype == "uint8" else 2


Encoding = JpegEncoding | PlaneEncoding | None
"""None: RGB without loss (zstd)."""


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """One level as stored: its number (level 0 halved that often), size and origin."""

    level: int
    size: Size
    origin: LevelOrigin
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class PyramidPlan:
    """Geometry of a pyramid: every level that shall exist, and how each comes about."""

    tile_edge: int
    shard_tiles: int
    levels: tuple[StoredLevel, ...]
    channels: Channels | None = None
    """None for brightfield: 8-bit RGB."""

    @property
    def planes(self) -> int:
        """Arrays of tiles a level consists of: one for RGB, else one for each channel."""
        return len(self.channels.channels) if self.channels else 1

    @property
    def size(self) -> Size:
        """Pixels of level 0."""
        return self.levels[0].size

    def from_source(self) -> tuple[StoredLevel, ...]:
        """Levels the scanner delivered: they make the slide readable."""
        return tuple(at for at in self.levels if at.origin is not LevelOrigin.DERIVED)

    def derived(self) -> tuple[StoredLevel, ...]:
        """Levels that are made from the next finer one."""
        return tuple(at for at in self.levels if at.origin is LevelOrigin.DERIVED)


@dataclass(frozen=True, slots=True)
class PyramidRecord:
    """All a stored pyramid says about itself; it needs no database to be understood."""

    slide_id: str
    fingerprint: str
    plan: PyramidPlan
    metadata: SlideMetadata
    associated: dict[str, str] = field(default_factory=dict)
    """Name of the associated image to its file inside the pyramid."""
    icc_profile: str | None = None


class Tier(StrEnum):
    """How a slide's tiles are kept: as the JPEGs they are, or in less space (`storage.cold`)."""

    WARM = "warm"
    COLD = "cold"


@dataclass(frozen=True, slots=True)
class Slide:
    """A readable slide as the catalogue knows it."""

    slide_id: str
    fingerprint: str
    name: str
    bytes: int
    size: Size
    tile_edge: int
    metadata: SlideMetadata
    associated: tuple[str, ...]
    icc: bool
    copied: bool
    received_at: datetime
    ready_at: datetime
    complete_at: datetime | None
    root: str | None = None
    """Merkle root of the scan: every tile, every file, and where the tiles came from."""
    proof: str | None = None
    """SHA-256 of the file that holds the digests below the root."""
    skeleton: str | None = None
    """SHA-256 of what is kept of the original beside the pyramid's tiles; None: all of it."""
    stored_bytes: int | None = None
    """Of pyramid and skeleton, or of the pyramid alone where the original is kept whole."""
    tier: Tier = Tier.WARM


def printable(text: str) -> str:
    """Text out of a file, fit for any database: no control characters, no lone surrogates."""
    words = " ".join(text.split())
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in words
    )
