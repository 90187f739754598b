"""Originals of which only the skeleton is kept, because the pyramid holds the tiles byte for byte.

Before the whole original goes, it has been given back once and had the fingerprint it came with.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from flows.originals import fingerprint_of, fingerprint_over, original_path
from flows.services import Services
from processing.readers import open_slide
from processing.tiling import plan_pyramid
from storage.errors import StoreDamaged
from storage.layout import Layout
from storage.proof import Places, Proof
from storage.pyramids import sync_folder
from storage.records.intake import Intake
from storage.records.slide import LevelOrigin, Slide
from storage.skeleton import SKELETON_FILE, names_in, restore, write_skeleton
from storage.tiles import TileStore


def places_of(services: Services, row: Intake) -> dict[int, Places]:
    """Where the tiles of every copied level lie in the original."""
    root = services.layout.originals / row.fingerprint
    if skeleton_of(services.layout, row.fingerprint) is not None:
        return dict(services.pyramids.proof(row.slide_id).places)
    found = {}
    with open_slide(original_path(services.layout, row.fingerprint)) as reader:
        sourced = plan_pyramid(reader.levels, lossless=row.lossless, channels=reader.channels)
        for level in sourced.plan.levels:
            if level.origin is LevelOrigin.COPIED:
                places = reader.tile_places(sourced.source_of[level.level])
                if places is not None:
                    name = str(Path(places.file).relative_to(root))
                    found[level.level] = replace(places, file=name)
    return found


def keep_skeleton(services: Services, row: Intake, proof: Proof) -> Path | None:
    """Write the skeleton and try it; None where the original has to be kept whole."""
    root = services.layout.originals / row.fingerprint
    target = root / SKELETON_FILE
    names = whole_files(root)
    if not names:  # a run that was killed had got so far
        return target
    if not proof.places:
        return None
    write_skeleton(target, root, names, proof.places)
    sync_folder(root)
    try:
        given_back = restored_fingerprint(services, row.slide_id, target, proof)
    except StoreDamaged:
        given_back = ""
    if given_back != row.fingerprint:
        target.unlink()
        return None
    return target


def let_whole_go(services: Services, fingerprint: str) -> None:
    """Remove the files that the skeleton stands for."""
    root = services.layout.originals / fingerprint
    for name in whole_files(root):
        (root / name).unlink(missing_ok=True)
    for folder in [entry for entry in root.iterdir() if entry.is_dir()]:
        shutil.rmtree(folder)
    sync_folder(root)


def skeleton_of(layout: Layout, fingerprint: str) -> Path | None:
    """The skeleton where it is all there is."""
    root = layout.originals / fingerprint
    target = root / SKELETON_FILE
    return target if target.exists() and not whole_files(root) else None


def whole_files(root: Path) -> list[str]:
    """Names of an original's own files below its folder."""
    files = (file.relative_to(root) for file in sorted(root.rglob("*")) if file.is_file())
    return [str(file) for file in files if not file.name.startswith(SKELETON_FILE)]


def restored_files(
    services: Services, slide_id: str, skeleton: Path, proof: Proof
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """(name, pieces) of every file of an original. Errors: StoreDamaged."""
    store = TileStore(services.pyramids)
    pyramid = store.pyramid(slide_id)
    for name in names_in(skeleton):
        yield name, restore(skeleton, name, proof.places, partial(store.stored, pyramid))


def give_back(services: Services, slide: Slide, target: Path) -> None:
    """The original of a slide at `target`: a file, or a folder where it is several.

    Errors: StoreDamaged when it is not what came in, OSError.
    """
    skeleton = skeleton_of(services.layout, slide.fingerprint)
    if skeleton is None:
        _copy(original_path(services.layout, slide.fingerprint), target)
    else:
        proof = services.pyramids.proof(slide.slide_id)
        files = dict(restored_files(services, slide.slide_id, skeleton, proof))
        for name, pieces in files.items():
            file = target if len(files) == 1 else target / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as out:
                out.writelines(pieces)
                out.flush()
                os.fsync(out.fileno())
    if fingerprint_of(target) != slide.fingerprint:
        raise StoreDamaged("the original can no longer be given back as it came; svartid verify")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def restored_fingerprint(services: Services, slide_id: str, skeleton: Path, proof: Proof) -> str:
    """The fingerprint of what would be given back, computed from every byte of it."""
    digests = []
    for _, pieces in restored_files(services, slide_id, skeleton, proof):
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        digests.append(digest.hexdigest())
    return fingerprint_over(digests)
