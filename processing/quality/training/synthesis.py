"""Slides out of focus, made from sharp ones: light spread as a lens spreads it, then a scanner.

Order as in a scanner: staining, defocus in linear light at the source's own pixels, sharpening,
noise, JPEG; then the smaller level, and at times a second JPEG as a stored level has. Defocus is a
disk of radius r µm (geometric optics: about 1.1 µm a µm out of focus at NA 0.75); tests use other
radii, a Gaussian of the same spread, other qualities and stronger staining.
Source for the optical densities: A. Ruifrok, D. Johnston, Anal Quant Cytol Histol 23 (2001) 291-9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from processing import jpeg
from processing.jpeg import Pixels
from processing.quality.check import CELL
from processing.quality.focus_features import Block, features
from processing.quality.training.sources import Opened
from storage.records.slide import JpegEncoding

VERSION = "1"
HALO = 24
CELLS = 2
"""Cells along a field."""
WORKING = (0.576, 1.15)
"""µm along a pixel of the level that is measured."""
MOST_RADIUS = 8.0
_TISSUE_OD = 0.06
LEAST_TISSUE = 0.25
"""As the check has it."""
_TRIES = 60
Light = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is drawn from when a field is made."""

    radii: tuple[float, ...]
    qualities: tuple[int, ...]
    noise: float
    """Grey levels, the most."""
    stain: tuple[float, float]
    """Each stain's density is multiplied by something between."""
    gaussian: float = 0.0
    """The part of fields with another point spread than a disk."""
    sharpened: float = 0.3
    """The part of fields that the scanner sharpens."""


TRAIN = Recipe(
    (0.0, 0.0, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0),
    tuple(range(40, 91, 5)),
    3.0,
    (0.6, 1.4),
)
TEST = Recipe(
    (0.0, 0.6, 0.85, 1.2, 1.7, 2.4, 3.4, 4.8, 6.8),
    (30, 37, 48, 57, 68, 77, 88, 95),
    3.0,
    (0.5, 1.5),
)
TEST_GAUSSIAN = Recipe(TEST.radii, TEST.qualities, TEST.noise, TEST.stain, gaussian=1.0)


@dataclass(frozen=True, slots=True)
class Made:
    """One field and its truth."""

    pixels: Pixels
    block: Block
    um: float
    radius: float
    tissue: NDArray[np.float32]
    """[rows, columns], 0 to 1."""
    native: bytes
    """The JPEG it was made smaller from, of the same field."""
    native_um: float


@dataclass(frozen=True, slots=True)
class Samples:
    """Cells: what they show, [cell, feature], and what is true of them."""

    seen: NDArray[np.float32]
    radius: NDArray[np.float32]
    source: NDArray[np.int32]
    """Which of the sources."""


def samples(opened: Sequence[Opened], recipe: Recipe, fields: int, seed: int) -> Samples:
    """So many fields of each source, always the same for the same seed."""
    seen, radii, sources = [], [], []
    for number, source in enumerate(opened):
        random = np.random.default_rng([seed, number])
        for turn in range(fields):
            made = make(source, recipe, random, turn)
            kept = made.tissue >= LEAST_TISSUE
            seen.append(features(made.pixels, made.block, made.um)[kept])
            radii.append(np.full(int(kept.sum()), made.radius, np.float32))
            sources.append(np.full(int(kept.sum()), number, np.int32))
    return Samples(np.concatenate(seen), np.concatenate(radii), np.concatenate(sources))


def make(opened: Opened, recipe: Recipe, random: np.random.Generator, turn: int) -> Made:
    """One field; radii come in turn, so that each is there as often."""
    native, halvings, um = _scales(opened, random)
    radius = recipe.radii[turn % len(recipe.radii)]
    side = CELLS * CELL + 2 * HALO
    sharp = _tissue_at(opened, side * um / opened.source.um, random)
    sharp = _resized(sharp, side << halvings)
    light = _linear(_stained(sharp, recipe, random))
    blurred = _out_of_focus(light, radius / native, random.random() < recipe.gaussian)
    scanned = _scanned(blurred, recipe, random)
    quality, subsampling = int(random.choice(recipe.qualities)), str(random.choice(["420", "444"]))
    stream = jpeg.encode(scanned, JpegEncoding(quality, subsampling))
    small = _smaller(stream, side << halvings, halvings, random)
    block = Block(HALO, HALO, CELLS, CELLS)
    return Made(small, block, um, radius, _tissue(small, block), stream, native)


def _scales(opened: Opened, random: np.random.Generator) -> tuple[float, int, float]:
    """µm of the pixels that are blurred, halvings to the level that is measured, and its µm."""
    least, room = opened.source.um, min(opened.width, opened.height)
    most = min(WORKING[1], room * least / (CELLS * CELL + 2 * HALO))
    halvings = int(random.integers(0, 3))
    while halvings and least * 2**halvings > most:
        halvings -= 1
    low = max(least * 2**halvings, WORKING[0])
    um = float(np.exp(random.uniform(np.log(low), np.log(max(most, low)))))
    return um / 2**halvings, halvings, um


