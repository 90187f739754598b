"""The radiology files as one study of one patient, each a series of its own; pixels untouched."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

NAME, IDENTIFIER = "Andersen^Anna", "0101901234"
STUDY = generate_uid(entropy_srcs=["svartid", "imaging", "study"])
FILES = {
    "ct": "pydicom-CT_small.dcm",
    "ct_j2k": "CT1_J2KI.dcm",
    "mr": "pydicom-MR_small.dcm",
    "mr_rle": "pydicom-MR_small_RLE.dcm",
    "mr_j2k": "pydicom-MR_small_jp2klossless.dcm",
    "mr_jls": "pydicom-MR_small_jpeg_ls_lossless.dcm",
    "heart": "MR-MONO2-8-16x-heart.dcm",
    "us_big_endian": "US-RGB-8-epicard.dcm",
    "us_j2k": "pydicom-examples_jpeg2k.dcm",
    "us_rgb": "pydicom-examples_rgb_color.dcm",
    "us_cine": "pydicom-examples_ybr_color.dcm",
    "us_palette": "pydicom-examples_palette.dcm",
    "dx": "highdicom-dx_image.dcm",
    "nm_j2k": "pydicom-JPEG2000.dcm",
    "sc_jpeg": "pydicom-SC_rgb_jpeg_dcmtk.dcm",
    "overlay": "pydicom-examples_overlay.dcm",
    "seg": "pydicom-liver_1frame.dcm",
    "dose": "pydicom-rtdose.dcm",
    "plan": "pydicom-rtplan.dcm",
    "report": "pydicom-test-SR.dcm",
}
BY_DCMTK = {
    "mr_lossless": ("dcmcjpeg", "+e1"),
    "mr_dcmtk_rle": ("dcmcrle",),
    "mr_dcmtk_jls": ("dcmcjpls",),
    "mr_implicit": ("dcmconv", "+ti"),
    "mr_deflated": ("dcmconv", "+td"),
}
"""The uncompressed MR, stored in yet other ways by another program."""
STACK = 5
_PDF = b"""%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>> endobj
trailer <</Root 1 0 R>>
%%EOF
"""


@dataclass(frozen=True)
class Made:
    """A series of the study, and the files it consists of."""

    series_uid: str
    paths: tuple[Path, ...]

    def read(self, number: int = 0) -> Dataset:
        """One of its objects, as pydicom reads it."""
        return read(self.paths[number])


def read(path: Path) -> Dataset:
    """A file as pydicom reads it, without its complaints about what others wrote."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        dataset.walk(lambda _, element: element.value)
        return dataset


def make_study(slides: Path, folder: Path) -> dict[str, Made]:
    """All series by name, written below `folder`."""
    made = dict[str, Made]()
    for number, (name, file) in enumerate(FILES.items(), 1):
        made[name] = _one(name, number, read(slides / "radiology" / file), folder)
    made["stack"] = _stack(len(made) + 1, slides, folder)
    for name, (program, *options) in BY_DCMTK.items():
        made[name] = _by_dcmtk(name, (program, *options), len(made) + 1, folder, made["mr"])
    made["document"] = _document(len(made) + 1, folder)
    tile = read(slides / "radiology" / FILES["sc_jpeg"])
    tile.Modality = "SM"
    made["slide"] = _one("slide", len(made) + 1, tile, folder)
    return made


def _named(dataset: Dataset, name: str, number: int, instance: int = 1) -> Dataset:
    """The same object as one of our patient's study."""
    changes: dict[str, Any] = {
        "PatientName": NAME, "PatientID": IDENTIFIER, "PatientBirthDate": "19900101",
        "PatientSex": "F", "AccessionNumber": "R260001", "StudyInstanceUID": STUDY,
        "StudyDate": "20260304", "StudyTime": "101500", "StudyDescription": "Udredning",
        "SeriesInstanceUID": series_uid(name), "SeriesNumber": number, "SeriesDescription": name,
        "SOPInstanceUID": generate_uid(entropy_srcs=[name, str(instance)]),
        "InstanceNumber": instance,
    }  # fmt: skip
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def series_uid(name: str) -> str:
    """Of one of the series."""
    return str(generate_uid(entropy_srcs=["svartid", "imaging", name]))


def _one(name: str, number: int, dataset: Dataset, folder: Path) -> Made:
    path = folder / f"{name}.dcm"
    _named(dataset, name, number).save_as(path)
    return Made(series_uid(name), (path,))


def _stack(number: int, slides: Path, folder: Path) -> Made:
    """Slices of a CT, each a little brighter than the one before, stored in no order."""

    def slices() -> Iterator[Path]:
        for at in (3, 1, 5, 2, 4):
            dataset = read(slides / "radiology" / FILES["ct"])
            pixels = dataset.pixel_array.copy() + 10 * at
            dataset.PixelData = pixels.tobytes()
            dataset.ImagePositionPatient = [-158.1, -179.0, -75.7 + 5 * at]
            path = folder / f"stack-{at}.dcm"
            _named(dataset, "stack", number, at).save_as(path)
            yield path

    return Made(series_uid("stack"), tuple(sorted(slices())))


def _by_dcmtk(name: str, command: tuple[str, ...], number: int, folder: Path, source: Made) -> Made:
    path = folder / f"{name}.dcm"
    program, *options = command
    subprocess.run([program, *options, source.paths[0], path], check=True, capture_output=True)
    dataset = read(path)
    _named(dataset, name, number).save_as(path)
    return Made(series_uid(name), (path,))


def _document(number: int, folder: Path) -> Made:
    """A PDF wrapped by dcmtk."""
    plain, path = folder / "letter.pdf", folder / "document.dcm"
    plain.write_bytes(_PDF)
    subprocess.run(["pdf2dcm", plain, path], check=True, capture_output=True)
    dataset = read(path)
    dataset.DocumentTitle = "Henvisning"
    _named(dataset, "document", number).save_as(path)
    return Made(series_uid("document"), (path,))
