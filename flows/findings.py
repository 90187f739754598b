"""What is wrong with a file, kept for those who have to decide: a list and a map."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import imagecodecs
import numpy as np

from flows.services import Services
from processing.comparison import Differing
from processing.jpeg import Pixels
from processing.tiles import Tiles
from storage.records.geometry import Region
from storage.records.slide import LevelOrigin, PyramidRecord, StoredLevel
from storage.shards import write_parts
from storage.tiles import TileStore

_MOST_PIXELS = 1600
_MARK = np.array([220, 0, 60], np.float32)


def keep_map(
    services: Services, fingerprint: str, record: PyramidRecord, differing: Sequence[Differing]
) -> None:
    """Write `levels.json` and `levels.png`: the scanner's own overview, what differs in red."""
    folder = services.layout.findings / fingerprint
    folder.mkdir(exist_ok=True, mode=0o700)
    finest = min(at.level for at in differing)
    marked = sorted(at for at in differing if at.level == finest)
    document = {
        "slide_id": record.slide_id,
        "level": finest,
        "against_level": marked[0].coarser,
        "tile_edge": record.plan.tile_edge,
        "tiles": [[at.column, at.row, round(at.difference, 1)] for at in marked],
    }
    write_parts(folder / "levels.json", [json.dumps(document).encode()], sync=True)
    picture = _overview(services, record, marked)
    png = bytes(imagecodecs.png_encode(picture, level=6))
    write_parts(folder / "levels.png", [png], sync=True)


def map_path(services: Services, fingerprint: str) -> Path:
    """Where the map of a file lies, if there is one."""
    return services.layout.findings / fingerprint / "levels.png"


def _overview(services: Services, record: PyramidRecord, marked: Sequence[Differing]) -> Pixels:
    """The smallest level that the scanner wrote, with the marked tiles tinted."""
    level = _shown_level(record)
    tiles = Tiles(TileStore(services.pyramids), services.layout.made)
    whole = Region(0, 0, min(level.size.width, _MOST_PIXELS), min(level.size.height, _MOST_PIXELS))
    picture = tiles.region(tiles.pyramid(record.slide_id), level.level, whole)
    for at in marked:
        edge = record.plan.tile_edge / 2 ** (level.level - at.level)
        left, top = round(at.column * edge), round(at.row * edge)
        right, bottom = round((at.column + 1) * edge), round((at.row + 1) * edge)
        part = picture[top : max(bottom, top + 1), left : max(right, left + 1)]
        part[:] = (part * 0.5 + _MARK * 0.5).astype(np.uint8)
    return picture


def _shown_level(record: PyramidRecord) -> StoredLevel:
    scanned = [at for at in record.plan.levels if at.origin is not LevelOrigin.DERIVED]
    return scanned[-1]
