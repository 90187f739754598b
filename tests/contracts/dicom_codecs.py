"""DICOM files compressed by programs that others wrote: dcmtk, gdcm, pydicom."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2K, MPEG2MPML, UID, HTJ2KLossless, RLELossless

Compress = Callable[[Path], None]
_JPEG_XL_LOSSLESS = b"1.2.840.10008.1.2.4.110"


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
    syntax = HTJ2KLossless if lossless else HTJ2K
    _each_frame(file, partial(imagecodecs.htj2k_encode, reversible=lossless), syntax)


def jpeg_xl(file: Path) -> None:
    """JPEG XL by libjxl, likewise; pydicom does not know its name yet, and writes another."""
    _each_frame(file, partial(imagecodecs.jpegxl_encode, lossless=True), MPEG2MPML)
    file.write_bytes(file.read_bytes().replace(MPEG2MPML.encode(), _JPEG_XL_LOSSLESS))


def _each_frame(file: Path, encode: Callable[[NDArray[Any]], bytes], syntax: UID) -> None:
    dataset = pydicom.dcmread(file)
    frames = dataset.pixel_array.reshape(int(dataset.NumberOfFrames), dataset.Rows,
                                         dataset.Columns, -1)  # fmt: skip
    dataset.PixelData = encapsulate([encode(np.squeeze(at)) for at in frames])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(file)
