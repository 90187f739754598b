"""One flipped bit anywhere, in the pyramid or in the original, is found."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from flows.ingest import read_in
from flows.services import Services
from flows.verification import verify_slide
from storage.catalogue import get_slide
from storage.records.intake import IntakeState
from storage.records.slide import Slide
from tests.contracts.fluorescence import cells, write_ome_tiff
from tests.flows.work import claim as claim_row
from tests.flows.work import deliver, files_below, finish


def flip(path: Path, at: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def every_flip_is_found(services: Services, slide: Slide, roots: list[Path], each: int) -> int:
    chance, count = random.Random(5), 0
    for root in roots:
        for path in files_below(root) if root.is_dir() else [root]:
            length = path.stat().st_size
            places = {0, length - 1} | {chance.randrange(length) for _ in range(each)}
            for at in places:
                bit = chance.randrange(8)
                flip(path, at, bit)
                _, problems = verify_slide(services, slide)
                assert problems, f"{path.name}: bit {bit} of byte {at} of {length}"
                flip(path, at, bit)
                count += 1
    assert verify_slide(services, slide)[1] == []
    return count


@pytest.mark.parametrize("kind", ["tiny_svs", "tiny_dicom"])
def test_every_flipped_bit(services: Services, request: pytest.FixtureRequest, kind: str) -> None:
    slide = finish(services, request.getfixturevalue(kind))
    tiles, problems = verify_slide(services, slide)
    assert (tiles > 0, problems) == (True, [])
    pyramid = services.pyramids.path(slide.slide_id)
    kinds = {path.relative_to(pyramid).parts[0] for path in files_below(pyramid)}
    assert {"zarr.json", "associated", "0", "1"} <= kinds
    roots = [pyramid, services.layout.originals / slide.fingerprint]
    assert every_flip_is_found(services, slide, roots, each=4) > 50


def test_every_flipped_bit_of_channels(services: Services, tmp_path: Path) -> None:
    """12 bits, a shard for each channel; the line names the channel."""
    write_ome_tiff(tmp_path / "cells.ome.tif", cells((600, 500)), levels=1)
    slide = finish(services, tmp_path / "cells.ome.tif")
    pyramid = services.pyramids.path(slide.slide_id)
    assert verify_slide(services, slide) == (3 * (2 + 1), [])
    assert every_flip_is_found(services, slide, [pyramid], each=3) > 30
    flip(pyramid / "0/c/2/0/0", 200, 3)
    _, problems = verify_slide(services, slide)
    assert problems == ["level 0, channel 2, column 0, row 0: the tile's bytes have changed"]


def test_every_flipped_bit_of_a_scanners_slide(services: Services, slides_dir: Path) -> None:
    """With an ICC profile, and shards of many tiles."""
    slide = finish(services, slides_dir / "aperio" / "CMU-1-Small-Region.svs")
    pyramid = services.pyramids.path(slide.slide_id)
    assert (pyramid / "profile.icc").is_file() == slide.icc
    assert every_flip_is_found(services, slide, [pyramid], each=1) > 20


def test_missing_and_foreign_files(services: Services, tiny_svs: Path) -> None:
    slide = finish(services, tiny_svs)
    pyramid = services.pyramids.path(slide.slide_id)
    for path in files_below(pyramid):
        kept = path.read_bytes()
        path.unlink()
        assert verify_slide(services, slide)[1], path
        path.write_bytes(kept)
    (pyramid / "stranger").write_bytes(b"")
    assert verify_slide(services, slide)[1] == ["stranger does not belong here"]
    (pyramid / "stranger").unlink()
    for file in files_below(services.layout.originals / slide.fingerprint):
        file.unlink()
    assert verify_slide(services, slide)[1]


def test_a_slide_that_is_not_complete_yet(services: Services, tiny_svs: Path) -> None:

    row = deliver(services, tiny_svs)
    claim_row(services, row, IntakeState.RECEIVED)
    read_in(services, row.intake_id)
    slide = get_slide(services.database, row.slide_id)
    assert verify_slide(services, slide)[1] == []
    assert every_flip_is_found(services, slide, [services.pyramids.path(slide.slide_id)], 1) > 5
