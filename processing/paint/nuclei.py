"""Nuclei as small patches of haematoxylin density, pasted on a sheet that may wrap around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .noise import Field, wrapped

PATCH = 40
"""Edge of a nucleus patch in pixels; the longest nucleus fits with room for its blur."""


@dataclass(frozen=True)
class Breed:
    """One kind of nucleus: half axes in pixels, how dark, how coarse its chromatin."""

    long: float
    short: float
    darkness: float
    chromatin: float = 0.22
    spread: float = 0.15


LYMPHOCYTE = Breed(6.6, 6.0, 1.25, 0.28, 0.10)
PLASMA_CELL = Breed(8.0, 6.3, 1.0, 0.30, 0.16)
FIBROBLAST = Breed(14.0, 3.2, 0.95, 0.15, 0.20)
SMOOTH_MUSCLE = Breed(15.0, 3.4, 0.75, 0.15, 0.15)
EPITHELIAL = Breed(11.0, 5.8, 0.95, 0.30, 0.14)


def patches(rng: np.random.Generator, breed: Breed, angles: Field) -> Field:
    """Haematoxylin density of one nucleus per angle (radians): [count, PATCH, PATCH]."""
    count = len(angles)
    axis = np.arange(PATCH, dtype=np.float32) - PATCH / 2 + 0.5
    x, y = axis[None, None, :], axis[None, :, None]
    cos, sin = np.cos(angles)[:, None, None], np.sin(angles)[:, None, None]
    size = rng.normal(1, breed.spread, (2, count, 1, 1)).clip(0.6, 1.35).astype(np.float32)
    u = (x * cos + y * sin) / (breed.long * size[0])
    v = (y * cos - x * sin) / (breed.short * size[1])
    phase = rng.uniform(0, 2 * np.pi, (2, count, 1, 1)).astype(np.float32)
    around = np.arctan2(v, u)
    wobble = 1 + 0.09 * np.sin(2 * around + phase[0]) + 0.06 * np.sin(3 * around + phase[1])
    radius = np.sqrt(u * u + v * v) * wobble
    body = np.clip((1.0 - radius) * 3.2 + 0.5, 0, 1)
    # The membrane holds chromatin, so the rim is a little darker than the middle.
    rim = np.exp(-(((radius - 0.82) / 0.16) ** 2))
    dark = breed.darkness * rng.normal(1, 0.14, (count, 1, 1)).clip(0.6, 1.4)
    clumps = _chromatin(rng, count)
    shade = dark * (0.78 + 0.20 * rim + breed.chromatin * clumps)
    return np.asarray(body * shade.clip(0.25, 2.0), dtype=np.float32)


def _chromatin(rng: np.random.Generator, count: int) -> Field:
    """Random windows of one sheet of fine clumps: [count, PATCH, PATCH]."""
    sheet = wrapped(rng, 256, (1.5, 1.5), 0.0)
    windows = np.lib.stride_tricks.sliding_window_view(sheet, (PATCH, PATCH))
    rows, columns = rng.integers(0, 256 - PATCH, (2, count))
    return np.asarray(windows[rows, columns], dtype=np.float32)


def scattered(rng: np.random.Generator, size: int, count: int, crowding: Field | None) -> Field:
    """About `count` places on a [size, size] sheet, evenly spread: float32 [count, 2], x and y.

    Where `crowding` (mean 0, deviation 1) is low, places are left empty.
    """
    side = int(np.ceil(np.sqrt(count)))
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    places = (grid + 0.5 + rng.uniform(-0.42, 0.42, grid.shape)) * (size / side)
    if crowding is not None:
        at = places.astype(int) % size
        places = places[rng.normal(0, 0.5, len(places)) < crowding[at[:, 1], at[:, 0]] + 0.4]
    return np.asarray(places, dtype=np.float32)


def paste(sheet: Field, places: NDArray[np.float32], bodies: Field) -> None:
    """Put each body at its place (x, y) on a sheet that wraps; the darker one stays on top."""
    size, half = sheet.shape[0], PATCH // 2
    padded = np.zeros((size + PATCH, size + PATCH), np.float32)
    for (x, y), body in zip(places.astype(int) % size, bodies, strict=True):
        window = padded[y : y + PATCH, x : x + PATCH]
        np.maximum(window, body, out=window)
    # What fell over one edge comes in at the opposite one.
    padded[size : size + half] = np.maximum(padded[size : size + half], padded[:half])
    low = padded[half:PATCH]
    np.maximum(low, padded[size + half :], out=low)
    body_rows = padded[half : size + half]
    np.maximum(
        body_rows[:, size : size + half], body_rows[:, :half], out=body_rows[:, size : size + half]
    )
    left = body_rows[:, half:PATCH]
    np.maximum(left, body_rows[:, size + half :], out=left)
    np.maximum(sheet, body_rows[:, half : size + half], out=sheet)
