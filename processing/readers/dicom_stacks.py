"""What a series has of each level: its optical paths, its focal planes, its doubles.

From each stack of focal planes one is read; where one thing is there twice, the scanner's own.

Sources: DICOM PS3.3 C.8.12.4.1.1 (ImageType), C.8.12.4.1.3 (origin), C.8.12.5 (optical paths).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from processing.readers.base import number
from processing.readers.dicom_arrangement import Arrangement, OpticalPath, arranged, in_focus
from processing.readers.dicom_spacing import spacing_of
from processing.readers.dicom_tiles import Tiles
from processing.readers.dicom_volume import Volume
from storage.errors import Damaged, UnsupportedDicom
from storage.records.geometry import Size

Key = tuple[str, ...]
_APART_MM = 0.1
"""Origins of images of one region differ by micrometres."""


@dataclass(frozen=True, slots=True)
class Held:
    """One optical path of one image."""

    arrangement: Arrangement
    path: int

    @property
    def volume(self) -> Volume:
        """The image."""
        return self.arrangement.volume

    def tiles(self, z: float) -> Tiles:
        """Its tiles in the plane nearest to `z`."""
        return self.arrangement.tiles(self.path, z)


@dataclass
class LevelStacks:
    """One size of the series: who holds which optical path, in the order of the headers."""

    size: Size
    held: dict[Key, list[Held]] = field(default_factory=lambda: defaultdict(list))
    paths: dict[Key, OpticalPath] = field(default_factory=dict)

    def add(self, arrangement: Arrangement, *, by_name: bool) -> None:
        """Take in an image of this size."""
        for at, path in enumerate(arrangement.paths):
            key = path.key[:1] if by_name else path.key
            self.paths.setdefault(key, path)
            self.held[key].append(Held(arrangement, at))

    @property
    def planes(self) -> list[float]:
        """Heights of all focal planes of the first path."""
        first = next(iter(self.held.values()))
        return sorted({z for at in first for z in at.arrangement.planes})

    def nearest(self, path: Key, z: float) -> Held:
        """Who holds the plane of a path that is nearest to `z`; of equals the scanner's own."""
        return min(self.held[path], key=lambda at: (_away(at, z), at.volume.rank))

    @property
    def has_doubles(self) -> bool:
        """A path and plane is there twice."""
        planes = [[z for at in held for z in at.arrangement.planes] for held in self.held.values()]
        return any(len(set(at)) != len(at) for at in planes)


@dataclass(frozen=True)
class Stacks:
    """Every level of a series, the largest first, and the focal plane that is read."""

    levels: list[LevelStacks]
    z: float

    @property
    def has_planes(self) -> bool:
        """There was a plane to choose."""
        return len(self.levels[0].planes) > 1

    @property
    def has_doubles(self) -> bool:
        """Something of the largest level was there twice."""
        return self.levels[0].has_doubles


def stacks_of(volumes: Sequence[Volume]) -> Stacks:
    """Images of one region, level by level. Errors: UnsupportedDicom, Damaged."""
    levels, by_size = dict[Size, LevelStacks](), defaultdict[Size, list[Arrangement]](list)
    for volume in sorted(volumes, key=lambda at: (-at.size.area, at.rank)):
        by_size[volume.size].append(arranged(volume))
    by_name = all(_names_tell(alike) for alike in by_size.values())
    for size, alike in by_size.items():
        levels[size] = LevelStacks(size)
        for arrangement in alike:
            levels[size].add(arrangement, by_name=by_name)
    found = list(levels.values())
    _check_one_region(found)
    if len(found[0].held) == 1 and all(len(at.held) == 1 for at in found):
        (key,) = found[0].held
        for at in found:  # one path a level is the same path, whatever it is called there
            at.held = {key: next(iter(at.held.values()))}
    if any(set(at.held) != set(found[0].held) for at in found):
        raise Damaged("an optical path is missing from a level")
    return Stacks(found, in_focus(found[0].planes))


def _names_tell(alike: Sequence[Arrangement]) -> bool:
    """Whether optical paths of one size differ in their names: some writers call all of them 1."""
    keys = {path.key for at in alike for path in at.paths}
    return len({key[0] for key in keys}) == len(keys)


def _away(held: Held, z: float) -> float:
    return min(abs(plane - z) for plane in held.arrangement.planes)


def _check_one_region(levels: Sequence[LevelStacks]) -> None:
    """A series of several regions of the glass would be read as one. Errors: UnsupportedDicom."""
    first = [next(iter(at.held.values())) for at in levels]
    for held in first:
        origins = [at for at in map(_origin, held) if at is not None]
        for axis in zip(*origins, strict=True):
            if max(axis) - min(axis) > _APART_MM:
                raise UnsupportedDicom("several regions of the glass in one series")
    base, spacing = levels[0].size, spacing_of(first[0][0].volume)
    for level, held in zip(levels[1:], first[1:], strict=True):
        other = spacing_of(held[0].volume)
        if spacing is None or other is None or _same_shape(base, level.size):
            continue
        if abs(other[0] / spacing[0] - 1) < 0.05:
            raise UnsupportedDicom("several regions of the glass in one series")


def _origin(held: Held) -> tuple[float, float] | None:
    origins = held.volume.header.get("TotalPixelMatrixOriginSequence") or [None]
    told = [
        number(origins[0].get(f"{axis}OffsetInSlideCoordinateSystem")) if origins[0] else None
        for axis in "XY"
    ]
    return (told[0], told[1]) if told[0] is not None and told[1] is not None else None


def _same_shape(one: Size, other: Size) -> bool:
    """Alike but for a scanner's rounding of either side."""
    ratio = (one.width / other.width) / (one.height / other.height)
    return abs(ratio - 1) < 0.02 + 2 / min(other.width, other.height)
