"""Is all of phase two needed: what each part of it costs, and what other ways would.

Variants of completing one pyramid, CPU seconds of the threads in this process (medians, in turn):
as shipped; without comparing the scanner's levels; hashing and decoding only, with the 2x levels
left to be made when somebody looks; each level from pixels in memory instead of from coded tiles.
`--record` writes benchmarks/results.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import machine, record
from processing import jpeg
from processing.downsample import join_quarters
from processing.halving import halve
from processing.pyramid import complete_levels
from processing.readers import open_slide
from processing.source_levels import copy_source_levels
from processing.tiles import Tiles
from processing.tiling import DERIVED, plan_pyramid
from storage import merkle, ngff
from storage.pyramids import Pyramids
from storage.records.slide import PyramidRecord
from storage.tiles import OpenPyramid, TileStore

_ID = "a" * 20
_SEEN = 400


class Shop:
    """One slide through phase one, in a folder of its own."""

    def __init__(self, path: Path, folder: Path, most_levels: int | None) -> None:
        for name in ("published", "staging", "cold", "made"):
            (folder / name).mkdir()
        self.made = folder / "made"
        self.pyramids = Pyramids(folder / "published", folder / "staging", folder / "cold")
        with open_slide(path) as reader:
            sourced = plan_pyramid(reader.levels[:most_levels])
            draft = self.pyramids.create(_ID)
            copy_source_levels(reader, sourced, draft, lambda *_: None)
            self.plan = sourced.plan
            self.pyramids.publish(draft, PyramidRecord(_ID, "f" * 64, self.plan, reader.metadata))
        self.present = {at.level for at in self.plan.from_source()}
        self.store = TileStore(self.pyramids)

    @property
    def pyramid(self) -> OpenPyramid:
        """As it is now."""
        return self.store.pyramid(_ID)

    def shipped(self) -> None:
        """Phase two as it is."""
        folder, draft = self.pyramids.path(_ID), self.pyramids.resume_levels(_ID)
        path = lambda *at: folder / ngff.shard_key(*at)  # noqa: E731
        complete_levels(self.plan, self.present, path, draft, lambda *_: None)
        self.pyramids.discard(_ID)

    def only_proved(self) -> None:
        """Every stored tile decoded and hashed, nothing made."""
        for level in self.plan.from_source():
            grid = level.size.in_tiles(self.plan.tile_edge)
            for row in range(grid.height):
                for column in range(grid.width):
                    data = self.store.stored(self.pyramid, level.level, column, row)
                    if data is not None:
                        merkle.leaf(data)
                        jpeg.decode_half(data, self.plan.tile_edge)

    def one_pass(self) -> None:
        """Level 0 decoded once; every other level from the pixels of the one before."""
        edge, grid = self.plan.tile_edge, self.plan.size.in_tiles(self.plan.tile_edge)
        rows: dict[int, dict[int, Any]] = {}
        for row in range(grid.height):
            for column in range(grid.width):
                data = self.store.stored(self.pyramid, 0, column, row)
                quarter = None if data is None else jpeg.decode_half(data, edge)
                self._rise(rows, 1, (column, row), quarter)

    def _rise(self, rows: Any, level: int, place: tuple[int, int], quarter: Any) -> None:  # noqa: ANN401
        """A quarter of a tile of `level`; with the fourth, the tile is coded and rises itself."""
        if level >= len(self.plan.levels):
            return
        below = self.plan.levels[level - 1].size.in_tiles(self.plan.tile_edge)
        column, row = place[0] // 2, place[1] // 2
        found = rows.setdefault(level, {}).setdefault((column, row), {})
        found[place[0] % 2 + 2 * (place[1] % 2)] = quarter
        wanted = min(2, below.width - 2 * column) * min(2, below.height - 2 * row)
        if len(found) < wanted:
            return
        del rows[level][column, row]
        tile = join_quarters([found.get(at) for at in range(4)], self.plan.tile_edge)
        jpeg.encode(tile, DERIVED)
        self._rise(rows, level + 1, (column, row), halve(tile))

    def seen(self) -> float:
        """Milliseconds of CPU to make one tile of level 1 when somebody looks, and keep it."""
        tiles, size = Tiles(self.store, self.made), self.plan.levels[1].size
        grid = size.in_tiles(self.plan.tile_edge)
        chance = np.random.default_rng(1)
        shutil.rmtree(self.made)
        self.made.mkdir()
        began = time.process_time()
        for _ in range(_SEEN):
            place = int(chance.integers(grid.width)), int(chance.integers(grid.height))
            tiles.shown(self.pyramid, 1, *place)
        return (time.process_time() - began) / _SEEN * 1000


def main() -> int:
    """All variants, with the scanner's levels and as if it had written level 0 alone."""
    slides = Path(os.environ.get("SVARTID_TEST_SLIDES", "../shared/slides")) / "pyramid-tiff"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slide", type=Path, default=slides / "giardia-HE-20x.tif")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="write benchmarks/results")
    args = parser.parse_args()
    document: dict[str, Any] = {"machine": machine(), "slide": args.slide.name}
    for name, most in (("scanner's levels", None), ("level 0 alone", 1)):
        with tempfile.TemporaryDirectory(prefix="svartid-levels-") as folder:
            document[name] = _measure(Shop(args.slide, Path(folder), most), args.rounds)
    print(json.dumps(document, indent=1))
    if args.record:
        print(record("levels", document))
    return 0


def _measure(shop: Shop, rounds: int) -> dict[str, float]:
    variants: dict[str, Callable[[], None]] = {
        "as shipped, CPU s": shop.shipped,
        "proof alone, CPU s": shop.only_proved,
        "one pass from pixels, without files and proof, CPU s": shop.one_pass,
    }
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, work in variants.items():
            began = time.process_time()
            work()
            taken[name].append(time.process_time() - began)
    found = {name: round(statistics.median(times), 2) for name, times in taken.items()}
    return found | {"a tile of level 1 made on sight, CPU ms": round(shop.seen(), 2)}


if __name__ == "__main__":
    raise SystemExit(main())
