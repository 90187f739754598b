"""Pyramids on disk: staged where nobody looks, published all or nothing, immutable after.

A pyramid is one folder `<slide_id>.ome.zarr`. Levels that follow later are renamed into it
whole and only then named in its zarr.json, so a reader never meets half a level.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from storage import ngff
from storage.errors import NotFound
from storage.proof import PROOF_FILE, Proof
from storage.records.geometry import TileBlock
from storage.records.slide import AssociatedImage, PyramidPlan, PyramidRecord, StoredLevel, Tier
from storage.shards import Chunk, write_parts, write_shard

SUFFIX, REMOVED = ".ome.zarr", ".removed"
ICC_FILE = "profile.icc"
_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png"}


def shard_blocks(level: StoredLevel, plan: PyramidPlan) -> Iterator[tuple[int, int, TileBlock]]:
    """(shard row, shard column, tiles of it that exist) for every shard of a level."""
    grid, per = level.size.in_tiles(plan.tile_edge), plan.shard_tiles
    for top in range(0, grid.height, per):
        for left in range(0, grid.width, per):
            columns, rows = min(per, grid.width - left), min(per, grid.height - top)
            yield top // per, left // per, TileBlock(left, top, columns, rows)


class Pyramids:
    """The folders of published pyramids, warm and cold, and the staging folder beside them."""

    def __init__(self, published: Path, staging: Path, cold: Path) -> None:
        self._staging = staging
        self._tiers = {Tier.WARM: published, Tier.COLD: cold}

    def place(self, slide_id: str, tier: Tier) -> Path:
        """Where the pyramid of a slide lies, or would, in one tier."""
        return self._tiers[tier] / (slide_id + SUFFIX)

    def places(self, slide_id: str) -> tuple[Path, ...]:
        """Where to look for a pyramid, in this order.

        A slide on its way from one tier to the other lies in both for a moment, never in
        neither; warm is asked again, for it may have been thawed between the two questions.
        """
        warm = self.place(slide_id, Tier.WARM)
        return warm, self.place(slide_id, Tier.COLD), warm

    def path(self, slide_id: str) -> Path:
        """Where the pyramid of a slide lies, warm or cold, or would."""
        found = (at for at in self.places(slide_id) if at.exists())
        return next(found, self.place(slide_id, Tier.WARM))

    def is_cold(self, folder: Path) -> bool:
        """True for a pyramid's folder in the cold tier."""
        return folder.parent == self._tiers[Tier.COLD]

    def is_published(self, slide_id: str) -> bool:
        """True when the slide is readable."""
        return (self.path(slide_id) / "zarr.json").exists()

    def describe(self, slide_id: str) -> tuple[PyramidRecord, tuple[StoredLevel, ...]]:
        """The record and the levels present now; NotFound, StoreDamaged."""
        document = self._read(slide_id, "zarr.json")
        if document is None:
            raise NotFound(f"no pyramid of slide {slide_id}")
        return ngff.read_group(document)

    def _read(self, slide_id: str, name: str) -> bytes | None:
        """A small file of a pyramid, wherever it lies."""
        for folder in self.places(slide_id):
            with suppress(FileNotFoundError):
                return (folder / name).read_bytes()
        return None

    def create(self, slide_id: str) -> PyramidDraft:
        """A fresh draft of phase one; leftovers of a killed one are removed first."""
        folder = self._staging / f"{slide_id}.pyramid"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return PyramidDraft(folder)

    def resume_levels(self, slide_id: str) -> PyramidDraft:
        """The draft of phase two; whole shards a killed run left are kept and reused."""
        folder = self._staging / f"{slide_id}.levels"
        folder.mkdir(parents=True, exist_ok=True)
        return PyramidDraft(folder)

    def publish(self, draft: PyramidDraft, record: PyramidRecord) -> None:
        """Phase one becomes visible: synced to disk, then renamed, then the folder synced."""
        present = record.plan.from_source()
        write_parts(draft.folder / "zarr.json", [ngff.group_json(record, present)], sync=False)
        sync_tree(draft.folder)
        target = self.place(record.slide_id, Tier.WARM)
        # A pyramid that is there but not in the catalogue: killed between rename and commit.
        shutil.rmtree(target, ignore_errors=True)
        draft.folder.rename(target)
        sync_folder(target.parent)

    def publish_levels(self, draft: PyramidDraft, record: PyramidRecord) -> None:
        """Phase two becomes visible: levels renamed in, then named in zarr.json at once."""
        target = self.path(record.slide_id)
        sync_tree(draft.folder)
        for level in record.plan.derived():
            fresh = draft.folder / str(level.level)
            if fresh.exists():
                shutil.rmtree(target / str(level.level), ignore_errors=True)
                fresh.rename(target / str(level.level))
        sync_folder(target)
        self._rewrite(target, record)
        shutil.rmtree(draft.folder, ignore_errors=True)

    def _rewrite(self, target: Path, record: PyramidRecord) -> None:
        document = ngff.group_json(record, record.plan.levels)
        write_parts(target / "zarr.json", [document], sync=True)
        sync_folder(target)

    def publish_proof(self, slide_id: str, proof: bytes) -> None:
        """Keep the proof of a complete pyramid inside it."""
        folder = self.path(slide_id)
        write_parts(folder / PROOF_FILE, [proof], sync=True)
        sync_folder(folder)

    def proof(self, slide_id: str) -> Proof:
        """The proof of a complete pyramid. Errors: NotFound, StoreDamaged."""
        document = self._read(slide_id, PROOF_FILE)
        if document is None:
            raise NotFound(f"no proof of slide {slide_id} yet")
        return Proof.from_bytes(document)

    def shard_path(self, slide_id: str, *place: int) -> Path:
        """Where the published shard at (level, row, column), and channel if any, lies."""
        return self.path(slide_id) / ngff.shard_key(*place)

    def remove(self, slide_id: str) -> None:
        """Take a pyramid out of everybody's sight, in every tier."""
        for tier in Tier:
            self.remove_from(slide_id, tier)

    def remove_from(self, slide_id: str, tier: Tier) -> None:
        """Take it out of one tier: all at once, then bit by bit."""
        place = self.place(slide_id, tier)
        gone = place.with_name(f"{slide_id}{REMOVED}")
        shutil.rmtree(gone, ignore_errors=True)
        with suppress(FileNotFoundError):
            place.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def discard(self, slide_id: str) -> None:
        """Remove what a given-up ingest left in staging."""
        for kind in ("pyramid", "levels"):
            shutil.rmtree(self._staging / f"{slide_id}.{kind}", ignore_errors=True)

    def leftovers(self) -> Iterator[tuple[str, Path]]:
        """(slide id, folder) of everything in staging."""
        for folder in self._staging.iterdir():
            yield folder.name.split(".")[0], folder


