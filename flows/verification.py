"""Is every stored byte what it should be: original against fingerprint, tiles against original."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flows.originals import fingerprint_of, original_path
from flows.services import Services
from processing.pyramid import DerivedShard, SourceShard
from processing.readers import SlideReader, open_slide
from processing.tiling import plan_pyramid
from storage import ngff
from storage.errors import SvartidError
from storage.pyramids import shard_blocks
from storage.records.geometry import TileBlock
from storage.records.slide import LevelOrigin, PyramidPlan, Slide, StoredLevel
from storage.shards import Chunk, Shard


def verify_slide(services: Services, slide: Slide) -> tuple[int, list[str]]:
    """How many tiles were compared, and a line for every thing that is wrong."""
    problems = list[str]()
    tiles = 0
    try:
        original = original_path(services.layout, slide.fingerprint)
        if fingerprint_of(original) != slide.fingerprint:
            return 0, ["the original's bytes have changed: its SHA-256 is another"]
        record, present = services.pyramids.describe(slide.slide_id)
        folder = services.pyramids.path(slide.slide_id)
        problems += [
            f"{name} is missing"
            for name in record.associated.values()
            if not (folder / name).is_file()
        ]
        with open_slide(original) as reader:
            for level in present:
                if (folder / str(level.level) / "zarr.json").read_bytes() != ngff.array_json(
                    level, record.plan
                ):
                    problems.append(f"level {level.level}: its zarr.json has changed")
                compared = _level(reader, record.plan, level, folder)
                for count, found in compared:
                    tiles += count
                    problems += found
    except (SvartidError, OSError) as error:
        problems.append(str(error) or type(error).__name__)
    return tiles, problems


def _level(
    reader: SlideReader, plan: PyramidPlan, level: StoredLevel, folder: Path
) -> Iterator[tuple[int, list[str]]]:
    def path(level: int, row: int, column: int) -> Path:
        return folder / ngff.shard_key(level, row, column)

    maker: SourceShard | DerivedShard
    if level.origin is LevelOrigin.DERIVED:
        maker = DerivedShard(plan, level, path)
    else:
        lossless = level.encoding is None
        source = plan_pyramid(reader.levels, lossless=lossless).source_of[level.level]
        maker = SourceShard(reader, plan, level, source)
    for row, column, block in shard_blocks(level, plan):
        at = path(level.level, row, column)
        yield _shard(maker, plan, level, block, at)


def _shard(
    maker: SourceShard | DerivedShard,
    plan: PyramidPlan,
    level: StoredLevel,
    block: TileBlock,
    path: Path,
) -> tuple[int, list[str]]:
    count, per = block.columns * block.rows, plan.shard_tiles
    where = f"level {level.level}, shard {path.parent.name}/{path.name}"
    try:
        shard = Shard.open(path, per * per)
        if shard is None:
            return count, [f"{where} is missing"]
        expected, _ = maker.chunks(block)
        problems = [
            f"level {level.level}, column {x}, row {y}: the tile's bytes differ"
            for (x, y), chunk in zip(block.places(), expected, strict=True)
            if shard.chunk((y % per) * per + x % per) != _joined(chunk)
        ]
    except SvartidError as error:
        return count, [f"{where}: {error}"]
    length = path.stat().st_size
    stored = sum(len(_joined(chunk) or b"") for chunk in expected) + per * per * 16 + 4
    if length != stored and not problems:
        problems.append(f"{where}: {length} bytes where {stored} belong")
    return count, problems


def _joined(chunk: Chunk | None) -> bytes | None:
    return None if chunk is None else b"".join(chunk)
