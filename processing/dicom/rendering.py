"""A frame as a picture for a screen: modality LUT, window, palette, to 8 bit; no overlays.

Source: PS3.3 C.11.1 (modality LUT), C.11.2 (VOI LUT), C.7.6.3.1.2, PS3.18 8.3.5 (parameters).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import imagecodecs
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from processing.dicom_colour import to_rgb
from processing.dicom_palette import palette_of
from processing.dicom_samples import Coding, Samples, decode
from storage.errors import Damaged, Malformed

Picture = NDArray[np.uint8]
"""[row, column] or [row, column, 3] RGB."""
PICTURE_TYPES = ("image/jpeg", "image/png")
_FUNCTIONS = ("linear", "linear-exact", "sigmoid")
_MOST_EDGE = 4096
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_IN_GROUPS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")


@dataclass(frozen=True, slots=True)
class Window:
    """Which values go from black to white, in the units of the modality LUT."""

    center: float
    width: float
    function: str = "linear"


@dataclass(frozen=True, slots=True)
class View:
    """What part is shown in how large a picture; None is all of it, as large as it is."""

    width: int
    height: int
    source: tuple[float, float, float, float] | None = None
    """x, y, width and height in the image's pixels."""


def parse_window(text: str) -> Window:
    """`center,width,function`. Errors: Malformed."""
    parts = text.split(",")
    try:
        center, width = float(parts[0]), float(parts[1])
    except (ValueError, IndexError):
        raise Malformed("window is center,width,function") from None
    function = parts[2].strip().lower() if len(parts) > 2 else "linear"
    if len(parts) > 3 or function not in _FUNCTIONS or not (np.isfinite([center, width]).all()):
        raise Malformed("window is center,width,function")
    if width < (1 if function == "linear" else 1e-9):
        raise Malformed("the window is narrower than its function allows")
    return Window(center, width, function)


def parse_viewport(text: str) -> View:
    """`width,height` or `width,height,x,y,w,h`. Errors: Malformed."""
    parts = text.split(",")
    try:
        width, height = int(parts[0]), int(parts[1])
        rest = [float(part) for part in parts[2:] if part.strip()]
    except (ValueError, IndexError):
        raise Malformed("viewport is width,height or width,height,x,y,w,h") from None
    if not (1 <= width <= _MOST_EDGE and 1 <= height <= _MOST_EDGE) or len(rest) not in (0, 2, 4):
        raise Malformed(f"viewport is width,height or width,height,x,y,w,h; {_MOST_EDGE} at most")
    if not rest:
        return View(width, height)
    x, y, w, h = [*rest, 0.0, 0.0][:4]
    if not np.isfinite(rest).all() or x < 0 or y < 0 or w < 0 or h < 0:
        raise Malformed("the viewport's part of the image is none")
    return View(width, height, (x, y, w, h))