class PyramidDraft:
    """A pyramid, or some levels of one, that nobody can see yet; shards are one channel's."""

    def __init__(self, folder: Path, channel: int = 0) -> None:
        self.folder, self._channel = folder, channel

    def plane(self, channel: int) -> PyramidDraft:
        """The same draft, whose shards are those of another channel."""
        return PyramidDraft(self.folder, channel)

    def add_level(self, level: StoredLevel, plan: PyramidPlan) -> None:
        """Write a level's zarr.json and make room for its shards."""
        base = self.folder / str(level.level)
        for row in {row for row, _, _ in shard_blocks(level, plan)}:
            for channel in range(plan.planes):
                (base / "c" / str(channel) / str(row)).mkdir(parents=True, exist_ok=True)
        write_parts(base / "zarr.json", [ngff.array_json(level, plan)], sync=False)

    def shard_path(self, level: int, row: int, column: int) -> Path:
        """Path of one shard in this draft."""
        return self.folder / ngff.shard_key(level, row, column, self._channel)

    def write_shard(
        self, place: tuple[int, int, int], block: TileBlock, chunks: list[Chunk | None], per: int
    ) -> int:
        """Write the shard at (level, row, column); `chunks` row by row of `block`. Bytes."""
        full: list[Chunk | None] = [None] * (per * per)
        for row in range(block.rows):
            start = row * block.columns
            full[row * per : row * per + block.columns] = chunks[start : start + block.columns]
        return write_shard(self.shard_path(*place), full)

    def add_associated(self, images: tuple[AssociatedImage, ...]) -> dict[str, str]:
        """Keep label, overview, thumbnail as they are; name to file inside the pyramid."""
        (self.folder / "associated").mkdir(exist_ok=True)
        files = {}
        for image in images:
            file = associated_file(image)
            write_parts(self.folder / file, [image.data], sync=False)
            files[image.name] = file
        return files

    def add_icc_profile(self, profile: bytes | None) -> str | None:
        """Keep the ICC profile as it is; its file inside the pyramid."""
        if profile is None:
            return None
        write_parts(self.folder / ICC_FILE, [profile], sync=False)
        return ICC_FILE


def associated_file(image: AssociatedImage) -> str:
    """Where an associated image lies inside the pyramid."""
    return f"associated/{image.name}.{_EXTENSIONS[image.media_type]}"


def sync_tree(folder: Path) -> None:
    """Put every file and folder below `folder` on disk, children before parents."""
    for base, _, files in os.walk(folder, topdown=False):
        for name in files:
            _sync(Path(base) / name, os.O_RDONLY)
        sync_folder(Path(base))


def sync_folder(folder: Path) -> None:
    """Put a folder's entries on disk."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
