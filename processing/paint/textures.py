"""Five kinds of ground that tile the plane: stroma, muscle, lamina propria, lymphoid, fat."""

from __future__ import annotations

import cv2
import numpy as np

from .noise import Field, wrapped
from .nuclei import (
    FIBROBLAST,
    LYMPHOCYTE,
    PLASMA_CELL,
    SMOOTH_MUSCLE,
    Breed,
    paste,
    patches,
    scattered,
)
from .pixels import Pixels
from .stains import Stain

PERIOD = 1024
"""Edge of a texture and of a block, in level-0 pixels."""

VARIETY = 192
"""Different nuclei of one breed in one texture; nobody sees them come again."""


def ground(seed: int, stain: Stain) -> list[Pixels]:
    """The textures, stroma first, then as in `anatomy.Ground`: each [PERIOD, PERIOD, 3]."""
    makers = (_loose, _muscle, _lamina, _lymphoid, _fat)
    sheets = []
    for number, make in enumerate(makers):
        haematoxylin, eosin = make(np.random.default_rng((seed, 21, number)))
        sheets.append(scanned(stain.colours(haematoxylin, eosin), seed + number))
    return sheets


def background(seed: int, stain: Stain) -> Pixels:
    """Bare glass [PERIOD, PERIOD, 3]: nearly white, with a speck of dust here and there."""
    rng = np.random.default_rng((seed, 22))
    dust = np.maximum(wrapped(rng, PERIOD, (3, 3), 0.0) - 4.2, 0) * 0.1
    return scanned(stain.colours(dust, dust), seed)


def scanned(pixels: Pixels, seed: int) -> Pixels:
    """Seen through a 20x objective and a camera: a little soft, a little noisy."""
    soft = cv2.GaussianBlur(pixels, (0, 0), 0.75, borderType=cv2.BORDER_REFLECT_101)
    soft[:2], soft[-2:] = pixels[:2], pixels[-2:]
    rng = np.random.default_rng((seed, 23))
    noise = rng.standard_normal(pixels.shape, dtype=np.float32)
    noise *= np.float32(1.2)
    noise += soft
    return np.asarray(np.clip(noise + 0.5, 0, 255).astype(np.uint8))


def _waves(rng: np.random.Generator, sheet: Field, reach: float, spread: float) -> Field:
    """Bend a wrapping sheet by at most a few times `reach` pixels."""
    size = sheet.shape[0]
    axis = np.arange(size, dtype=np.float32)
    x = axis[None, :] + reach * wrapped(rng, size, (spread, spread), 0.0)
    y = axis[:, None] + reach * wrapped(rng, size, (spread, spread), 0.0)
    return np.asarray(cv2.remap(sheet, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


def _fibres(rng: np.random.Generator, angle: float, spread: tuple[float, float]) -> Field:
    return _waves(rng, wrapped(rng, PERIOD, spread, angle), 14, 45)


def _cells(
    rng: np.random.Generator, count: int, breed: Breed, angle: float | None, crowding: Field | None
) -> Field:
    """Haematoxylin of many nuclei; `angle` None leaves them lying anyhow."""
    places = scattered(rng, PERIOD, count, crowding)
    centre, spread = (0.0, np.pi) if angle is None else (angle, 0.25)
    angles = rng.normal(centre, spread, VARIETY)
    bodies = patches(rng, breed, angles.astype(np.float32))
    sheet = np.zeros((PERIOD, PERIOD), np.float32)
    paste(sheet, places, bodies[rng.integers(0, VARIETY, len(places))])
    return sheet


def _loose(rng: np.random.Generator) -> tuple[Field, Field]:
    """Submucosa: wavy collagen with clefts, few spindle cells."""
    bundles = np.maximum(_fibres(rng, 0.3, (60, 5)), _fibres(rng, 1.1, (45, 4)))
    strands = _fibres(rng, 0.5, (30, 1.4))
    body = 1 / (1 + np.exp(-3.0 * (bundles + 0.15)))
    eosin = body * (0.42 + 0.06 * strands + 0.05 * bundles).clip(0.05, None) + 0.03
    cells = _cells(rng, 420, FIBROBLAST, 0.5, bundles)
    cells = np.maximum(cells, _cells(rng, 130, LYMPHOCYTE, None, bundles))
    return (0.02 * body + cells).astype(np.float32), eosin.astype(np.float32)


def _muscle(rng: np.random.Generator) -> tuple[Field, Field]:
    """Smooth muscle: dense parallel bundles, cigar-shaped nuclei along them."""
    bundles = _fibres(rng, 0.15, (150, 14))
    strands = _fibres(rng, 0.15, (50, 1.6))
    swell = wrapped(rng, PERIOD, (110, 50), 0.15)
    split = np.clip((np.abs(bundles + 2.3) - 0.03) / 0.12, 0.15, 1)
    eosin = split * (0.66 + 0.09 * strands + 0.05 * bundles + 0.05 * swell)
    return 0.07 * split + _cells(rng, 900, SMOOTH_MUSCLE, 0.15, None) * split, eosin


def _lamina(rng: np.random.Generator) -> tuple[Field, Field]:
    """Lamina propria: a loose net crowded with plasma cells and lymphocytes."""
    net = _fibres(rng, 0.9, (12, 2.5))
    clouds = wrapped(rng, PERIOD, (45, 45), 0.0)
    eosin = (0.34 + 0.11 * net + 0.03 * clouds).clip(0.06, None)
    cells = _cells(rng, 2100, PLASMA_CELL, None, clouds)
    cells = np.maximum(cells, _cells(rng, 1100, LYMPHOCYTE, None, clouds))
    cells = np.maximum(cells, _cells(rng, 500, FIBROBLAST, 0.9, None))
    return (0.06 + 0.02 * net).clip(0, None) + cells, eosin


def _lymphoid(rng: np.random.Generator) -> tuple[Field, Field]:
    """A lymph follicle: little but lymphocytes."""
    clouds = wrapped(rng, PERIOD, (60, 60), 0.0)
    eosin = 0.24 + 0.05 * _fibres(rng, 0.9, (10, 3))
    cells = _cells(rng, 4600, LYMPHOCYTE, None, None)
    cells = np.maximum(cells, _cells(rng, 1500, PLASMA_CELL, None, clouds))
    haze = 0.14 + 0.03 * clouds.clip(-1, 1)
    return np.asarray(haze + cells, np.float32), eosin.clip(0.05, None)


def _fat(rng: np.random.Generator) -> tuple[Field, Field]:
    """Adipose tissue: empty cells with thin walls, here and there a nucleus pressed flat."""
    seeds = scattered(rng, PERIOD, 170, None).astype(np.int64) % PERIOD
    # A cell at one edge goes on at the opposite one: a rim of copies is enough for that.
    rim = PERIOD // 8
    around = np.full((PERIOD, PERIOD), 255, np.uint8)
    around[seeds[:, 1], seeds[:, 0]] = 0
    _, owner = cv2.distanceTransformWithLabels(
        np.pad(around, rim, mode="wrap"), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    walls = cv2.morphologyEx(owner.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((2, 2))) > 0
    away = cv2.distanceTransform(np.uint8(255) * ~walls, cv2.DIST_L2, 5)[rim:-rim, rim:-rim]
    away = _waves(rng, np.asarray(away, np.float32), 5, 18)
    wall = np.exp(-((away / 3.2) ** 2))
    cells = _cells(rng, 60, FIBROBLAST, None, None) * np.exp(-((away / 8) ** 2))
    return cells + 0.02 * wall, 0.03 + 0.42 * wall
