"""What the screen should show, by pydicom alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import pixel_array
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_windowing

Array = NDArray[Any]


def stored(dataset: Dataset, frame: int = 0) -> Array:
    """Values as they are stored."""
    index = frame if int(dataset.get("NumberOfFrames") or 1) > 1 else None
    return np.asarray(pixel_array(dataset, index=index, raw=True))


def units(dataset: Dataset, frame: int = 0) -> Array:
    """Values in units: HU in a CT."""
    return np.asarray(apply_modality_lut(stored(dataset, frame), dataset))


def greys(dataset: Dataset, window: tuple[float, float] | None = None, frame: int = 0) -> Array:
    """Greys 0 to 255 by pydicom's window; None is the first of the file."""
    if window is not None:
        dataset.WindowCenter, dataset.WindowWidth = window
    values = units(dataset, frame)
    windowed = np.asarray(apply_windowing(values, dataset), np.float64)
    low, high = output_range(dataset)
    grey = np.floor((windowed - low) / (high - low) * 255 + 0.5)
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    return np.asarray(255 - grey if inverted else grey, np.uint8)


def output_range(dataset: Dataset) -> tuple[float, float]:
    """What pydicom spreads a window over: all values that could be stored, in units."""
    bits, signed = int(dataset.BitsStored), int(dataset.PixelRepresentation) == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope = float(dataset.get("RescaleSlope") or 1)
    intercept = float(dataset.get("RescaleIntercept") or 0)
    return low * slope + intercept, high * slope + intercept


def colours(dataset: Dataset, frame: int = 0) -> Array:
    """RGB, 8 bits a sample."""
    index = frame if int(dataset.get("NumberOfFrames") or 1) > 1 else None
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        found = apply_color_lut(pixel_array(dataset, index=index), dataset)
        return np.asarray(found >> 8, np.uint8)
    return np.asarray(pixel_array(dataset, index=index))


def millimetres(dataset: Dataset, across: float, down: float) -> float:
    """A length from PixelSpacing, which is row spacing, then column spacing."""
    row, column = (float(at) for at in dataset.PixelSpacing)
    return math.sqrt((across * column) ** 2 + (down * row) ** 2)