def parse_quality(text: str) -> int:
    """1 to 100. Errors: Malformed."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 100):
        raise Malformed("quality is a number from 1 to 100")
    return int(text)


def shown_samples(data: bytes, coding: Coding) -> Samples:
    """Values of a grey frame or one with a palette; of any other RGB, 8 bit. Errors: SlideError."""
    return decode(data, coding) if coding.samples == 1 else to_rgb(data, coding)


def picture_of(samples: Samples, header: Dataset, number: int, window: Window | None) -> Picture:
    """What is seen of frame `number`, counted from 0, by its shown samples. Errors: Damaged."""
    try:
        if samples.ndim == 3:
            return np.ascontiguousarray(samples)
        if header.get("PhotometricInterpretation") == "PALETTE COLOR":
            return palette_of(header)(samples)
        return _grey(samples, header, _of_frame(header, number), window)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise Damaged("the header does not say how its pixels are seen") from error


def seen_through(picture: Picture, view: View | None) -> Picture:
    """The part of a picture that a viewport shows, scaled to fit into it. Errors: Malformed."""
    if view is None:
        return picture
    if view.source is not None:
        picture = _part(picture, view.source)
    rows, columns = picture.shape[:2]
    factor = min(view.width / columns, view.height / rows)
    size = max(round(columns * factor), 1), max(round(rows * factor), 1)
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(picture), size, interpolation=way), np.uint8)


def encode_picture(picture: Picture, kind: str, quality: int = 90) -> bytes:
    """Bytes of one of PICTURE_TYPES."""
    whole = np.ascontiguousarray(picture)
    if kind == "image/png":
        return bytes(imagecodecs.png_encode(whole))
    if whole.ndim == 2:
        grey = simplejpeg.encode_jpeg(whole[..., None], quality, "GRAY", "Gray")
        return bytes(grey)
    return bytes(simplejpeg.encode_jpeg(whole, quality, "RGB", "444"))


def _part(picture: Picture, source: tuple[float, float, float, float]) -> Picture:
    rows, columns = picture.shape[:2]
    x, y = int(source[0]), int(source[1])
    right = min(round(source[0] + source[2]), columns) if source[2] else columns
    bottom = min(round(source[1] + source[3]), rows) if source[3] else rows
    if x >= right or y >= bottom:
        raise Malformed("the viewport's part lies outside the image")
    return picture[y:bottom, x:right]


def _of_frame(header: Dataset, number: int) -> Dataset:
    """The modality and VOI attributes of a frame: its own, shared ones, those of the image."""
    found = Dataset()
    for name, at in zip(_GROUPS, (0, number), strict=True):
        items = header.get(name) or []
        if at >= len(items):
            continue
        for inner in _IN_GROUPS:
            for item in (items[at].get(inner) or [])[:1]:
                found.update(item)
    for name in ("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth"):
        if name not in found and name in header:
            found[name] = header[name]
    for name in ("VOILUTFunction", "ModalityLUTSequence", "VOILUTSequence"):
        if name not in found and name in header:
            found[name] = header[name]
    return found


def _grey(samples: Samples, header: Dataset, about: Dataset, window: Window | None) -> Picture:
    values = _modality(samples, about)
    wanted = window or _window_of(about)
    table = (about.get("VOILUTSequence") or [None])[0]
    if window is None and table is not None and (wanted is None or "WindowCenter" not in about):
        seen = _through_table(values, table)
    else:
        seen = _windowed(values, wanted or _whole_range(values, samples, header))
    # One statement said twice where both stand: INVERSE goes with MONOCHROME1 (PS3.3 C.8.11.3).
    inverse = header.get("PresentationLUTShape") == "INVERSE"
    if inverse or header.get("PhotometricInterpretation") == "MONOCHROME1":
        seen = 1 - seen
    return np.rint(seen * 255).astype(np.uint8)


def _modality(samples: Samples, about: Dataset) -> NDArray[np.float32]:
    table = (about.get("ModalityLUTSequence") or [None])[0]
    if table is not None:
        entries, first, _ = _table(table)
        at = np.clip(samples.astype(np.int64) - first, 0, len(entries) - 1)
        return entries[at].astype(np.float32)
    slope, intercept = _first(about.get("RescaleSlope")), _first(about.get("RescaleIntercept"))
    scaled = samples.astype(np.float32) * np.float32(1 if slope is None else slope)
    return np.asarray(scaled + np.float32(intercept or 0), np.float32)


def _window_of(about: Dataset) -> Window | None:
    center, width = _first(about.get("WindowCenter")), _first(about.get("WindowWidth"))
    if center is None or width is None or not width > 0:
        return None
    function = str(about.get("VOILUTFunction") or "LINEAR").lower().replace("_", "-")
    if function not in _FUNCTIONS or (function == "linear" and width < 1):
        function = "linear-exact"
    return Window(center, width, function)


def _whole_range(values: NDArray[np.float32], samples: Samples, header: Dataset) -> Window:
    """From the darkest to the brightest, for images that say nothing; padding does not count."""
    padding = header.get("PixelPaddingValue")
    inside = values if padding is None else values[samples != padding]
    if not inside.size:
        inside = values
    low, high = float(inside.min()), float(inside.max())
    return Window((low + high) / 2, max(high - low, 1e-6), "linear-exact")


def _windowed(values: NDArray[np.float32], window: Window) -> NDArray[np.float32]:
    """From 0, black, to 1 (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    if window.function == "sigmoid":
        power = np.clip(-4 * (values - window.center) / window.width, -80, 80)
        return np.asarray(1 / (1 + np.exp(power)), np.float32)
    if window.function == "linear-exact":
        place = (values - window.center) / window.width + 0.5
    elif window.width == 1:
        place = (values > window.center - 0.5).astype(np.float32)
    else:
        place = (values - (window.center - 0.5)) / (window.width - 1) + 0.5
    return np.asarray(np.clip(place, 0, 1), np.float32)


def _through_table(values: NDArray[np.float32], item: Dataset) -> NDArray[np.float32]:
    entries, first, bits = _table(item)
    at = np.clip(np.rint(values).astype(np.int64) - first, 0, len(entries) - 1)
    return np.clip(entries[at].astype(np.float32) / ((1 << bits) - 1), 0, 1)


def _table(item: Dataset) -> tuple[NDArray[Any], int, int]:
    """Entries of a lookup table, the value the first is for, and bits of an entry."""
    count, first, bits = (int(at) for at in item.LUTDescriptor)
    data = item.LUTData
    if isinstance(data, bytes):
        entries = np.frombuffer(data, "<u2" if len(data) >= 2 * (count or 65536) else "u1")
    else:
        entries = np.asarray(data if isinstance(data, Sequence) else [data], np.int64) & 0xFFFF
    entries = entries[: count or 65536]
    if not len(entries) or not 1 <= bits <= 16:
        raise ValueError("a lookup table without entries")
    return entries, first, bits


def _first(value: object) -> float | None:
    """One of several values, the first; None where there is none."""
    if value is None or value == "":
        return None
    if isinstance(value, Sequence) and not isinstance(value, str):
        return float(value[0]) if len(value) else None
    return float(value)  # type: ignore[arg-type]
