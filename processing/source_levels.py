"""Phase one: the scanner's levels into a draft, copied byte for byte or encoded once.

Threads and nothing else: the work is reading and writing, and a command that only does this
should not wait for the scheduler of phase two to be loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from processing.plane_codec import encode_plane
from processing.readers.base import SlideReader
from processing.tile_codec import encode_tile
from processing.tiling import Sourced
from storage.pyramids import PyramidDraft, shard_blocks
from storage.records.geometry import TileBlock, tile_region
from storage.records.slide import LevelOrigin, PlaneEncoding, PyramidPlan, StoredLevel
from storage.shards import Chunk

Progress = Callable[[int, int], None]
"""Called with tiles done and tiles to do."""


class Written(NamedTuple):
    """What one shard, or all of the phase, came to."""

    tiles: int
    absent: int
    """Tiles that the scanner left out."""

    def plus(self, other: Written) -> Written:
        """Both together."""
        return Written(self.tiles + other.tiles, self.absent + other.absent)


def copy_source_levels(
    reader: SlideReader, sourced: Sourced, draft: PyramidDraft, progress: Progress
) -> Written:
    """Every level the scanner delivered. Errors: SlideError, OSError."""
    shards = list[tuple[SourceShard, int, int, TileBlock]]()
    for level in sourced.plan.from_source():
        draft.add_level(level, sourced.plan)
        for channel in range(sourced.plan.planes):
            shard = SourceShard(
                reader, sourced.plan, level, sourced.source_of[level.level], channel
            )
            shards += [(shard, *place) for place in shard_blocks(level, sourced.plan)]
    total = sum(block.columns * block.rows for *_, block in shards)
    progress(0, total)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        tasks = [
            threads.submit(shard.write, draft, row, column, block)
            for shard, row, column, block in shards
        ]
        written = Written(0, 0)
        try:
            for task in tasks:
                written = written.plus(task.result())
                progress(written.tiles, total)
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return written


@dataclass(frozen=True)
class SourceShard:
    """Makes the shards of a level that the source has."""

    reader: SlideReader
    plan: PyramidPlan
    level: StoredLevel
    source: int
    channel: int = 0

    def chunks(self, block: TileBlock) -> tuple[list[Chunk | None], int]:
        """Tiles of a block, and how many the scanner left out."""
        if self.level.origin is LevelOrigin.COPIED:
            chunks = self.reader.jpeg_tiles(self.source, block)
        else:
            chunks = [(self._encode(x, y),) for x, y in block.places()]
        return chunks, sum(chunk is None for chunk in chunks)

    def write(self, draft: PyramidDraft, row: int, column: int, block: TileBlock) -> Written:
        """One shard into the draft."""
        chunks, absent = self.chunks(block)
        place = (self.level.level, row, column)
        draft.plane(self.channel).write_shard(place, block, chunks, self.plan.shard_tiles)
        return Written(len(chunks), absent)

    def _encode(self, column: int, row: int) -> bytes:
        region, encoding = tile_region(column, row, self.plan.tile_edge), self.level.encoding
        if isinstance(encoding, PlaneEncoding):
            return encode_plane(self.reader.plane(self.source, self.channel, region))
        return encode_tile(self.reader.pixels(self.source, region), encoding)
