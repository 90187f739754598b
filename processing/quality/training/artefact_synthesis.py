"""Folds, bubbles and dust drawn on real tissue, by what light does; and what merely looks alike.

Everything happens in decadic optical density [row, column, 3] at 1 µm a pixel, where layers of
tissue add up, except for defocus, which mixes light. Each returns the density and where it lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Density = NDArray[np.float32]
Where = NDArray[np.float32]
"""[row, column], 0 to 1: the artefact's part of each pixel."""
Random = np.random.Generator
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large artefacts are drawn, in µm."""

    fold_width: Range = (10, 75)
    bubble_radius: Range = (20, 100)
    dust_radius: Range = (3, 18)


LEARNT = Sizes()
HELD_OUT = {
    "fold 6-10 um": Sizes(fold_width=(6, 10)),
    "fold 75-110 um": Sizes(fold_width=(75, 110)),
    "bubble r 100-160 um": Sizes(bubble_radius=(100, 160)),
    "dust r 18-30 um": Sizes(dust_radius=(18, 30)),
}
"""Sizes that training never draws."""


def soft(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Smoothed by a Gaussian."""
    if sigma <= 0.2:
        return image
    return cv2.GaussianBlur(image, (0, 0), sigma).astype(np.float32, copy=False)


def defocused(density: Density, radius: float) -> Density:
    """As through a lens out of focus: light is spread over a disk of that radius."""
    if radius < 0.5:
        return density
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    light = cv2.filter2D(np.power(np.float32(10), -density), -1, disk / disk.sum())
    return np.asarray(-np.log10(np.maximum(light, 1e-3)), np.float32)


def wavy(random: Random, size: int, about: float) -> NDArray[np.float32]:
    """A smooth random field of standard deviation 1, hills `about` that far apart."""
    coarse = max(3, round(size / about) + 3)
    field = cv2.resize(
        random.normal(0, 1, (coarse, coarse)).astype(np.float32),
        (size, size),
        interpolation=cv2.INTER_CUBIC,
    )
    return np.asarray((field - field.mean()) / (field.std() + 1e-6), np.float32)


