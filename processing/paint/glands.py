"""Glands as stamps: a lumen, mucin, and a ring of nuclei standing on a basement membrane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .noise import Field, wrapped
from .nuclei import EPITHELIAL, PATCH, Breed, patches
from .pixels import Pixels
from .stains import Stain
from .textures import scanned

REACH = 170
"""No gland reaches further from its centre, in pixels: a stamp is 2 * REACH on a side."""


class Gland(NamedTuple):
    """A stamp: RGB [2 * REACH, 2 * REACH, 3] and how much it covers, 0 to 1, [2R, 2R]."""

    pixels: Pixels
    cover: Field


@dataclass(frozen=True)
class Habit:
    """How the glands of one patient look."""

    radius: float
    stretch: float
    lumen: float
    mucin: float
    nuclei: Breed

    @classmethod
    def of(cls, seed: int) -> Habit:
        """Small and round, or long and crowded: the seed decides."""
        rng = np.random.default_rng((seed, 31))
        size, stretch, lumen, mucin, dark = rng.uniform(0, 1, 5)
        nuclei = Breed(10 + 2.5 * dark, 5.4 + 0.8 * dark, 0.85 + 0.3 * dark, 0.30, 0.14)
        return cls(
            84 + 14 * size, 1.2 + 0.5 * stretch, 0.20 + 0.18 * lumen, 0.4 + mucin / 2, nuclei
        )


def glands(seed: int, stain: Stain, count: int = 14) -> list[Gland]:
    """A library of glands; more come of turning and mirroring them."""
    habit = Habit.of(seed)
    made = []
    for number in range(count):
        rng = np.random.default_rng((seed, 32, number))
        haematoxylin, eosin, cover = _densities(rng, habit)
        made.append(Gland(scanned(stain.colours(haematoxylin, eosin), seed + number), cover))
    return made


def _densities(rng: np.random.Generator, habit: Habit) -> tuple[Field, Field, Field]:
    axis = np.arange(2 * REACH, dtype=np.float32) - REACH + 0.5
    x, y = np.meshgrid(axis, axis)
    around, radius = np.arctan2(y, x), np.hypot(x, y)
    outline = _Outline.drawn(rng, habit)
    edge = outline.at(around)
    depth = edge - radius
    lumen = edge * habit.lumen * (1 + 0.25 * wrapped(rng, 2 * REACH, (14, 14), 0.0).clip(-2, 2))
    cell = np.clip((radius - lumen) / 3, 0, 1)
    grain = wrapped(rng, 2 * REACH, (2, 2), 0.0)
    streaks = np.sin(around * outline.cells + 2 * wrapped(rng, 2 * REACH, (12, 12), 0.0))
    eosin = cell * (0.30 + 0.04 * grain + 0.03 * streaks) + 0.02
    eosin += 0.10 * np.exp(-(((radius - lumen) / 4) ** 2))
    haematoxylin = cell * (0.13 + 0.02 * grain) + 0.01 * (1 - cell)
    mucin = _mucin(rng, habit, outline)
    eosin = eosin * (1 - 0.75 * mucin) + 0.03 * mucin
    haematoxylin = haematoxylin * (1 - mucin) + 0.09 * mucin
    np.maximum(haematoxylin, _nuclear_ring(rng, habit, outline), out=haematoxylin)
    membrane = np.exp(-(((depth + 2.5) / 2.0) ** 2))
    eosin += 0.22 * membrane
    outside = np.clip(-depth / 3, 0, 1)
    eosin = eosin * (1 - outside) + (0.20 + 0.25 * membrane) * outside
    haematoxylin = haematoxylin * (1 - outside) + 0.02 * outside
    cover = np.clip((depth + 8) / 5, 0, 1)
    return haematoxylin, eosin.clip(0, None), cover.astype(np.float32)


@dataclass(frozen=True)
class _Outline:
    """Radius of the gland's outer edge by direction, in pixels."""

    radius: float
    stretch: float
    turn: float
    phases: tuple[float, float, float]
    cells: int

    @classmethod
    def drawn(cls, rng: np.random.Generator, habit: Habit) -> _Outline:
        stretch = 1 + (habit.stretch - 1) * rng.uniform(0.1, 1)
        # A long gland is cut lengthwise, not a bigger one: keep its area.
        radius = habit.radius * rng.uniform(0.72, 1.05) / np.sqrt(stretch)
        phases = rng.uniform(0, 2 * np.pi, 3)
        cells = round(2 * np.pi * radius * (1 + stretch) / 2 / 13.5)
        return cls(radius, stretch, rng.uniform(0, np.pi), tuple(phases), cells)

    def at(self, around: NDArray[np.floating]) -> Field:
        """Edge radius in the directions `around` (radians), same shape."""
        t = around - self.turn
        a, b = self.radius * self.stretch, self.radius
        ellipse = a * b / np.hypot(b * np.cos(t), a * np.sin(t))
        wobble = 1 + 0.045 * np.sin(2 * t + self.phases[0]) + 0.05 * np.sin(3 * t + self.phases[1])
        wobble += 0.02 * np.sin(5 * t + self.phases[2])
        return np.asarray((ellipse * wobble).clip(40, REACH - 12), dtype=np.float32)

    def ring(
        self, rng: np.random.Generator, count: int, inset: float, jitter: float
    ) -> NDArray[np.float32]:
        """Places on a ring `inset` pixels inside the edge: [count, 3], x, y, direction."""
        even = np.linspace(0, 2 * np.pi, 721)
        steps = np.hypot(self.at(even), np.gradient(self.at(even), even))
        walked = np.concatenate([[0], np.cumsum((steps[1:] + steps[:-1]) / 2)])
        at = (np.arange(count) + rng.uniform(-0.28, 0.28, count)) / count * walked[-1]
        around = np.interp(at, walked, even)
        radius = self.at(around) - inset - rng.uniform(0, jitter, count)
        # The wall is seen square-on, not from the centre: tilt by the edge's own slope.
        slope = np.arctan2(self.at(around + 0.02) - self.at(around - 0.02), 0.04 * self.at(around))
        out = np.stack([radius * np.cos(around), radius * np.sin(around), around - slope], axis=1)
        return np.asarray(out, dtype=np.float32)


