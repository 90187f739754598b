"""Jobs of reading in: svartid's, and those of the peers that are here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.measure import Job, Missing, remove
from benchmarks.peers import Environment
from benchmarks.slides import Slide

READY, COMPLETE = "svartid ingest --until ready", "svartid ingest"
TIFFSAVE, DZSAVE = "vips tiffsave", "vips dzsave"
DICOMIZER, DICOMIZER_2 = "OrthancWSIDicomizer", "OrthancWSIDicomizer --threads 2"
COPY = "copies the scanner's levels"
FULL = "makes all 2x levels"

Outputs = Mapping[str, Path]


def conversion_jobs(
    slide: Slide, folder: Path, peers: Mapping[str, Environment]
) -> tuple[list[Job], dict[str, dict[str, str]]]:
    """Jobs that can run, and for the others why not."""
    jobs: list[Job] = []
    missing: dict[str, dict[str, str]] = {}
    for name, make in _makers(slide, folder, peers):
        try:
            jobs.append(make())
        except Missing as reason:
            missing[name] = {"missing": str(reason)}
    return jobs, missing


def _makers(
    slide: Slide, folder: Path, peers: Mapping[str, Environment]
) -> Iterator[tuple[str, Callable[[], Job]]]:
    yield "cp", lambda: _copy(slide, folder)
    yield READY, lambda: _ingest(slide, folder, READY, "ready")
    yield COMPLETE, lambda: _ingest(slide, folder, COMPLETE, "complete")
    yield TIFFSAVE, lambda: _tiffsave(slide, folder)
    yield DZSAVE, lambda: _dzsave(slide, folder)
    yield DICOMIZER, lambda: _dicomizer(slide, folder, DICOMIZER, 1)
    yield DICOMIZER_2, lambda: _dicomizer(slide, folder, DICOMIZER_2, 2)
    yield "wsidicomizer", lambda: _wsidicomizer(slide, folder, peers["wsidicomizer"])
    yield "large_image_converter", lambda: _large_image(slide, folder, peers["large-image"])
    yield "ome-zarr-py", lambda: _ome_zarr(slide, folder, peers["ome-zarr"])


def _job(slide: Slide, name: str, work: str, output: Path, command: tuple[str | Path, ...]) -> Job:
    words = tuple(str(word) for word in command)
    return Job(name, work, words, output, slide.megapixels)


def _copy(slide: Slide, folder: Path) -> Job:
    output = folder / "copy"
    return _job(slide, "cp", "copies the file", output, ("cp", slide.path, output))


def _ingest(slide: Slide, folder: Path, name: str, until: str) -> Job:
    """The whole command on an installation that has its tables; the pyramid is weighed."""
    svartid = str(Path(sys.executable).parent / "svartid")
    data = folder / f"data-{until}"

    def fresh() -> None:
        remove(data)
        subprocess.run([svartid, "slides", "--data", data], check=True, capture_output=True)

    command = (svartid, "ingest", str(slide.path), "--until", until, "--data", str(data))
    work = "copies the scanner's levels, keeps the original" if until == "ready" else FULL
    return Job(name, work, command, data / "pyramids", slide.megapixels, fresh)


def _tiffsave(slide: Slide, folder: Path) -> Job:
    options = ("--tile", "--pyramid", "--compression", "jpeg", "--Q", "80")
    size = ("--tile-width", "256", "--tile-height", "256", "--bigtiff")
    output = folder / "vips.tif"
    command = (_program("vips"), "tiffsave", slide.plain, output, *options, *size)
    return _job(slide, TIFFSAVE, f"{FULL}, encodes all", output, command)


def deep_zoom_folder(folder: Path) -> Path:
    """Where `vips dzsave` leaves its tiles."""
    return folder / "deep_files"


def _dzsave(slide: Slide, folder: Path) -> Job:
    options = ("--suffix", ".jpg[Q=80]", "--tile-size", "256", "--overlap", "0")
    command = (_program("vips"), "dzsave", slide.plain, folder / "deep", *options)
    return _job(slide, DZSAVE, f"{FULL}, encodes all", deep_zoom_folder(folder), command)


def dicom_folder(folder: Path) -> Path:
    """Where OrthancWSIDicomizer leaves its instances."""
    return folder / "dicom-1"


def _dicomizer(slide: Slide, folder: Path, name: str, threads: int) -> Job:
    output = folder / f"dicom-{threads}"
    options = ("--folder", output, "--threads", str(threads))
    command = (_program("OrthancWSIDicomizer"), *options, slide.path)
    job = _job(slide, name, COPY, output, command)
    return Job(job.name, job.work, job.command, output, job.megapixels, output.mkdir)


def _wsidicomizer(slide: Slide, folder: Path, peer: Environment) -> Job:
    output = folder / "wsidicomizer"
    command = (peer.program("wsidicomizer"), "-i", slide.aperio, "-o", output)
    work = COPY if slide.aperio == slide.path else f"{COPY} (of the file in Aperio's layout)"
    return _job(slide, "wsidicomizer", work, output, command)


def _large_image(slide: Slide, folder: Path, peer: Environment) -> Job:
    output = folder / "large-image.tif"
    program = peer.program("large_image_converter")
    command = (program, "--overwrite", "-c", "jpeg", "-q", "80", str(slide.path), str(output))
    most = 1 if slide.megapixels > 1000 else None
    work = f"{FULL}, encodes all as RGB 4:4:4"
    return Job("large_image_converter", work, command, output, slide.megapixels, most=most)


def _ome_zarr(slide: Slide, folder: Path, peer: Environment) -> Job:
    output = folder / "crop.ome.zarr"
    script = Path(__file__).parent / "ome_zarr_peer.py"
    command = (peer.program("python"), str(script), str(slide.crop), str(output))
    work = "all 2x levels of a crop: compare per megapixel"
    return Job("ome-zarr-py", work, command, output, slide.crop_megapixels)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed")
    return found
