"""Everything in a painted DICOM instance but its pixels."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    JPEGBaseline8Bit,
    VLWholeSlideMicroscopyImageStorage,
)

from .glass import PER_MM, scan_area
from .painting import Painting
from .srgb import icc_profile

_NAMESPACE = uuid.UUID("5a1e7d0c-53f4-4c1b-9a56-7061696e7421")
_DYES = (("12710003", "hematoxylin stain"), ("36879007", "water soluble eosin stain"))
_DATE, _TIME = "20260102", "030405"


class Instance(NamedTuple):
    """One file: VOLUME, LABEL or OVERVIEW; sizes in its own pixels; `downsample` 0 if no scan."""

    file_name: str
    kind: str
    width: int
    height: int
    tile_width: int
    tile_height: int
    downsample: int

    @property
    def frames(self) -> int:
        """How many tiles it holds."""
        return -(-self.width // self.tile_width) * -(-self.height // self.tile_height)


def header(painting: Painting, instance: Instance) -> Dataset:
    """The dataset without pixel data; equal arguments give equal UIDs and bytes."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = VLWholeSlideMicroscopyImageStorage
    made.file_meta.MediaStorageSOPInstanceUID = _uid(painting, instance.file_name)
    made.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    made.file_meta.ImplementationClassUID = UID(f"2.25.{_NAMESPACE.int}")
    made.file_meta.ImplementationVersionName = "SVARTID_PAINT"
    _identity(made, painting, instance)
    _specimen(made, painting)
    _image(made, instance)
    _slide(made, painting, instance)
    _optics(made, painting)
    _geometry(made, painting, instance)
    return made


def _uid(painting: Painting, what: str) -> UID:
    """The same painting always has the same identity."""
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, f'{painting!r} {what}').int}")


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _identity(made: Dataset, painting: Painting, instance: Instance) -> None:
    """Patient, study, series, equipment: said to be painted wherever a name is asked for."""
    made.SOPClassUID = VLWholeSlideMicroscopyImageStorage
    made.SOPInstanceUID = _uid(painting, instance.file_name)
    made.StudyInstanceUID = _uid(painting, "study")
    made.SeriesInstanceUID = _uid(painting, "series")
    made.FrameOfReferenceUID = _uid(painting, "glass")
    made.PyramidUID = _uid(painting, "pyramid")
    made.PositionReferenceIndicator = "SLIDE_CORNER"
    made.Modality, made.StudyID = "SM", painting.accession
    made.AccessionNumber = painting.accession
    made.PatientName, made.PatientID = "Painted^Slide", f"PAINTED-{painting.seed}"
    made.PatientBirthDate = made.PatientSex = made.ReferringPhysicianName = ""
    made.StudyDate = made.SeriesDate = made.ContentDate = made.AcquisitionDate = _DATE
    made.StudyTime = made.SeriesTime = made.ContentTime = made.AcquisitionTime = _TIME
    made.AcquisitionDateTime = _DATE + _TIME
    made.SeriesNumber = 1
    numbers = {"level-0.dcm": 1, "level-1.dcm": 2, "level-2.dcm": 3, "label.dcm": 4}
    made.InstanceNumber = numbers.get(instance.file_name, 5)
    made.Manufacturer, made.ManufacturerModelName = "svartid", "painting"
    made.DeviceSerialNumber, made.SoftwareVersions = "PAINTED", "1"


def _specimen(made: Dataset, painting: Painting) -> None:
    """The glass by its barcode, and the one section on it."""
    made.ContainerIdentifier = painting.barcode
    made.IssuerOfTheContainerIdentifierSequence = Sequence()
    made.ContainerTypeCodeSequence = Sequence([_code("433466003", "SCT", "Microscope slide")])
    specimen = Dataset()
    specimen.SpecimenIdentifier = painting.barcode
    specimen.SpecimenUID = _uid(painting, "specimen")
    specimen.IssuerOfTheSpecimenIdentifierSequence = Sequence()
    specimen.SpecimenPreparationSequence = Sequence([_staining()])
    made.SpecimenDescriptionSequence = Sequence([specimen])
    made.AcquisitionContextSequence = Sequence()


def _staining() -> Dataset:
    """One preparation step: stained with haematoxylin and eosin."""
    what = _content("127265001", "111701", "Processing type", "Staining", ("SCT", "DCM"))
    items = [what]
    for value, meaning in _DYES:
        items.append(_content(value, "424361007", "Using substance", meaning, ("SCT", "SCT")))
    step = Dataset()
    step.SpecimenPreparationStepContentItemSequence = Sequence(items)
    return step


