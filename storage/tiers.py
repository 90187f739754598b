"""A pyramid on its way to another tier: made out of sight, published, then its old form goes.

Which form stays is for the catalogue to say. Drafts lie beside the tier they are made for, so
that their renaming is one step even where the cold tier is another disk.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from storage.pyramids import REMOVED, SUFFIX, Pyramids, sync_folder, sync_tree
from storage.records.slide import Tier

_DRAFT = ".part"


def draft_for(pyramids: Pyramids, slide_id: str, tier: Tier) -> Path:
    """An empty folder to make the pyramid's form for `tier` in."""
    folder = _half(pyramids, slide_id, tier, _DRAFT)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def publish_draft(pyramids: Pyramids, slide_id: str, tier: Tier) -> None:
    """The draft gets its name when all of it is on disk. Errors: OSError."""
    draft, place = _half(pyramids, slide_id, tier, _DRAFT), pyramids.place(slide_id, tier)
    sync_tree(draft)
    draft.rename(place)
    sync_folder(place.parent)


def keep_only(pyramids: Pyramids, slide_id: str, tier: Tier) -> None:
    """Remove drafts, halves and, where the form of `tier` is there, every other form."""
    for each in Tier:
        for half in (_DRAFT, REMOVED):
            shutil.rmtree(_half(pyramids, slide_id, each, half), ignore_errors=True)
        if each is not tier and (pyramids.place(slide_id, tier) / "zarr.json").exists():
            pyramids.remove_from(slide_id, each)


def unsettled(pyramids: Pyramids) -> set[str]:
    """Ids of slides that a killed process left in two tiers, or half in one."""
    names = [{entry.name for entry in pyramids.place("x", tier).parent.iterdir()} for tier in Tier]
    half = {name for name in set.union(*names) if name.endswith((_DRAFT, REMOVED))}
    return {name.removesuffix(SUFFIX).split(".")[0] for name in half | set.intersection(*names)}


def _half(pyramids: Pyramids, slide_id: str, tier: Tier, kind: str) -> Path:
    return pyramids.place(slide_id, tier).with_name(slide_id + kind)
