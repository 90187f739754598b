"""Phase two: proof, skeleton, and what happens when a scanner's levels contradict each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from flows.completion import complete
from flows.housekeeping import remove_litter
from flows.ingest import STAGES, give_up, read_in
from flows.services import Services
from flows.skeletons import give_back, skeleton_of, whole_files
from flows.verification import verify_quarantine, verify_slide
from processing.paint import Painting, write_svs
from storage import intake
from storage.catalogue import get_slide
from storage.errors import LevelsDisagree, NotFound
from storage.events import history
from storage.records.intake import Intake
from storage.records.intake import IntakeState as S
from storage.records.slide import Notice, Slide
from tests.flows.work import claim, deliver, files_below, finish, state_of


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def original(services: Services, slide: Slide) -> Path:
    return services.layout.originals / slide.fingerprint


@pytest.mark.parametrize("kind", ["tiny_svs", "tiny_dicom"])
def test_a_copied_slide_keeps_only_a_skeleton(
    services: Services, request: pytest.FixtureRequest, kind: str, tmp_path: Path
) -> None:
    source = request.getfixturevalue(kind)
    came = {file.name: sha256(file) for file in files_below(source)} if source.is_dir() else {}
    digest = "" if source.is_dir() else sha256(source)
    slide = finish(services, source)
    kept = files_below(original(services, slide))
    assert [file.name for file in kept] == [".skeleton"]
    assert whole_files(original(services, slide)) == []
    give_back(services, slide, tmp_path / "back")
    back = tmp_path / "back"
    if came:
        assert {file.name: sha256(file) for file in files_below(back)} == came
    else:
        assert sha256(back) == digest


def test_no_tile_is_kept_twice(services: Services, slides_dir: Path) -> None:
    """The skeleton is what the file's own directory says is not a tile, and not more."""
    path = slides_dir / "pyramid-tiff" / "giardia-HE-40x-crop.tif"
    with tifffile.TiffFile(path) as tiff:
        tiles = sum(sum(page.databytecounts) for page in tiff.pages if page.is_tiled)  # type: ignore[union-attr]
    slide = finish(services, path)
    skeleton = skeleton_of(services.layout, slide.fingerprint)
    assert skeleton is not None
    assert skeleton.stat().st_size < path.stat().st_size - tiles + 4096
    assert slide.stored_bytes is not None
    assert slide.stored_bytes / slide.bytes < 1.4


def test_a_slide_that_was_encoded_keeps_its_original(
    services: Services, slides_dir: Path, tmp_path: Path
) -> None:
    path = slides_dir / "generic-tiff" / "kidney-48-5.tif"
    slide = finish(services, path)
    assert slide.skeleton is None
    assert [file.name for file in files_below(original(services, slide))] == [path.name]
    give_back(services, slide, tmp_path / "back.tif")
    assert sha256(tmp_path / "back.tif") == sha256(path)


def test_the_root_is_in_the_database_and_in_the_event_log(
    services: Services, tiny_svs: Path
) -> None:
    slide = finish(services, tiny_svs)
    (event,) = [
        event
        for event in history(services.database, f"slide:{slide.slide_id}")
        if event.kind == "PyramidCompleted"
    ]
    assert slide.root is not None
    assert (event.data["root"], event.data["proof"]) == (slide.root, slide.proof)
    assert services.pyramids.proof(slide.slide_id).root == slide.root


def test_delivered_again_and_completed_again(services: Services, tiny_svs: Path) -> None:
    slide = finish(services, tiny_svs)
    again = deliver(services, tiny_svs)
    assert again.state is S.COMPLETE
    complete(services, again.intake_id)
    assert whole_files(original(services, slide)) == []
    assert verify_slide(services, slide)[1] == []