def _content(
    value: str, concept: str, asked: str, meaning: str, schemes: tuple[str, str]
) -> Dataset:
    item = Dataset()
    item.ValueType = "CODE"
    item.ConceptNameCodeSequence = Sequence([_code(concept, schemes[1], asked)])
    item.ConceptCodeSequence = Sequence([_code(value, schemes[0], meaning)])
    return item


def _image(made: Dataset, instance: Instance) -> None:
    derived = "RESAMPLED" if instance.downsample > 1 else "NONE"
    origin = "DERIVED" if instance.downsample > 1 else "ORIGINAL"
    made.ImageType = [origin, "PRIMARY", instance.kind, derived]
    made.SamplesPerPixel, made.PhotometricInterpretation = 3, "YBR_FULL_422"
    made.PlanarConfiguration = 0
    made.Rows, made.Columns = instance.tile_height, instance.tile_width
    made.NumberOfFrames = instance.frames
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit, made.PixelRepresentation = 7, 0
    made.LossyImageCompression, made.LossyImageCompressionMethod = "01", "ISO_10918_1"
    made.LossyImageCompressionRatio = 10
    made.BurnedInAnnotation = "NO" if instance.kind == "VOLUME" else "YES"
    made.SpecimenLabelInImage = made.BurnedInAnnotation
    made.FocusMethod, made.ExtendedDepthOfField = "AUTO", "NO"
    made.VolumetricProperties = "VOLUME"


def _slide(made: Dataset, painting: Painting, instance: Instance) -> None:
    """How the matrix lies on the glass: columns along its long side."""
    area = scan_area(painting)
    made.ImagedVolumeWidth, made.ImagedVolumeHeight = _extent(painting, instance)
    made.ImagedVolumeDepth = 1.0
    made.TotalPixelMatrixColumns, made.TotalPixelMatrixRows = instance.width, instance.height
    made.TotalPixelMatrixFocalPlanes = 1
    made.NumberOfOpticalPaths = 1
    made.DimensionOrganizationType = "TILED_FULL"
    made.ImageOrientationSlide = [1, 0, 0, 0, 1, 0]
    origin = Dataset()
    on_scan = instance.kind == "VOLUME"
    origin.XOffsetInSlideCoordinateSystem = f"{area.left if on_scan else 0:.6f}"
    origin.YOffsetInSlideCoordinateSystem = f"{area.top if on_scan else 0:.6f}"
    made.TotalPixelMatrixOriginSequence = Sequence([origin])
    if instance.kind == "LABEL":
        made.LabelText, made.BarcodeValue = painting.accession, painting.barcode


def _extent(painting: Painting, instance: Instance) -> tuple[float, float]:
    """Width and height in millimetres."""
    if instance.downsample:
        return painting.width * painting.mpp / 1000, painting.height * painting.mpp / 1000
    return instance.width / PER_MM, instance.height / PER_MM


def _optics(made: Dataset, painting: Painting) -> None:
    path = Dataset()
    path.OpticalPathIdentifier = "1"
    path.IlluminationTypeCodeSequence = Sequence(
        [_code("111744", "DCM", "Brightfield illumination")]
    )
    path.IlluminationColorCodeSequence = Sequence([_code("371251000", "SCT", "White")])
    path.ObjectiveLensPower = 40 if painting.mpp < 0.375 else 20
    path.ICCProfile = icc_profile()
    path.ColorSpace = "SRGB"
    made.OpticalPathSequence = Sequence([path])


def _geometry(made: Dataset, painting: Painting, instance: Instance) -> None:
    """Functional groups all frames share; in a full tiling none has its own."""
    wide, high = _extent(painting, instance)
    measures = Dataset()
    # Rows first: spacing down, then spacing across, in millimetres.
    measures.PixelSpacing = [f"{high / instance.height:.10g}", f"{wide / instance.width:.10g}"]
    measures.SliceThickness = "0.001"
    kind = Dataset()
    kind.FrameType = made.ImageType
    light = Dataset()
    light.OpticalPathIdentifier = "1"
    shared = Dataset()
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.WholeSlideMicroscopyImageFrameTypeSequence = Sequence([kind])
    shared.OpticalPathIdentificationSequence = Sequence([light])
    made.SharedFunctionalGroupsSequence = Sequence([shared])
