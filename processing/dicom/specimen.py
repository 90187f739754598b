"""The glass and the section on it, as images and worklists tell them. Source: PS3.3 C.7.6.22."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from processing.dicom.codes import codes, staining
from storage.records.imaging import Glass

_SLIDE = ("433466003", "SCT", "Microscope slide")


def put_specimen(made: Dataset, glass: Glass, name: str, uid: str) -> None:
    """The glass by `name`, its section by `uid`."""
    made.ContainerIdentifier = name
    made.IssuerOfTheContainerIdentifierSequence = Sequence()
    made.ContainerTypeCodeSequence = codes(*_SLIDE)
    specimen = Dataset()
    specimen.SpecimenIdentifier, specimen.SpecimenUID = name, uid
    specimen.IssuerOfTheSpecimenIdentifierSequence = Sequence()
    words = " ".join(at for at in (glass.part, glass.block, glass.stain) if at)
    if words:
        specimen.SpecimenShortDescription = words[:64]
    specimen.SpecimenPreparationSequence = staining(glass.stain)
    made.SpecimenDescriptionSequence = Sequence([specimen])
