"""Phase two: the missing levels, the proof of every tile, and the original down to its skeleton."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from flows.findings import keep_map
from flows.ingest import alone, disk_errors, noting
from flows.services import Services
from flows.skeletons import keep_skeleton, let_whole_go, places_of
from processing.examination import Examined
from processing.pyramid import complete_levels
from processing.source_levels import Progress
from storage import intake, ngff
from storage.errors import LevelsDisagree
from storage.intake import Completion
from storage.proof import PROOF_FILE, Places, Proof
from storage.records.intake import Intake, IntakeState
from storage.records.slide import Notice, PyramidRecord


def complete(services: Services, intake_id: str, progress: Progress | None = None) -> None:
    """Bring a readable slide to where every tile of it can be proved.

    Errors: LevelsDisagree, when a coarser level shows what a finer one does not.
    """
    with alone(services, intake_id) as row, disk_errors():
        if row.state is IntakeState.COMPLETE:
            return
        record, present = services.pyramids.describe(row.slide_id)
        folder = services.pyramids.path(row.slide_id)
        draft = services.pyramids.resume_levels(row.slide_id)
        examined = complete_levels(
            record.plan,
            frozenset(at.level for at in present),
            lambda *place: folder / ngff.shard_key(*place),
            draft,
            progress or noting(services, intake_id),
        )
        if examined.differing:
            _refuse(services, row, record, examined)
        services.pyramids.publish_levels(draft, record)
        places = places_of(services, row)
        proof = _prove(folder, record, examined, places)
        services.pyramids.publish_proof(row.slide_id, proof.to_bytes())
        bare = keep_skeleton(services, row, proof)
        done = _completion(folder, proof, examined, bare)
        intake.mark_complete(services.database, intake_id, done)
        if bare:
            let_whole_go(services, row.fingerprint)
        services.pyramids.discard(row.slide_id)
        shutil.rmtree(services.layout.made / row.slide_id, ignore_errors=True)


def _refuse(services: Services, row: Intake, record: PyramidRecord, examined: Examined) -> None:
    """Keep a map of what differs; end here, unless a person has seen it and released the slide."""
    keep_map(services, row.fingerprint, record, examined.differing)
    if row.released:
        return
    levels = sorted({(at.level, at.coarser) for at in examined.differing})
    told = ", ".join(
        f"{sum(at.level == finer for at in examined.differing)} tiles of level {finer} do not show "
        f"what level {coarser} shows"
        for finer, coarser in levels
    )
    raise LevelsDisagree(told)


def _prove(
    folder: Path, record: PyramidRecord, examined: Examined, places: dict[int, Places]
) -> Proof:
    """Digests of every tile, as they were when it was decoded, and of every other file."""
    levels = [f"{at.level}/zarr.json" for at in record.plan.levels]
    names = ["zarr.json", *levels, *record.associated.values()]
    names += [record.icc_profile] if record.icc_profile else []
    files = {name: _sha256(folder / name) for name in names}
    return Proof(record.fingerprint, examined.digests, files, places)


def _completion(folder: Path, proof: Proof, examined: Examined, bare: Path | None) -> Completion:
    notices = {Notice.DAMAGED_TILES.value} if examined.damaged or examined.differing else set()
    stored = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Completion(
        root=proof.root,
        proof=_sha256(folder / PROOF_FILE).hex(),
        skeleton=_sha256(bare).hex() if bare else None,
        stored_bytes=stored + (bare.stat().st_size if bare else 0),
        notices=frozenset(notices),
    )


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
