"""A slide as DICOM, judged by programs of others: dciodvfy, OpenSlide, wsidicom, pydicom."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openslide
import pydicom
import pytest
from pydicom.encaps import generate_frames
from wsidicom import WsiDicom

from flows.cli import main
from flows.dicom_export import opener_of
from flows.services import Services
from processing.dicom.instance import Instance
from processing.dicom.virtual import VirtualLevel
from storage import imaging
from storage.catalogue import slides
from storage.records.people import SVARTID
from storage.records.slide import Tier
from storage.tiles import TileStore
from tests.flows.test_cold import cool

KNOWN_COMPLAINTS = (
    # The validator of 2022 misses what DICOMDIR would need; a slide without a case has no patient.
    "Warning - Missing attribute or value that would be needed to build DICOMDIR",
)
REAL = {
    "aperio/CMU-1-Small-Region.svs": 0,  # RGB JPEG: the marker travels with the frame
    "hamamatsu/test3-DAPI-2-387.ndpi": 0,
    "pyramid-tiff/BS25-HE-40x-crop.tif": 0,
    "pyramid-tiff/BS25-CHR-IHC-10x.tif": 0,
    "generic-tiff/kidney-48-5.tif": None,  # strips: encoded once, OpenSlide does not read it
}
"""Real slides, and how far pixels may differ from OpenSlide's reading of the scanner's file."""


def exported(services: Services, source: Path, folder: Path) -> tuple[str, Path]:
    """Read in and written as DICOM by the command."""
    assert main(["ingest", str(source)]) == 0
    slide_id = slides(services.database)[0].slide_id
    assert main(["export", slide_id, "--to", "dicom", "-o", str(folder)]) == 0
    return slide_id, folder


def complaints(file: Path) -> list[str]:
    """What dciodvfy says beside the name of the IOD and what is known."""
    done = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
    lines = (done.stderr + done.stdout).splitlines()
    said = [line for line in lines if line.startswith(("Error", "Warning"))]
    return [line for line in said if not line.startswith(KNOWN_COMPLAINTS)]


def instances(services: Services) -> Iterator[Instance]:
    """All instances of all slides."""
    for entry in imaging.series(services.database, SVARTID, imaging.Wanted()):
        yield from opener_of(services).instances(entry)


@pytest.mark.parametrize("name", REAL)
def test_real_slides_pass_every_judge(
    services: Services, slides_dir: Path, tmp_path: Path, name: str
) -> None:
    _, folder = exported(services, slides_dir / name, tmp_path / "out")
    for file in sorted(folder.iterdir()):
        assert complaints(file) == []
    with openslide.OpenSlide(folder / "level-0.dcm") as ours:
        if REAL[name] is not None:
            with openslide.OpenSlide(slides_dir / name) as theirs:
                place = theirs.dimensions[0] // 3, theirs.dimensions[1] // 3
                one, other = (
                    np.asarray(at.read_region(place, 0, (400, 400)).convert("RGB")).astype(int)
                    for at in (ours, theirs)
                )
                assert abs(one - other).max() <= REAL[name]
        assert ours.color_profile is not None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with WsiDicom.open(folder) as wsi:
                region = wsi.read_region((64, 32), 0, (300, 200)).convert("RGB")
        mine = ours.read_region((64, 32), 0, (300, 200)).convert("RGB")
        assert np.array_equal(np.asarray(region), np.asarray(mine))


def test_frames_are_the_stored_bytes(services: Services, tiny_svs: Path, tmp_path: Path) -> None:
    """What pydicom finds in the file is what lies in the pyramid, frame by frame."""
    slide_id, folder = exported(services, tiny_svs, tmp_path / "out")
    store = TileStore(services.pyramids)
    pyramid = store.pyramid(slide_id)
    for number, level in pyramid.present.items():
        read = pydicom.dcmread(folder / f"level-{number}.dcm")
        frames = generate_frames(read.PixelData, number_of_frames=read.NumberOfFrames)
        grid = level.size.in_tiles(pyramid.record.plan.tile_edge)
        for at, frame in enumerate(frames):
            stored = store.stored(pyramid, number, at % grid.width, at // grid.width)
            assert stored is not None
            assert frame[: len(stored)] == stored
            assert frame[len(stored) :] in (b"", b"\0")


def test_any_range_is_a_part_of_the_whole(services: Services, tiny_svs: Path) -> None:
    assert main(["ingest", str(tiny_svs)]) == 0
    for instance in instances(services):
        whole = b"".join(instance.stream())
        assert len(whole) == instance.size()
        assert instance.header().SOPInstanceUID == instance.sop_uid
        for start in (0, 1, 131, len(whole) // 2, len(whole) - 9):
            for stop in (start, start + 1, start + 700, len(whole) - 1, None):
                assert b"".join(instance.stream(start, stop)) == whole[start:stop], (start, stop)


def test_a_cold_slide_gives_the_same_frames(services: Services, tiny_svs: Path) -> None:
    """Their lengths are known only when they are made, so the file has no offset table then."""
    assert main(["ingest", str(tiny_svs)]) == 0
    warm = [[at.frame(n) for n in range(at.frames)] for at in instances(services)]
    known = slides(services.database)[0]
    assert cool(services, known).tier is Tier.COLD
    cold = list(instances(services))
    assert [[at.frame(n) for n in range(at.frames)] for at in cold] == warm
    levels = [at for at in cold if isinstance(at, VirtualLevel)]
    for instance, frames in zip(levels, warm, strict=False):
        assert instance.size() is None
        read = pydicom.dcmread(_file(b"".join(instance.stream())))
        found = list(generate_frames(read.PixelData, number_of_frames=read.NumberOfFrames))
        assert [at.rstrip(b"\0") for at in found] == [at.rstrip(b"\0") for at in frames]


def test_channels_go_out_as_they_are(services: Services, slides_dir: Path, tmp_path: Path) -> None:
    """Fluorescence: one optical path after the other, samples unchanged."""
    slide_id, folder = exported(
        services, slides_dir / "dicom-fluorescence" / "BPAEC", tmp_path / "x"
    )
    for file in folder.iterdir():
        assert complaints(file) == []
    store = TileStore(services.pyramids)
    pyramid = store.pyramid(slide_id)
    plan = pyramid.record.plan
    read = pydicom.dcmread(folder / "level-0.dcm")
    assert len(read.OpticalPathSequence) == plan.planes == 3
    pixels = read.pixel_array
    assert pixels.shape == (plan.size.in_tiles(plan.tile_edge).area * 3, *2 * (plan.tile_edge,))


def test_uids_stay_and_tell_nothing(services: Services, tiny_svs: Path) -> None:
    assert main(["ingest", str(tiny_svs)]) == 0
    first = [at.sop_uid for at in instances(services)]
    assert first == [at.sop_uid for at in instances(services)]
    assert len(set(first)) == len(first)
    slide_id = slides(services.database)[0].slide_id
    assert all(slide_id not in uid and str(int(slide_id, 16)) not in uid for uid in first)


def _file(data: bytes) -> pydicom.filebase.DicomBytesIO:
    return pydicom.filebase.DicomBytesIO(data)
