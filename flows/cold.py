"""The cold tier: a complete slide's JPEGs in a form that gives them back bit for bit.

Every tile is compared with the proof before the form it leaves is removed; what is there after a
kill at any moment is settled by what the catalogue says.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flows.ingest import disk_errors
from flows.originals import locked
from flows.services import Services
from processing.source_levels import Progress
from storage import ngff
from storage.catalogue import change_tier, get_slide
from storage.cold import cool_tile, open_shard
from storage.errors import NotFound, Refused, StoreDamaged, Transient
from storage.merkle import ABSENT_LEAF, leaf
from storage.proof import PROOF_FILE, Proof
from storage.pyramids import shard_blocks
from storage.records.geometry import TileBlock
from storage.records.slide import JpegEncoding, PyramidRecord, Slide, StoredLevel, Tier
from storage.shards import write_parts, write_shard
from storage.skeleton import SKELETON_FILE
from storage.tiers import draft_for, keep_only, publish_draft, unsettled


def move_to(
    services: Services, slide_id: str, tier: Tier, actor: str, progress: Progress | None = None
) -> Slide:
    """Bring a complete slide to a tier; the slide as the catalogue knows it then.

    One that is there already stays as it is. Errors: NotFound, Refused (not complete, or not
    smaller when cold), StoreDamaged (a tile is not the one that was proved), NoSpace, Transient;
    the slide is where and what it was then.
    """
    with disk_errors(), _alone(services, slide_id) as slide:
        keep_only(services.pyramids, slide_id, slide.tier)
        if services.pyramids.is_cold(services.pyramids.path(slide_id)) is (tier is Tier.COLD):
            if slide.tier is not tier:  # the catalogue comes out of an older backup
                _enter(services, slide, tier, actor)
            return get_slide(services.database, slide_id)
        if slide.root is None:
            raise Refused("the slide is not complete; only what is proved is moved")
        try:
            draft = draft_for(services.pyramids, slide_id, tier)
            write_form(services, slide, tier, draft, progress)
            gone, made = _bytes_below(services.pyramids.path(slide_id)), _bytes_below(draft)
            if tier is Tier.COLD and made >= gone:
                raise Refused("the slide would not be smaller in the cold tier; it stays warm")
            publish_draft(services.pyramids, slide_id, tier)
            _enter(services, slide, tier, actor)
        finally:
            # Asked again, for a database that went away may have heard all the same.
            _settle(services, slide_id)
        return get_slide(services.database, slide_id)


def write_form(
    services: Services,
    slide: Slide,
    tier: Tier,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Write a slide's pyramid as `tier` keeps it into the folder `target`; all cores work.

    Errors: StoreDamaged, when anything is not what was proved; OSError.
    """
    source = services.pyramids.path(slide.slide_id)
    record, _ = services.pyramids.describe(slide.slide_id)
    proof = _proof(services, slide)
    if tier is Tier.COLD and not any(
        isinstance(at.encoding, JpegEncoding) for at in record.plan.levels
    ):
        raise Refused("no level of the slide is kept as JPEG; there is nothing to gain")
    files = {**proof.files, PROOF_FILE: bytes.fromhex(slide.proof or "")}
    for name, digest in files.items():
        _copy(source / name, target / name, digest)
    work = _Work(source, target, services.pyramids.is_cold(source), tier is Tier.COLD, record)
    expected = {source / name for name in files}
    total, done = sum(at.shape[0] * at.shape[1] for at in proof.tiles.values()), 0
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for level in record.plan.levels:
            for row, column, block in shard_blocks(level, record.plan):
                key = ngff.shard_key(level.level, row, column)
                expected.add(source / key)
                work.rewrite(pool, key, (level, block), proof)
                done += block.columns * block.rows
                if progress:
                    progress(done, total)
    _refuse_strangers(source, expected)