@pytest.mark.parametrize(
    "killed_at",
    ["publish_levels", "publish_proof", "keep_skeleton", "mark_complete", "let_whole_go"],
)
def test_killed_at_any_step_it_is_completed_later(
    services: Services, tiny_svs: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    row = deliver(services, tiny_svs)
    claim(services, row, S.RECEIVED)
    read_in(services, row.intake_id)
    claim(services, row, S.READY)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        for owner in (services.pyramids.__class__, intake):
            if hasattr(owner, killed_at):
                patch.setattr(owner, killed_at, killed)
        if killed_at in ("keep_skeleton", "let_whole_go"):
            patch.setattr(f"flows.completion.{killed_at}", killed)
        with pytest.raises(KeyboardInterrupt):
            complete(services, row.intake_id)
    complete(services, row.intake_id)
    remove_litter(services)
    slide = get_slide(services.database, row.slide_id)
    assert verify_slide(services, slide)[1] == []
    assert slide.skeleton is not None
    assert whole_files(original(services, slide)) == []


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dead") / "painted.svs"
    write_svs(Painting(6000, 4000, seed=3), path)
    return path


Kill = Callable[[tifffile.TiffPage, int], tuple[int, int]]
"""New (offset, length) for a tile of the base."""


def spoiled(source: Path, target: Path, tiles: list[int], kill: Kill) -> Path:
    """A copy whose level-0 tiles are somewhere else, all other levels untouched."""
    data = bytearray(source.read_bytes())
    with tifffile.TiffFile(source) as tiff:
        page = tiff.pages.first
        offsets, counts = page.tags[324], page.tags[325]
        for at in tiles:
            place = kill(page, at)
            for tag, value in zip((offsets, counts), place, strict=True):
                width = tag.valuebytecount // tag.count
                start = tag.valueoffset + at * width
                data[start : start + width] = value.to_bytes(width, "little")
    target.write_bytes(data)
    return target


def tissue_tiles(path: Path, share: float) -> list[int]:
    """Tiles of level 0 with the most bytes: those that show something."""
    with tifffile.TiffFile(path) as tiff:
        counts = np.asarray(tiff.pages.first.databytecounts)
    most = np.argsort(-counts)[: max(1, round(share * len(counts)))]
    return sorted(int(at) for at in most)


def plainest(page: tifffile.TiffPage, _at: int) -> tuple[int, int]:
    """A tile of bare glass stands where tissue was."""
    least = int(np.argmin(page.databytecounts))
    return page.dataoffsets[least], page.databytecounts[least]


def absent(_page: tifffile.TiffPage, _at: int) -> tuple[int, int]:
    return 0, 0


def into_completion(services: Services, path: Path) -> Intake:
    row = deliver(services, path)
    claim(services, row, S.RECEIVED)
    read_in(services, row.intake_id)
    return claim(services, row, S.READY)


@pytest.mark.parametrize("kill", [plainest, absent])
@pytest.mark.parametrize("share", [0.0, 0.09])
def test_a_dead_base_under_a_clean_overview_is_quarantined_with_a_map(
    services: Services, painted: Path, tmp_path: Path, kill: Kill, share: float
) -> None:
    """What happened in wsidicomizer#146: nine in a hundred tiles dead, the overview clean."""
    dead = tissue_tiles(painted, share)
    row = into_completion(services, spoiled(painted, tmp_path / "dead.svs", dead, kill))
    with pytest.raises(LevelsDisagree, match=f"{len(dead)} tiles of level 0") as caught:
        complete(services, row.intake_id)
    assert give_up(services, row.intake_id, caught.value) is S.QUARANTINED
    with pytest.raises(NotFound):
        get_slide(services.database, row.slide_id)
    assert not services.pyramids.is_published(row.slide_id)
    assert verify_quarantine(services.layout) == []
    findings = services.layout.findings / row.fingerprint
    document = json.loads((findings / "levels.json").read_bytes())
    with tifffile.TiffFile(painted) as tiff:
        columns = -(-tiff.pages.first.imagewidth // tiff.pages.first.tilewidth)
    assert [[at % columns, at // columns] for at in dead] == sorted(
        [tile[:2] for tile in document["tiles"]], key=lambda at: (at[1], at[0])
    )
    assert (findings / "levels.png").read_bytes().startswith(b"\x89PNG")


def test_a_person_may_release_it_all_the_same(
    services: Services, painted: Path, tmp_path: Path
) -> None:
    path = spoiled(painted, tmp_path / "dead.svs", tissue_tiles(painted, 0.05), plainest)
    row = into_completion(services, path)
    with pytest.raises(LevelsDisagree) as caught:
        complete(services, row.intake_id)
    give_up(services, row.intake_id, caught.value)
    released = intake.try_again(services.database, row.intake_id, "ada", release=True)
    for state in (S.RECEIVED, S.READY):
        claimed = claim(services, released, state)
        STAGES[claimed.state](services, row.intake_id, None)
    assert state_of(services, row) is S.COMPLETE
    slide = get_slide(services.database, row.slide_id)
    assert Notice.DAMAGED_TILES in slide.metadata.notices
    kinds = [event.kind for event in history(services.database, f"slide:{row.slide_id}")]
    assert kinds[-3:] == ["QuarantineReleased", "SlideReady", "PyramidCompleted"]


def test_a_clean_slide_is_left_alone(services: Services, painted: Path) -> None:
    slide = finish(services, painted)
    assert slide.metadata.notices == ()
