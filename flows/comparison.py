"""A slide that is readable but not complete, compared with its original: it has no proof yet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from flows.ingest import describe
from flows.originals import fingerprint_of, original_path
from flows.services import Services
from processing.channels_seen import channels_seen
from processing.readers import SlideReader, open_slide
from processing.source_levels import SourceShard
from processing.tiling import Sourced, plan_pyramid
from storage import ngff
from storage.errors import SvartidError
from storage.pyramids import ICC_FILE, associated_file, shard_blocks
from storage.records.geometry import TileBlock
from storage.records.slide import Slide, StoredLevel
from storage.shards import INDEX_ENTRY_BYTES, INDEX_SUM_BYTES, Chunk, Shard


def compare_slide(services: Services, slide: Slide) -> tuple[int, list[str]]:
    """How many tiles were compared, and a line for every thing that is wrong.

    Nothing that is stored is believed: the scanner's levels are made again from the original,
    whose SHA-256 the catalogue knows.
    """
    original = original_path(services.layout, slide.fingerprint)
    if fingerprint_of(original) != slide.fingerprint:
        return 0, ["the original's bytes have changed: its SHA-256 is another"]
    with open_slide(original) as reader:
        return _pyramid(reader, services.pyramids.path(slide.slide_id), slide)


def _pyramid(reader: SlideReader, folder: Path, slide: Slide) -> tuple[int, list[str]]:
    stored = _read(folder / "zarr.json")
    channels = channels_seen(reader)
    sourced = plan_pyramid(reader.levels, lossless=_is_lossless(stored), channels=channels)
    tiles, left_out, problems = 0, 0, list[str]()
    for level in sourced.plan.from_source():
        for count, absent, found in _level(reader, sourced, level, folder):
            tiles += count
            left_out += absent
            problems += found
    images = reader.associated_images()
    record = describe(slide.fingerprint, reader, sourced, images, absent=left_out)
    expected = {folder / associated_file(image): {image.data} for image in images}
    # Derived levels may be there already, in the moment before the slide is complete.
    expected[folder / "zarr.json"] = {
        ngff.group_json(record, present)
        for present in (sourced.plan.from_source(), sourced.plan.levels)
    }
    for level in sourced.plan.from_source():
        expected[folder / str(level.level) / "zarr.json"] = {ngff.array_json(level, sourced.plan)}
    if reader.icc_profile is not None:
        expected[folder / ICC_FILE] = {reader.icc_profile}
    return tiles, problems + _files(folder, expected)


def _files(folder: Path, expected: Mapping[Path, Collection[bytes]]) -> list[str]:
    """Lines for small files that are missing or whose bytes differ."""
    problems = []
    for path, contents in expected.items():
        found, name = _read(path), path.relative_to(folder)
        if found is None:
            problems.append(f"{name} is missing")
        elif found not in contents:
            problems.append(f"{name} has changed")
    return problems


def _is_lossless(stored: bytes | None) -> bool:
    """Whether pixels without JPEG tiles were kept without loss: only the pyramid says so."""
    try:
        return stored is not None and ngff.read_group(stored)[0].plan.levels[0].encoding is None
    except (SvartidError, LookupError):
        return False


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _level(
    reader: SlideReader, sourced: Sourced, level: StoredLevel, folder: Path
) -> Iterator[tuple[int, int, list[str]]]:
    """(tiles, tiles the source left out, lines) of every shard."""
    plan = sourced.plan
    for channel in range(plan.planes):
        maker = SourceShard(reader, plan, level, sourced.source_of[level.level], channel)
        for row, column, block in shard_blocks(level, plan):
            path = folder / ngff.shard_key(level.level, row, column, channel)
            absent, found = _shard(maker, block, path, plan.shard_tiles)
            yield block.columns * block.rows, absent, found


def _shard(maker: SourceShard, block: TileBlock, path: Path, per: int) -> tuple[int, list[str]]:
    level, absent = maker.level.level, 0
    where = f"level {level}, shard {'/'.join(path.parts[-3:])}"
    try:
        expected, absent = maker.chunks(block)
        shard = Shard.open(path, per * per)
        if shard is None:
            return absent, [f"{where} is missing"]
        problems = [
            f"level {level}, column {x}, row {y}: the tile's bytes differ"
            for (x, y), chunk in zip(block.places(), expected, strict=True)
            if shard.chunk((y % per) * per + x % per) != _joined(chunk)
        ]
    except SvartidError as error:
        return absent, [f"{where}: {error}"]
    belong = sum(len(_joined(chunk) or b"") for chunk in expected)
    belong += per * per * INDEX_ENTRY_BYTES + INDEX_SUM_BYTES
    length = path.stat().st_size
    if length != belong and not problems:
        problems.append(f"{where}: {length} bytes where {belong} belong")
    return absent, problems


def _joined(chunk: Chunk | None) -> bytes | None:
    return None if chunk is None else b"".join(chunk)
