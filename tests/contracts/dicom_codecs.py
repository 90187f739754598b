"""DICOM files compressed by programs that others wrote: dcmtk, gdcm, pydicom."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2K, HTJ2KLossless, RLELossless

Compress = Callable[[Path], None]


def by_program(*command: str) -> Compress:
    """A program that is called with its options, the file it reads and the file it writes."""

    def compress(file: Path) -> None:
        made = file.with_suffix(".made")
        done = subprocess.run([*command, file, made], capture_output=True, text=True, check=False)
        assert made.exists(), f"{command}: {done.stderr}"
        made.replace(file)

    return compress


def run_length(file: Path) -> None:
    """RLE by pydicom's own encoder."""
    dataset = pydicom.dcmread(file)
    dataset.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    dataset.save_as(file)


def high_throughput(file: Path, *, lossless: bool = True) -> None:
    """HTJ2K by OpenJPH, no program at hand writes it into DICOM."""
    dataset = pydicom.dcmread(file)
    frames = dataset.pixel_array.reshape(int(dataset.NumberOfFrames), dataset.Rows,
                                         dataset.Columns, -1)  # fmt: skip
    dataset.PixelData = encapsulate(
        [imagecodecs.htj2k_encode(np.squeeze(at), reversible=lossless) for at in frames]
    )
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = HTJ2KLossless if lossless else HTJ2K
    dataset.save_as(file)