def _nuclear_ring(rng: np.random.Generator, habit: Habit, outline: _Outline) -> Field:
    sheet = np.zeros((2 * REACH, 2 * REACH), np.float32)
    places = outline.ring(rng, outline.cells, 13, 7)
    lean = rng.normal(0, 0.12, len(places)).astype(np.float32)
    bodies = patches(rng, habit.nuclei, places[:, 2] + lean)
    _stamp(sheet, places, bodies)
    few = outline.ring(rng, max(3, outline.cells // 5), 24, 8)
    _stamp(sheet, few, patches(rng, EPITHELIAL, few[:, 2]) * np.float32(0.85))
    return sheet


def _mucin(rng: np.random.Generator, habit: Habit, outline: _Outline) -> Field:
    """Where goblet cells hold mucin, 0 to 1: pale drops between the nuclei and the lumen."""
    sheet = np.zeros((2 * REACH, 2 * REACH), np.float32)
    drop = Breed(14, 7.2, 1.0, 0.0, 0.15)
    places = outline.ring(rng, round(outline.cells * 0.62), 37, 6)
    places = places[rng.uniform(0, 1, len(places)) < habit.mucin]
    _stamp(sheet, places, patches(rng, drop, places[:, 2]).clip(0, 0.95))
    return sheet


def _stamp(sheet: Field, places: NDArray[np.float32], bodies: Field) -> None:
    corners = np.rint(places[:, :2]).astype(int) + REACH - PATCH // 2
    for (x, y), body in zip(corners, bodies, strict=True):
        window = sheet[y : y + PATCH, x : x + PATCH]
        np.maximum(window, body, out=window)
