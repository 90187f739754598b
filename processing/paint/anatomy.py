"""Where on the slide there is tissue, and of which kind: pure functions of seed and position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .noise import Field, fractal, smooth

CRAMPED = 6000
"""Below this short side, in pixels, layers grow thinner so that a small slide has them all."""


class Ground(NamedTuple):
    """At each asked point: depth under the tissue's edge (pixels, negative outside) and kinds.

    The others are shares between 0 and 1; `weave` chooses between two lays of each texture.
    """

    depth: Field
    muscle: Field
    mucosa: Field
    lymphoid: Field
    fat: Field
    weave: Field


@dataclass(frozen=True)
class Piece:
    """One piece of tissue on the glass: a bent ellipse, in pixels, before it is frayed.

    The mucosa lies on its upper side, the fat on its lower, before it is turned.
    """

    x: float
    y: float
    long: float
    short: float
    turn: float
    bow: float
    """How far the middle is bent towards the outer side, in short half axes."""


@dataclass(frozen=True)
class Anatomy:
    """The pieces on one slide and how they are bent."""

    seed: int
    pieces: tuple[Piece, ...]
    reach: float
    """Short half axis of the smallest piece, pixels: the measure of all layers."""

    @classmethod
    def of(cls, seed: int, width: int, height: int) -> Anatomy:
        """Lay one to three pieces on a slide of `width` x `height` level-0 pixels."""
        rng = np.random.default_rng((seed, 41))
        count = int(rng.choice((1, 1, 2, 3)))
        # Pieces lie side by side along the slide's long side.
        wide = width >= height
        slot = (width if wide else height) / count
        depth = height if wide else width
        pieces = []
        for number in range(count):
            along = (number + 0.5 + rng.uniform(-0.04, 0.04)) * slot
            across = depth * rng.uniform(0.47, 0.53)
            x, y = (along, across) if wide else (across, along)
            long = min(max(slot, depth) * 0.40, 2.2 * min(slot, depth) * 0.40)
            short = min(slot, depth) * rng.uniform(0.24, 0.34)
            turn = rng.uniform(-0.25, 0.25) + (np.pi / 2 if (slot < depth) == wide else 0)
            turn += np.pi if rng.uniform() < 0.4 else 0
            pieces.append(Piece(x, y, long, short, turn, rng.uniform(-0.35, 0.35)))
        return cls(seed, tuple(pieces), min(p.short for p in pieces))

    def at(self, x: Field, y: Field) -> Ground:
        """The ground at level-0 positions x, y (same shape)."""
        depth, height = self._depth(x, y)
        unit = min(1.0, self.reach * 2.9 / CRAMPED)
        bend = 420 * unit * fractal(x, y, 2600 * unit + 200, 300, self.seed + 3)
        face = (height + 1) * self.reach
        thick = min(1500 * unit, 0.62 * self.reach)
        mucosa = np.clip((thick - face + bend * 0.7) / 60 + 0.5, 0, 1)
        floor = (height - 0.02) * self.reach + bend * 1.5
        muscle = np.clip(floor / 90, 0, 1) * (1 - mucosa)
        fat = np.clip((floor - (0.62 * self.reach + bend)) / 60, 0, 1) * (1 - mucosa)
        nests = fractal(x, y, 1300 * unit + 300, 500, self.seed + 5) * 1.6
        beside = np.exp(-(((face - thick) / (420 * unit + 1)) ** 2))
        lymphoid = np.clip((nests + 0.6 * beside - 1.15) * 7, 0, 1)
        weave = np.clip(fractal(x, y, 1500, 180, self.seed + 7) * 3.5 + 0.5, 0, 1)
        shares = (np.asarray(f, np.float32) for f in (muscle, mucosa, lymphoid, fat, weave))
        return Ground(depth, *shares)

    def depth(self, x: Field, y: Field) -> Field:
        """Depth under the tissue's edge in pixels, negative outside."""
        return self._depth(x, y)[0]

    def _depth(self, x: Field, y: Field) -> tuple[Field, Field]:
        """Depth in pixels, and the height in the piece, -1 at the mucosa to 1 at the fat."""
        reach = self.reach
        sway = np.float32(0.28 * reach)
        bent_x = x + sway * fractal(x, y, 1.3 * reach, 0.5 * reach, self.seed + 20)
        bent_y = y + sway * fractal(x, y, 1.3 * reach, 0.5 * reach, self.seed + 21)
        depth = np.full(x.shape, -np.inf, np.float32)
        height = np.zeros_like(depth)
        for piece in self.pieces:
            here, level = _in_piece(piece, bent_x, bent_y)
            height = np.where(here > depth, level, height)
            depth = np.maximum(depth, here)
        fray = fractal(x, y, 0.5 * reach, 90, self.seed + 2)
        depth = depth + np.float32(0.11 * reach) * fray
        return self._torn(depth, x, y), np.asarray(height, dtype=np.float32)

    def _torn(self, depth: Field, x: Field, y: Field) -> Field:
        """Cracks, where a sheet of noise passes through zero, in some places only."""
        reach = self.reach
        height = np.abs(fractal(x, y, 0.9 * reach, max(60.0, 0.03 * reach), self.seed + 9))
        open_here = smooth(x, y, 0.8 * reach, self.seed + 10) > 0.3
        crack = np.where(open_here, 40 - height * np.float32(3.2 * reach), -1)
        return np.asarray(np.where(crack > 0, np.minimum(depth, 20 - crack), depth), np.float32)


def _in_piece(piece: Piece, x: Field, y: Field) -> tuple[Field, Field]:
    """Depth in pixels and height, as if there were this piece alone."""
    dx, dy = x - np.float32(piece.x), y - np.float32(piece.y)
    cos, sin = np.float32(np.cos(piece.turn)), np.float32(np.sin(piece.turn))
    u, v = dx * cos + dy * sin, dy * cos - dx * sin
    u, v = u / np.float32(piece.long), v / np.float32(piece.short)
    v = v + np.float32(piece.bow) * (1 - 2 * u * u)
    # The fourth power: a cut strip is blunter than an ellipse.
    ratio = (u**4 + v**4) ** np.float32(0.25)
    depth = (1 - ratio) * np.float32(piece.short)
    return np.asarray(depth, np.float32), np.asarray(v, np.float32)
