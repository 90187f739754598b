"""The optical paths of a slide. Source: PS3.3 C.8.12.5 (optical path), C.8.12.4."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from processing.dicom.codes import codes
from processing.paint.srgb import icc_profile
from storage.records.channels import Channel, Channels
from storage.records.slide import SlideMetadata


def put_optics(
    made: Dataset, metadata: SlideMetadata, channels: Channels | None, icc: bytes | None
) -> None:
    """OpticalPathSequence: one path in colour with its ICC profile, or one for each channel."""
    if channels is None:
        made.OpticalPathSequence = Sequence([_brightfield(metadata, icc)])
    else:
        paths = enumerate(channels.channels, start=1)
        made.OpticalPathSequence = Sequence([_fluorescence(n, at, metadata) for n, at in paths])


def _brightfield(metadata: SlideMetadata, icc: bytes | None) -> Dataset:
    path = _path(1, metadata)
    path.IlluminationTypeCodeSequence = codes("111744", "DCM", "Brightfield illumination")
    path.IlluminationColorCodeSequence = codes("371251000", "SCT", "White")
    path.ICCProfile = icc or icc_profile()
    if icc is None:
        path.ColorSpace = "SRGB"
    return path


def _fluorescence(number: int, channel: Channel, metadata: SlideMetadata) -> Dataset:
    path = _path(number, metadata)
    path.OpticalPathDescription = channel.name[:1024]
    path.IlluminationTypeCodeSequence = codes("111743", "DCM", "Epifluorescence illumination")
    if channel.excitation_nm:
        path.IlluminationWaveLength = float(channel.excitation_nm)
    else:
        path.IlluminationColorCodeSequence = codes("414298005", "SCT", "Full Spectrum")
    return path


def _path(number: int, metadata: SlideMetadata) -> Dataset:
    path = Dataset()
    path.OpticalPathIdentifier = str(number)
    if metadata.objective_power:
        path.ObjectiveLensPower = f"{metadata.objective_power:g}"
    return path
