"""The contract of a check: what it is handed, what it gives back.

A check looks at a slide as `begin` shows it, then at one field of tissue after the other, then says
what it measured. It decides nothing: `verdict` holds figures against a policy.

    class Blank:
        id, version, basis, unit = "tissue.area", "1", Basis.EXACT, "mm2"
        def begin(self, slide): return BlankLook(slide)

A look that has `see` is a `FieldLook`: it is handed fields one at a time, in any order, each once;
together they cover every cell that holds tissue. What cannot be measured raises `NotEvaluated` with
a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from processing.jpeg import Pixels
from processing.quality.slide_view import SlideView
from storage.records.quality import Basis, Figure, ModelRef, Spot

CELL = 128
"""Pixels along a cell of a field: about 128 µm."""
Cells = NDArray[np.float32]
"""[row, column], NaN where nothing was measured."""


class NotEvaluated(Exception):
    """A check has nothing to measure here; its text is a word that screens translate."""


@dataclass(frozen=True, slots=True)
class Field:
    """A block of cells at the working level, with as much around it as the slide has.

    `pixels` [row, column, 3] begin at (`x` - `left`, `y` - `top`) of the working level; the block
    itself is `rows` x `columns` cells of `CELL` pixels, fewer pixels at the slide's edge.
    """

    pixels: Pixels
    x: int
    y: int
    left: int
    top: int
    columns: int
    rows: int
    tissue: NDArray[np.float32]
    """[rows, columns], the part of each cell that is tissue, 0 to 1."""
    um: float
    """µm along a pixel."""

    def cell(self, row: int, column: int, halo: int = 0) -> Pixels:
        """The pixels of a cell, `halo` more on every side as far as there are any."""
        top, left = self.top + row * CELL, self.left + column * CELL
        return self.pixels[
            max(top - halo, 0) : top + CELL + halo, max(left - halo, 0) : left + CELL + halo
        ]


@dataclass(frozen=True, slots=True)
class CellMap:
    """Values of a check over the slide, to be drawn: [row, column], NaN where there is none.

    `cell` is the side of a value in pixels of level 0, a power of two. Stored as bytes in steps of
    `step`; or `classes`: then values are 0, 1, 2, ... and that many words, the first for 1.
    """

    values: Cells
    cell: int
    step: float = 1.0
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """What a check measured, in its unit."""

    figures: Mapping[str, Figure]
    map: CellMap | None = None
    spots: tuple[Spot, ...] = ()
    limits: tuple[str, ...] = ()
    model: ModelRef | None = None


class Look(Protocol):
    """One check on one slide."""

    def end(self) -> Measured:
        """What it came to. Errors: NotEvaluated."""


@runtime_checkable
class FieldLook(Look, Protocol):
    """One that is shown every field of tissue; others ask the slide for what they need."""

    def see(self, seen: Field) -> None:
        """Look at a field; called by one thread."""


class Check(Protocol):
    """A check as the table of checks knows it."""

    id: ClassVar[str]
    version: ClassVar[str]
    basis: ClassVar[Basis]
    unit: ClassVar[str]

    def begin(self, slide: SlideView) -> Look:
        """Begin to look. Errors: NotEvaluated."""


@dataclass(slots=True)
class CellGrid:
    """Collects a value for every cell of the working level while fields come by."""

    columns: int
    rows: int
    values: Cells = field(init=False)

    def __post_init__(self) -> None:
        self.values = np.full((self.rows, self.columns), np.nan, np.float32)

    def put(self, seen: Field, row: int, column: int, value: float) -> None:
        """The value of one cell of a field."""
        self.values[seen.y // CELL + row, seen.x // CELL + column] = value