def _tissue_at(opened: Opened, side: float, random: np.random.Generator) -> Pixels:
    """A square with tissue in it, or the fullest of many tries."""
    edge = min(int(side), opened.width, opened.height)
    best: Pixels | None = None
    most = -1.0
    for _ in range(_TRIES):
        x = int(random.integers(0, opened.width - edge + 1))
        y = int(random.integers(0, opened.height - edge + 1))
        part = opened.part(x, y, edge)
        share = float((part[::8, ::8].min(axis=2) < 225).mean())
        if share > most:
            best, most = part, share
        if most > random.uniform(0.2, 0.6):
            break
    assert best is not None  # noqa: S101 - _TRIES is not zero
    turns = int(random.integers(0, 4))
    return np.rot90(best, turns).copy()


def _stained(pixels: Pixels, recipe: Recipe, random: np.random.Generator) -> Pixels:
    """Stronger and weaker stains, each by itself; a lamp a little brighter or darker."""
    stains = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
    more = np.linalg.inv(stains) @ np.diag(random.uniform(*recipe.stain, 3)) @ stains
    lamp = 256 * float(random.uniform(0.93, 1.03))
    density = (-np.log((np.arange(256) + 1) / 256)).astype(np.float32)[pixels]
    shade = lamp * cv2.exp(-cv2.transform(density, more.T.astype(np.float32))) - 1
    stained: Pixels = np.clip(shade, 0, 255).astype(np.uint8)
    return stained


def _linear(pixels: Pixels) -> Light:
    table = ((np.arange(256) / 255) ** 2.2).astype(np.float32)
    light: Light = table[pixels]
    return light


def _out_of_focus(light: Light, radius: float, gaussian: bool) -> Light:
    """Spread over `radius` pixels."""
    if radius <= 0:
        return light
    if gaussian:
        return cv2.GaussianBlur(light, (0, 0), radius / 2).astype(np.float32, copy=False)
    return cv2.filter2D(light, -1, disk(radius), borderType=cv2.BORDER_REFLECT_101).astype(
        np.float32, copy=False
    )


def disk(radius: float) -> NDArray[np.float32]:
    """A disk whose rim covers pixels in part; its sum is 1."""
    fine = 8
    reach = int(np.ceil(radius + 0.5))
    at = (np.arange((2 * reach + 1) * fine) + 0.5) / fine - reach - 0.5
    inside = (at[:, None] ** 2 + at[None, :] ** 2 <= radius**2).astype(np.float32)
    side = 2 * reach + 1
    kernel = inside.reshape(side, fine, side, fine).mean(axis=(1, 3))
    if kernel.sum() == 0:
        kernel[reach, reach] = 1
    found: NDArray[np.float32] = (kernel / kernel.sum()).astype(np.float32)
    return found


def _scanned(light: Light, recipe: Recipe, random: np.random.Generator) -> Pixels:
    shade = 255 * cv2.pow(np.clip(light, 0, 1), 1 / 2.2)
    if random.random() < recipe.sharpened:
        amount = float(random.uniform(0.2, 0.8))
        shade = shade + amount * (shade - cv2.GaussianBlur(shade, (0, 0), 1.0))
    noise = float(random.uniform(0, recipe.noise))
    shade = shade + random.standard_normal(shade.shape, np.float32) * np.float32(noise)
    pixels: Pixels = np.clip(shade, 0, 255).astype(np.uint8)
    return pixels


def _resized(pixels: Pixels, side: int) -> Pixels:
    small = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def _smaller(stream: bytes, side: int, halvings: int, random: np.random.Generator) -> Pixels:
    """Down as stored slides come down; at times stored once more."""
    if halvings and random.random() < 0.5:
        small = jpeg.decode_smaller(stream, side, side >> halvings)
    else:
        small = jpeg.decode(stream, (side, side))
    small = _resized(small, side >> halvings)
    if halvings and random.random() < 0.5:
        again = jpeg.encode(small, JpegEncoding(int(random.integers(75, 96)), "420"))
        small = jpeg.decode(again, (small.shape[1], small.shape[0]))
    return small


def _tissue(pixels: Pixels, block: Block) -> NDArray[np.float32]:
    """The part of each cell that is no glass."""
    calm = cv2.GaussianBlur(pixels, (0, 0), 4).astype(np.float32)
    stained = -np.log10(np.maximum(calm, 1) / 245).max(axis=2) > _TISSUE_OD
    part = stained[
        block.top : block.top + block.rows * CELL, block.left : block.left + block.columns * CELL
    ]
    cells = part.reshape(block.rows, CELL, block.columns, CELL)
    share: NDArray[np.float32] = cells.mean(axis=(1, 3), dtype=np.float32)
    return share