def _from_line(random: Random, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Signed distance to a bent line across the patch, and the place along it."""
    angle, bend = random.uniform(0, np.pi), random.uniform(0, 14)
    y, x = np.mgrid[:size, :size].astype(np.float32) - random.uniform(0.2, 0.8, (2, 1, 1)) * size
    across = x * np.cos(angle) + y * np.sin(angle)
    along = y * np.cos(angle) - x * np.sin(angle)
    across = across + bend * np.sin(along / random.uniform(25, 90) + random.uniform(0, 6.3))
    across = across + along**2 * random.uniform(-0.003, 0.003)
    return (across + 1.5 * wavy(random, size, 20)).astype(np.float32), along.astype(np.float32)


def fold(density: Density, sizes: Sizes, random: Random) -> tuple[Density, Where]:
    """Displaced tissue laid over the tissue in a band, nearer to the lens and so out of focus."""
    size = len(density)
    width = random.uniform(*sizes.fold_width)
    across, along = _from_line(random, size)
    half = width / 2 * (1 + 0.25 * np.sin(along / random.uniform(40, 120) + random.uniform(0, 6)))
    if random.random() < 0.4:  # it ends inside the patch
        half = half * np.clip((random.uniform(10, size / 2) - along) / 25, 0, 1)
    solid = np.clip(half - np.abs(across) + 0.5, 0, 1).astype(np.float32)
    band = soft(solid, random.uniform(0.4, 2))
    moved = _mirrored(density, random)
    layers = defocused(moved, random.uniform(0, 4)) * random.uniform(0.6, 1.1)
    if random.random() < 0.5:  # a crease holds three layers
        layers = layers + random.uniform(0.4, 1.0) * soft(np.roll(moved, 17, axis=1), 2)
    edge = soft(np.exp(-(((np.abs(across) - half) / random.uniform(1, 2.5)) ** 2)), 0.5)
    layers = layers + (edge * random.uniform(0, 0.25))[..., None]
    below = defocused(density, random.uniform(0, 2.5))
    near = soft(np.clip(half + 8 - np.abs(across), 0, 8).astype(np.float32) / 8, 2)[..., None]
    drawn = density * (1 - near) + below * near
    if random.random() < 0.3:  # what was pulled into the fold is missing beside it
        gap = np.clip(1 - np.abs(across - half - width / 3) / (width / 3), 0, 1) * (half > 1)
        drawn = drawn * (1 - random.uniform(0.3, 0.9) * soft(gap.astype(np.float32), 2))[..., None]
    drawn = drawn + band[..., None] * layers
    shade = soft(layers.mean(axis=2), 4)
    return drawn.astype(np.float32), (band * (shade > 0.07)).astype(np.float32)


def _mirrored(density: Density, random: Random) -> Density:
    turned = np.rot90(density, int(random.integers(0, 4)))
    if random.random() < 0.5:
        turned = turned[:, ::-1]
    shift = tuple(int(at) for at in random.integers(0, len(density), 2))
    return np.ascontiguousarray(np.roll(turned, shift, axis=(0, 1)), np.float32)


def bubble(density: Density, sizes: Sizes, random: Random) -> tuple[Density, Where]:
    """A rim that bends the light away, a bright line within, and the inside out of focus."""
    size = len(density)
    radius = random.uniform(*sizes.bubble_radius)
    # the rim lies somewhere in the patch: the centre is about a radius away from a point in it
    angle, reach = random.uniform(0, 6.3), radius * np.sqrt(random.uniform(0, 1.1))
    point = random.uniform(0.15, 0.85, 2) * size
    y, x = np.mgrid[:size, :size].astype(np.float32)
    x, y = x - point[0] - reach * np.cos(angle), y - point[1] - reach * np.sin(angle)
    stretch = random.uniform(0.75, 1.3)
    uneven = 1 + random.uniform(0, 0.08) * wavy(random, size, 70)
    away = np.hypot(x * stretch, y / stretch) * uneven
    inside = np.clip(radius - away + 0.5, 0, 1).astype(np.float32)
    thick = random.uniform(2, 7)
    rim = np.exp(-(((away - radius) / thick) ** 2)) * random.uniform(0.25, 1.1)
    line = np.exp(-(((away - radius + 2.2 * thick) / (0.6 * thick)) ** 2)) * random.uniform(0, 0.5)
    blurred = defocused(_magnified(density, random), random.uniform(2.5, 8))
    blurred = blurred * random.uniform(0.7, 1.1) + random.uniform(-0.03, 0.06)
    drawn = density * (1 - inside[..., None]) + blurred * inside[..., None]
    drawn = (
        drawn * (1 - np.clip(line, 0, 1) * inside)[..., None]
        + soft(rim.astype(np.float32), random.uniform(0, 2))[..., None]
    )
    where = np.clip(radius + thick - away + 0.5, 0, 1)
    return np.maximum(drawn, 0).astype(np.float32), where.astype(np.float32)


def _magnified(density: Density, random: Random) -> Density:
    factor, size = random.uniform(1.0, 1.12), len(density)
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), 0, factor)
    return cv2.warpAffine(density, turn, (size, size), borderMode=cv2.BORDER_REFLECT).astype(
        np.float32, copy=False
    )


def dust(density: Density, sizes: Sizes, random: Random) -> tuple[Density, Where]:
    """Specks and fibres of no stain's colour, each as sharp as its height over the tissue lets."""
    size = len(density)
    drawn, where = density, np.zeros((size, size), np.float32)
    for _ in range(int(random.integers(1, 5))):
        shape = np.zeros((size, size), np.uint8)
        at = random.uniform(0.05, 0.95, 2) * size
        if random.random() < 0.25:
            _fibre(shape, at, random)
        else:
            _speck(shape, at, random.uniform(*sizes.dust_radius), random)
        blur = float(random.choice([0.4, 0.8, 1.5, 3.0]))
        solid = soft(shape.astype(np.float32), blur) * (1 + 0.25 * wavy(random, size, 6))
        tint = np.float32(1) + random.normal(0, 0.07, 3).astype(np.float32)
        opacity = solid * random.uniform(0.5, 2.0)
        drawn = drawn + np.maximum(opacity, 0)[..., None] * tint
        where = np.maximum(where, np.clip(soft(shape.astype(np.float32), blur) * 2, 0, 1))
    return drawn.astype(np.float32), where


def _speck(
    shape: NDArray[np.uint8], at: NDArray[np.float64], radius: float, random: Random
) -> None:
    angles = np.sort(random.uniform(0, 2 * np.pi, int(random.integers(6, 13))))
    lengths = radius * random.uniform(0.55, 1.25, len(angles))
    stretch = random.uniform(0.6, 1.6)
    corners = np.stack([np.cos(angles) * lengths * stretch, np.sin(angles) * lengths / stretch], 1)
    cv2.fillPoly(shape, [np.round(at + corners).astype(np.int32)], 1)


def _fibre(shape: NDArray[np.uint8], at: NDArray[np.float64], random: Random) -> None:
    steps = int(random.integers(8, 30))
    turns = random.uniform(0, 6.3) + np.cumsum(random.normal(0, 0.25, steps))
    corners = at + np.cumsum(6 * np.stack([np.cos(turns), np.sin(turns)], 1), axis=0)
    thick = int(random.integers(3, 8))
    cv2.polylines(shape, [np.round(corners).astype(np.int32)], False, 1, thick)


def pen(density: Density, random: Random) -> Density:
    """A stroke of ink: even, coloured, with the tissue sharp below it. No artefact of ours."""
    size = len(density)
    across, _ = _from_line(random, size)
    half = random.uniform(15, 120)
    band = soft(np.clip((half - np.abs(across)) / 3, 0, 1).astype(np.float32), 1.5)
    ink = random.uniform(0.05, 1.3, 3).astype(np.float32) * random.uniform(0.3, 1.2)
    inked: Density = density + (band * (1 + 0.1 * wavy(random, size, 40)))[..., None] * ink
    return inked


def dense(density: Density, random: Random) -> Density:
    """Thicker or more deeply stained in places, with no edge and nothing displaced."""
    hills = np.clip(wavy(random, len(density), random.uniform(50, 150)), 0, 2)
    return density * (1 + random.uniform(0.3, 0.8) * hills)[..., None]


def pigment(density: Density, random: Random) -> Density:
    """Brown to black granules of 1 to 3 µm in clusters, or cells full of brown stain."""
    size = len(density)
    shape = np.zeros((size, size), np.float32)
    for _ in range(int(random.integers(1, 6))):
        middle, spread = random.uniform(0, size, 2), random.uniform(4, 18)
        for x, y in np.round(middle + random.normal(0, spread, (int(random.integers(8, 60)), 2))):
            cv2.circle(shape, (int(x), int(y)), int(random.integers(1, 3)), 1.0, -1)
    colour = np.array([0.45, 0.75, 1.1], np.float32) * random.uniform(0.5, 1.4)
    drawn: Density = density + soft(shape, 0.6)[..., None] * colour
    return drawn


def partly_defocused(density: Density, random: Random) -> Density:
    """Out of focus in a part without a rim, or all over."""
    share = np.clip(wavy(random, len(density), 120) * 1.5 + random.uniform(-0.5, 2.5), 0, 1)
    blurred = defocused(density, random.uniform(1, 8))
    mixed: Density = density + (blurred - density) * share[..., None]
    return mixed
