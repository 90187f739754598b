"""Glasses with islands of tissue, some of which were not scanned, and the overview of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

from processing import jpeg
from processing.jpeg import Pixels
from processing.paint.glass import overview
from processing.paint.painting import Painting
from processing.quality.overview import decode_picture
from processing.readers import open_slide
from storage.records.slide import JpegEncoding

MPP = 6.0
_GLASS = 243
_FRAME = (402, 66, 750, 320)
"""Of the genuine overview: what its scanner says was scanned; left, top, right, bottom."""
_FRAME_MM = 22.95
_LARGER = 8
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Glass:
    """A scan that lacks some islands, and the overview that shows them."""

    overview: bytes
    scan: Pixels
    mpp: float
    removed: int
    removed_mm2: float


def painted(seed: int, variants: int) -> Iterator[Glass]:
    """Painted tissue with five islands of 0.6 to 2.5 mm beside it; none to three are left out."""
    random = np.random.default_rng((seed, 5))
    painting = Painting(3200, 2000, seed=seed, mpp=MPP)
    bare = painting.region(0, 0, painting.width, painting.height)
    for number in range(variants):
        whole, islands = _with_islands(bare, random)
        count = number % 4
        scan = whole.copy()
        for mask in islands[:count]:
            scan[mask] = _GLASS
        area = sum(float(mask.sum()) for mask in islands[:count]) * (MPP / 1000) ** 2
        picture = _as_a_camera(overview(painting, whole), random)
        yield Glass(picture, _noisy(scan, random), MPP, min(count, len(islands)), area)


def genuine(folder: Path, variants: int) -> Iterator[Glass]:
    """An Aperio overview (CMU-1) with four pieces; the scans are made from its own frame."""
    random = np.random.default_rng(9)
    with open_slide(folder / "aperio" / "CMU-1-Small-Region.svs") as reader:
        data = next(at.data for at in reader.associated_images() if at.name == "overview")
    picture = decode_picture(data)
    if picture is None:
        raise ValueError("the overview cannot be decoded")
    left, top, right, bottom = _FRAME
    frame = picture[top:bottom, left:right]
    mm = _FRAME_MM / frame.shape[1]
    pieces = _pieces_of(frame)
    for count in range(len(pieces)):
        for chosen in combinations(pieces, count):
            scan = frame.copy()
            for mask in chosen:
                scan[mask] = np.median(frame.reshape(-1, 3), axis=0)
            large = cv2.resize(scan, None, fx=_LARGER, fy=_LARGER, interpolation=cv2.INTER_CUBIC)
            area = sum(float(mask.sum()) for mask in chosen) * mm**2
            for _ in range(variants):
                yield Glass(
                    _as_a_camera(picture, random), _noisy(np.asarray(large, np.uint8), random),
                    1000 * mm / _LARGER, count, area,
                )  # fmt: skip


def _pieces_of(frame: Pixels) -> list[np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
    dark = (frame.min(axis=2) < 215).astype(np.uint8)
    whole = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((7, 7)))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(whole, np.uint8))
    return [
        cv2.dilate((labels == at).astype(np.uint8), np.ones((5, 5))) > 0
        for at in range(1, len(stats))
        if stats[at, cv2.CC_STAT_AREA] > 300
    ]


def _with_islands(
    bare: Pixels, random: Random
) -> tuple[Pixels, Sequence[np.ndarray[tuple[int, int], np.dtype[np.bool_]]]]:
    """Ellipses cut out of the tissue and laid where there is bare glass for 1 mm around."""
    whole, height, width = bare.copy(), *bare.shape[:2]
    islands: list[np.ndarray[tuple[int, int], np.dtype[np.bool_]]] = []
    dense = cv2.blur((bare.min(axis=2) < 225).astype(np.float32), (201, 201)) > 0.8
    places = np.argwhere(dense)
    for _ in range(400):
        across, down = (int(random.uniform(300, 1250) / MPP) for _ in range(2))
        x, y = (int(random.integers(260, side - 260)) for side in (width, height))
        used = whole[y - down - 170 : y + down + 170, x - across - 170 : x + across + 170]
        if not used.size or (used.min(axis=2) < 225).any():
            continue
        row, column = places[int(random.integers(len(places)))].tolist()
        row = int(np.clip(row, down, height - down - 1))
        column = int(np.clip(column, across, width - across - 1))
        mask = np.zeros((height, width), np.uint8)
        cv2.ellipse(mask, (x, y), (across, down), float(random.uniform(0, 180)), 0, 360, 1, -1)
        here = mask > 0
        rows, columns = np.nonzero(here)
        rows = np.clip(rows + row - y, 0, height - 1)
        columns = np.clip(columns + column - x, 0, width - 1)
        whole[here] = np.minimum(bare[rows, columns], np.array([228, 190, 214], np.uint8))
        islands.append(here)
        if len(islands) == 5:
            break
    return whole, islands


def _as_a_camera(picture: Pixels, random: Random) -> bytes:
    """Another enlargement, softer, darker or lighter, of another tint, as JPEG."""
    factor = float(random.uniform(0.85, 1.15))
    sized = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(sized, (0, 0), float(random.uniform(0.4, 1.0))).astype(np.float32)
    light = random.uniform(0.9, 1.03) * random.uniform(0.97, 1.03, 3)
    noisy = soft * light + random.normal(0, 1.5, soft.shape)
    quality = JpegEncoding(int(random.integers(60, 95)))
    return jpeg.encode(np.clip(noisy, 0, 255).astype(np.uint8), quality)


def _noisy(scan: Pixels, random: Random) -> Pixels:
    noisy = scan + random.normal(0, 1.5, scan.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)
