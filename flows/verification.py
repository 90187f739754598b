"""Is every stored byte what it should be: original against fingerprint, tiles against original."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from flows.ingest import describe
from flows.originals import fingerprint_of, original_path
from flows.services import Services
from processing.channels_seen import channels_seen
from processing.pyramid import DerivedShard, SourceShard
from processing.readers import SlideReader, open_slide
from processing.tiling import Sourced, plan_pyramid
from storage import ngff
from storage.errors import SvartidError
from storage.pyramids import ICC_FILE, associated_file, shard_blocks
from storage.records.geometry import TileBlock
from storage.records.slide import LevelOrigin, PyramidPlan, Slide, StoredLevel
from storage.shards import Chunk, Shard


def verify_slide(services: Services, slide: Slide) -> tuple[int, list[str]]:
    """How many tiles were compared, and a line for every thing that is wrong.

    Nothing that is stored is believed: everything is made again from the original, whose
    SHA-256 the catalogue knows.
    """
    try:
        original = original_path(services.layout, slide.fingerprint)
        if fingerprint_of(original) != slide.fingerprint:
            return 0, ["the original's bytes have changed: its SHA-256 is another"]
        with open_slide(original) as reader:
            return _pyramid(reader, services.pyramids.path(slide.slide_id), slide)
    except (SvartidError, OSError) as error:
        return 0, [str(error) or type(error).__name__]


def _pyramid(reader: SlideReader, folder: Path, slide: Slide) -> tuple[int, list[str]]:
    stored = _read(folder / "zarr.json")
    channels = channels_seen(reader)
    sourced = plan_pyramid(reader.levels, lossless=_is_lossless(stored), channels=channels)
    present = _present(sourced.plan, slide, stored)
    tiles, faulty, problems = 0, 0, list[str]()
    for level in present:
        for count, absent, found in _level(reader, sourced, level, folder):
            tiles += count
            faulty += absent
            problems += found
    images = reader.associated_images()
    record = describe(slide.fingerprint, reader, sourced, images, faulty=faulty)
    expected = {folder / associated_file(image): image.data for image in images}
    expected[folder / "zarr.json"] = ngff.group_json(record, present)
    for level in present:
        expected[folder / str(level.level) / "zarr.json"] = ngff.array_json(level, sourced.plan)
    if reader.icc_profile is not None:
        expected[folder / ICC_FILE] = reader.icc_profile
    problems += _files(folder, expected)
    shards = {
        folder / ngff.shard_key(level.level, row, column, channel)
        for level in present
        for channel in range(sourced.plan.planes)
        for row, column, _ in shard_blocks(level, sourced.plan)
    }
    if slide.complete_at is not None:
        problems += _strangers(folder, shards | expected.keys())
    return tiles, problems


def _files(folder: Path, expected: Mapping[Path, bytes]) -> list[str]:
    """Lines for small files that are missing or whose bytes differ."""
    problems = []
    for path, content in expected.items():
        found, name = _read(path), path.relative_to(folder)
        if found is None:
            problems.append(f"{name} is missing")
        elif found != content:
            problems.append(f"{name} has changed")
    return problems


def _strangers(folder: Path, expected: Collection[Path]) -> list[str]:
    """Lines for files that do not belong into a complete pyramid."""
    files = (path for path in sorted(folder.rglob("*")) if not path.is_dir())
    return [f"{path.relative_to(folder)} does not belong here" for path in files
            if path not in expected]  # fmt: skip


def _present(plan: PyramidPlan, slide: Slide, stored: bytes | None) -> tuple[StoredLevel, ...]:
    """The levels that must be there: all when complete; before, as many as are named."""
    if slide.complete_at is not None or stored is None:
        return plan.levels
    try:
        _, named = ngff.read_group(stored)
    except SvartidError:
        return plan.from_source()
    return plan.levels if len(named) == len(plan.levels) else plan.from_source()


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

        def path(level: int, row: int, column: int, channel: int = channel) -> Path:
            return folder / ngff.shard_key(level, row, column, channel)

        maker: SourceShard | DerivedShard
        if level.origin is LevelOrigin.DERIVED:
            maker = DerivedShard(plan, level, path)
        else:
            source = sourced.source_of[level.level]
            maker = SourceShard(reader, plan, level, source, channel=channel)
        for row, column, block in shard_blocks(level, plan):
            absent, found = _shard(maker, block, path(level.level, row, column), plan.shard_tiles)
            yield block.columns * block.rows, absent, found


def _shard(
    maker: SourceShard | DerivedShard, block: TileBlock, path: Path, per: int
) -> tuple[int, list[str]]:
    level, absent = maker.level.level, 0
    channel = f", channel {path.parts[-3]}" if maker.plan.channels else ""
    where = f"level {level}{channel}, shard {path.parent.name}/{path.name}"
    try:
        expected, faulty = maker.chunks(block)
        absent = faulty if maker.level.origin is not LevelOrigin.DERIVED else 0
        shard = Shard.open(path, per * per)
        if shard is None:
            return absent, [f"{where} is missing"]
        problems = [
            f"level {level}{channel}, column {x}, row {y}: the tile's bytes differ"
            for (x, y), chunk in zip(block.places(), expected, strict=True)
            if shard.chunk((y % per) * per + x % per) != _joined(chunk)
        ]
    except SvartidError as error:
        return absent, [f"{where}: {error}"]
    length = path.stat().st_size
    stored = sum(len(_joined(chunk) or b"") for chunk in expected) + per * per * 16 + 4
    if length != stored and not problems:
        problems.append(f"{where}: {length} bytes where {stored} belong")
    return absent, problems


def _joined(chunk: Chunk | None) -> bytes | None:
    return None if chunk is None else b"".join(chunk)
