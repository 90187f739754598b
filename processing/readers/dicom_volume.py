"""The images of a series: an instance each, or the parts of a concatenation joined again.

Source: DICOM PS3.3 C.7.6.16.2.2.4 (concatenations).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID

from processing.dicom_frames import whole_number
from processing.dicom_samples import is_encapsulated
from processing.readers.base import check_grid, plausible_size
from processing.readers.dicom_instance import Instance
from processing.readers.dicom_per_frame import PerFrame
from storage.errors import Damaged, PartsMissing
from storage.records.geometry import Size

_ALIKE = (
    "Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "PhotometricInterpretation", "PlanarConfiguration",
    "TotalPixelMatrixColumns", "TotalPixelMatrixRows", "DimensionOrganizationType",
)  # fmt: skip
"""What all parts of an image have in common."""


@dataclass(frozen=True)
class Volume:
    """One image of the series; its frames are those of its parts, one part after the other."""

    parts: tuple[Instance, ...]
    size: Size
    tile: Size

    @property
    def header(self) -> Dataset:
        """Of the first part."""
        return self.parts[0].header

    @property
    def syntax(self) -> UID:
        """Transfer syntax of every part."""
        return self.parts[0].syntax

    @property
    def frames(self) -> int:
        """Of all parts."""
        return sum(part.frames for part in self.parts)

    @property
    def grid(self) -> Size:
        """Columns and rows of tiles."""
        return Size(
            -(-self.size.width // self.tile.width), -(-self.size.height // self.tile.height)
        )

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """Lowest for what came from the scanner rather than being made of something else."""
        words = self.parts[0].image_type
        number = whole_number(self.header, "InstanceNumber", 0)
        return "DERIVED" in words[:1], "RESAMPLED" in words[3:4], number

    def per_frame(self) -> PerFrame | None:
        """What is said of each frame, where it is said of all. Errors: Damaged."""
        told = [part.per_frame for part in self.parts]
        if any(
            at is None or len(at.z) != part.frames
            for at, part in zip(told, self.parts, strict=True)
        ):
            return None
        return joined([at for at in told if at is not None])


def volumes_of(instances: Sequence[Instance]) -> list[Volume]:
    """Instances as images, concatenations joined. Errors: Damaged, PartsMissing, TooLarge."""
    groups = defaultdict[str, list[Instance]](list)
    for number, instance in enumerate(instances):
        uid = instance.header.get("ConcatenationUID")
        groups[str(uid) if uid else f"{number}"].append(instance)
    return [_volume(_in_order(parts)) for parts in groups.values()]


def _volume(parts: tuple[Instance, ...]) -> Volume:
    first = parts[0].header
    for part in parts[1:]:
        if part.syntax != parts[0].syntax or any(
            part.header.get(name) != first.get(name) for name in _ALIKE
        ):
            raise Damaged("the parts of a concatenation contradict each other")
    if any(part.frames < 1 for part in parts):
        raise Damaged("an image without frames")
    width, height = int(first.Columns), int(first.Rows)
    matrix = [whole_number(first, f"TotalPixelMatrix{name}", 0) for name in ("Columns", "Rows")]
    if not all(matrix):
        matrix = _reached(parts, width, height)
    size = plausible_size(*matrix)
    check_grid(size, width, height, coded=is_encapsulated(parts[0].syntax))
    return Volume(parts, size, Size(width, height))


def _reached(parts: tuple[Instance, ...], width: int, height: int) -> list[int]:
    """The size of an image that does not say it: as far as its frames reach, else one frame."""
    told = [part.per_frame for part in parts if part.per_frame and part.per_frame.has_places]
    columns = max((int(at.columns.max()) for at in told), default=1)
    rows = max((int(at.rows.max()) for at in told), default=1)
    return [columns - 1 + width, rows - 1 + height]


def _in_order(parts: list[Instance]) -> tuple[Instance, ...]:
    """Parts by their numbers, none missing. Errors: PartsMissing, Damaged."""
    if len(parts) == 1 and "ConcatenationUID" not in parts[0].header:
        return tuple(parts)
    numbers = [whole_number(at.header, "InConcatenationNumber", 0) for at in parts]
    starts = [whole_number(at.header, "ConcatenationFrameOffsetNumber", -1) for at in parts]
    by = numbers if all(numbers) else starts
    order = sorted(range(len(parts)), key=by.__getitem__)
    found = tuple(parts[at] for at in order)
    if len(set(by)) != len(by):
        raise Damaged("two parts of a concatenation have the same number")
    total = whole_number(parts[0].header, "InConcatenationTotalNumber", 0)
    if all(numbers):
        _check_numbers(sorted(numbers), total)
    elif total > len(parts):
        raise PartsMissing(f"{len(parts)} of {total} parts of a concatenation are here")
    due = 0
    for at, part in zip(order, found, strict=True):
        if 0 <= starts[at] < due:
            raise Damaged("parts of a concatenation overlap")
        if starts[at] > due:
            raise PartsMissing(f"a concatenation lacks frames {due} to {starts[at] - 1}")
        due += part.frames
    return found


def _check_numbers(numbers: list[int], total: int) -> None:
    last = max(total, numbers[-1])
    if numbers == list(range(1, last + 1)):
        return
    if numbers[0] < 1 or last > 10 * len(numbers) + 1000:
        raise Damaged(f"parts of a concatenation numbered {numbers[0]} to {last}")
    missing = min(set(range(1, last + 1)) - set(numbers))
    raise PartsMissing(f"part {missing} of {last} of a concatenation is missing")


def joined(parts: Sequence[PerFrame]) -> PerFrame:
    """What is said of the frames of several parts, as of one."""
    identifiers = tuple(dict.fromkeys(name for at in parts for name in at.identifiers))
    paths = [_renumbered(at, identifiers) for at in parts]
    return PerFrame(
        np.concatenate([at.columns for at in parts]),
        np.concatenate([at.rows for at in parts]),
        np.concatenate([at.z for at in parts]),
        np.concatenate(paths),
        identifiers,
        parts[0].spacing,
    )


def _renumbered(part: PerFrame, identifiers: tuple[str, ...]) -> NDArray[np.int64]:
    # The last entry stands for -1: not said.
    number_of = {name: number for number, name in enumerate(identifiers)}
    numbers = [*(number_of[name] for name in part.identifiers), -1]
    return np.asarray(numbers, np.int64)[part.paths]
