"""Where a slide lies: level-0 pixels, pixels of another level, millimetres on the glass.

Pixels count from the outer corner of the first one (as annotations do, and ANN's and SR's image
coordinates: PS3.3 C.37.1.2, C.18.6); a slide's origin is the middle of its first pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from storage.errors import UnsupportedDicom
from storage.records.geometry import Size

Places = NDArray[np.float64]
_UNKNOWN_MM = 0.9
"""From so large a pixel on nothing was measured: svartid writes 1 mm where it knows no better."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A slide's image, by the header of one of its levels and the size of level 0."""

    header: Dataset
    size: Size

    @property
    def scale(self) -> Places:
        """Level-0 pixels in one pixel of the header's level, across and down."""
        matrix = (self.header.TotalPixelMatrixColumns, self.header.TotalPixelMatrixRows)
        found: Places = np.array([self.size.width, self.size.height]) / np.array(matrix, float)
        # A level is level 0 halved some times and rounded up: its pixels are a power of two.
        whole: Places = np.exp2(np.rint(np.log2(found)))
        return np.where(np.abs(found / whole - 1) < 0.05, whole, found)

    @property
    def is_measured(self) -> bool:
        """Whether the size of a pixel is known."""
        return float(self._spacing[0]) < _UNKNOWN_MM

    def to_level(self, places: Places) -> Places:
        """Level-0 pixels to pixels of the header's level."""
        return places / self.scale

    def from_level(self, places: Places) -> Places:
        """And back."""
        return places * self.scale

    def to_glass(self, places: Places) -> Places:
        """[point, (x, y)] in level-0 pixels to [point, (x, y, z)] in millimetres on the glass."""
        matrix, origin = self._affine
        flat: Places = (self.to_level(places) - 0.5) @ matrix.T + origin
        return np.column_stack([flat, np.zeros(len(flat))])

    def from_glass(self, places: Places) -> Places:
        """And back; how high above the glass is left out."""
        matrix, origin = self._affine
        inverse = np.linalg.inv(matrix)
        return self.from_level((places[:, :2] - origin) @ inverse.T + 0.5)

    @property
    def _spacing(self) -> Places:
        """Millimetres a pixel of the header's level, down and across."""
        shared = self.header.SharedFunctionalGroupsSequence[0]
        return np.array(shared.PixelMeasuresSequence[0].PixelSpacing, float)

    @property
    def _affine(self) -> tuple[Places, Places]:
        """From pixels of the header's level to millimetres: a matrix, and the first pixel's middle.

        Errors: UnsupportedDicom.
        """
        try:
            down, across = self._spacing
            cosines = np.array(self.header.ImageOrientationSlide, float).reshape(2, 3)[:, :2]
            corner = self.header.TotalPixelMatrixOriginSequence[0]
            origin = _pair(
                corner.XOffsetInSlideCoordinateSystem, corner.YOffsetInSlideCoordinateSystem
            )
        except (AttributeError, ValueError, IndexError, TypeError) as error:
            raise UnsupportedDicom("where the image lies on the glass is not said") from error
        matrix = np.column_stack([cosines[0] * across, cosines[1] * down])
        if abs(np.linalg.det(matrix)) < 1e-18:
            raise UnsupportedDicom("the image does not lie flat on the glass")
        return matrix, origin


def _pair(x: Any, y: Any) -> Places:  # noqa: ANN401 - a decimal string
    return np.array([float(x), float(y)])