def settle(services: Services) -> None:
    """What killed moves left half done or in two tiers is finished or undone."""
    for slide_id in unsettled(services.pyramids):
        try:
            with _alone(services, slide_id):
                _settle(services, slide_id)
        except (Transient, NotFound, FileNotFoundError):
            continue  # at work, or not in the catalogue, or without its original: not ours to judge


@dataclass(frozen=True, slots=True)
class _Work:
    source: Path
    target: Path
    from_cold: bool
    to_cold: bool
    record: PyramidRecord

    def rewrite(
        self,
        pool: ThreadPoolExecutor,
        key: str,
        what: tuple[StoredLevel, TileBlock],
        proof: Proof,
    ) -> None:
        """One shard in its other form, tile by tile on every core."""
        (level, block), per = what, self.record.plan.shard_tiles
        is_jpeg = isinstance(level.encoding, JpegEncoding)
        shard = open_shard(self.source / key, per * per, cold=self.from_cold and is_jpeg)
        if shard is None:
            raise StoreDamaged(f"{key} is missing; svartid verify says more")
        make = partial(
            _tile, shard.chunk, level.level, proof, cool=self.to_cold and is_jpeg, per=per
        )
        chunks: list[tuple[bytes, ...] | None] = [None] * (per * per)
        for (x, y), data in zip(block.places(), pool.map(make, block.places()), strict=True):
            if data is not None:
                chunks[(y % per) * per + x % per] = (data,)
        (self.target / key).parent.mkdir(parents=True, exist_ok=True)
        write_shard(self.target / key, chunks)


def _tile(
    read: Callable[[int], bytes | None],
    level: int,
    proof: Proof,
    place: tuple[int, int],
    *,
    cool: bool,
    per: int,
) -> bytes | None:
    """The chunk of a tile in its other form, when it is the tile that was proved."""
    x, y = place
    data = read((y % per) * per + x % per)
    digest = ABSENT_LEAF if data is None else leaf(data)
    if digest != proof.tiles[level][y, x].tobytes():
        raise StoreDamaged(f"level {level}, column {x}, row {y}: the tile's bytes have changed")
    return cool_tile(data) if cool and data is not None else data


def _proof(services: Services, slide: Slide) -> Proof:
    proof = services.pyramids.proof(slide.slide_id)
    if (proof.root, proof.fingerprint) != (slide.root, slide.fingerprint):
        raise StoreDamaged(f"{PROOF_FILE} leads to another root than the database knows")
    return proof


def _copy(source: Path, target: Path, digest: bytes) -> None:
    data = source.read_bytes()
    if hashlib.sha256(data).digest() != digest:
        raise StoreDamaged(f"{source.name} has changed; svartid verify says more")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_parts(target, [data], sync=False)


def _refuse_strangers(folder: Path, expected: set[Path]) -> None:
    """What is not ours would be lost with the folder."""
    for path in folder.rglob("*"):
        if not path.is_dir() and path not in expected:
            raise StoreDamaged(f"{path.relative_to(folder)} does not belong here")


def _enter(services: Services, slide: Slide, tier: Tier, actor: str) -> None:
    stored = _bytes_below(services.pyramids.place(slide.slide_id, tier))
    if slide.skeleton:
        stored += (services.layout.originals / slide.fingerprint / SKELETON_FILE).stat().st_size
    change_tier(services.database, slide, tier, stored, actor)


def _settle(services: Services, slide_id: str) -> None:
    keep_only(services.pyramids, slide_id, get_slide(services.database, slide_id).tier)


def _bytes_below(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@contextmanager
def _alone(services: Services, slide_id: str) -> Iterator[Slide]:
    """The slide, with its original locked: whoever else moves or tidies it waits or goes away."""
    slide = get_slide(services.database, slide_id)
    try:
        with locked(services.layout.originals / slide.fingerprint):
            yield get_slide(services.database, slide_id)
    except BlockingIOError:
        raise Transient("another process is at work on this slide") from None
