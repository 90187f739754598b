"""Everything in an instance made from a pyramid but its pixels.

Source: PS3.3 A.32.8 (VL Whole Slide Microscopy IOD), C.8.12.4, C.7.6.22 (specimen), C.7.6.17.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

import pydicom.config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from processing.dicom.codes import codes
from processing.dicom.names import local, to_person_name
from processing.dicom.optics import put_optics
from processing.dicom.specimen import put_specimen
from storage.records.channels import Channels
from storage.records.geometry import Size
from storage.records.imaging import ASSOCIATED, WSI, SeriesEntry
from storage.records.slide import SlideMetadata
from storage.records.uids import associated_uid, level_uid

# What was entered here goes out as it is, also an accession number longer than DICOM's sixteen.
pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE

UNKNOWN_MM = 1.0
"""Millimetres a pixel where nobody knows: so far from any microscope that nobody measures by it."""
_UNKNOWN = "UNKNOWN"
_SEX = {"female": "F", "male": "M"}
_DEPTH_MM = 0.001
IMPLEMENTATION = "2.25.139275106216343266172164471943282905817"


@dataclass(frozen=True, slots=True)
class Picture:
    """What an instance shows: a level, or an image beside the levels."""

    size: Size
    tile: Size
    level: int | None = None
    associated: str | None = None

    @property
    def grid(self) -> Size:
        """Columns and rows of frames."""
        width, height = self.tile.width, self.tile.height
        return Size(-(-self.size.width // width), -(-self.size.height // height))


@dataclass(frozen=True, slots=True)
class Coding:
    """How the frames are coded."""

    syntax: str
    photometric: str
    bits: int = 8
    stored_bits: int = 8
    ratio: float | None = None
    """Raw bytes over coded ones where the coding loses something; None where it does not."""


def build_header(
    entry: SeriesEntry,
    metadata: SlideMetadata,
    picture: Picture,
    coding: Coding,
    whole: Size,
    channels: Channels | None,
    icc: bytes | None,
) -> Dataset:
    """The dataset of one instance, without pixel data; `whole` is the size of level 0 in pixels."""
    made = Dataset()
    made.file_meta = _file_meta(entry, picture, coding)
    made.SpecificCharacterSet = "ISO_IR 192"
    _put_identity(made, entry, picture)
    _put_equipment(made, metadata)
    _put_specimen(made, entry)
    _put_image(made, picture, coding, metadata)
    planes = len(channels.channels) if channels else 1
    _put_matrix(made, entry, picture, planes)
    _put_geometry(made, metadata, picture, whole, channels)
    put_optics(made, metadata, channels, icc)
    return made


def sop_uid_of(entry: SeriesEntry, picture: Picture) -> str:
    """SOPInstanceUID of a picture of a slide."""
    if picture.level is not None:
        return level_uid(entry.series_uid, picture.level)
    return associated_uid(entry.series_uid, picture.associated or "")


def _file_meta(entry: SeriesEntry, picture: Picture, coding: Coding) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(WSI)
    meta.MediaStorageSOPInstanceUID = UID(sop_uid_of(entry, picture))
    meta.TransferSyntaxUID = UID(coding.syntax)
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    meta.ImplementationVersionName = f"SVARTID {version('svartid')}"[:16]
    return meta


def _put_identity(made: Dataset, entry: SeriesEntry, picture: Picture) -> None:
    """Patient, study, series: what the case says."""
    whose = entry.whose
    made.SOPClassUID, made.SOPInstanceUID = UID(WSI), UID(sop_uid_of(entry, picture))
    made.StudyInstanceUID, made.SeriesInstanceUID = entry.study_uid, entry.series_uid
    made.FrameOfReferenceUID = f"{entry.series_uid}.3"
    made.PositionReferenceIndicator = "SLIDE_CORNER"
    if picture.level is not None:
        made.PyramidUID = f"{entry.series_uid}.6"
    made.PatientName = to_person_name(whose.name)
    made.PatientID = whose.identifier
    made.PatientBirthDate = whose.birth_date.strftime("%Y%m%d") if whose.birth_date else ""
    made.PatientSex = _SEX.get(whose.sex, "")
    made.AccessionNumber, made.StudyID = entry.accession, entry.accession[:16]
    made.ReferringPhysicianName = ""
    made.Modality, made.SeriesNumber = "SM", entry.series_number
    made.SeriesDescription = entry.series_description
    made.InstanceNumber = _number(picture)
    study = local(entry.study_at) if entry.study_at else None
    made.StudyDate = study.strftime("%Y%m%d") if study else ""
    made.StudyTime = study.strftime("%H%M%S") if study else ""
    scanned = entry.series_at or entry.study_at
    if scanned is not None:
        scan = local(scanned)
        made.SeriesDate = made.AcquisitionDate = made.ContentDate = scan.strftime("%Y%m%d")
        made.SeriesTime = made.AcquisitionTime = made.ContentTime = scan.strftime("%H%M%S")
        made.AcquisitionDateTime = scan.strftime("%Y%m%d%H%M%S%z")
        made.TimezoneOffsetFromUTC = scan.strftime("%z")


def _number(picture: Picture) -> int:
    """Levels count from 1; what stands beside them from 101."""
    if picture.level is not None:
        return picture.level + 1
    return 101 + ASSOCIATED.index(picture.associated or "")


def _put_equipment(made: Dataset, metadata: SlideMetadata) -> None:
    """The scanner as far as its file tells, and svartid as who made this of it."""
    made.Manufacturer = metadata.vendor or _UNKNOWN
    made.ManufacturerModelName = metadata.scanner or _UNKNOWN
    made.DeviceSerialNumber = made.SoftwareVersions = _UNKNOWN
    ours = Dataset()
    ours.PurposeOfReferenceCodeSequence = codes("109103", "DCM", "Modifying Equipment")
    ours.Manufacturer, ours.ManufacturerModelName = "svartid", "svartid"
    ours.SoftwareVersions = version("svartid")
    ours.ContributionDescription = "Tiles as the scanner coded them, put into DICOM"
    made.ContributingEquipmentSequence = Sequence([ours])


def _put_specimen(made: Dataset, entry: SeriesEntry) -> None:
    """The glass by its barcode and the section on it; a slide nobody knows goes by its own id."""
    glass = entry.glass
    name = glass.barcode or entry.slide_id or _UNKNOWN
    put_specimen(made, glass, name, f"{entry.series_uid}.7")
    made.AcquisitionContextSequence = Sequence()


def _put_image(made: Dataset, picture: Picture, coding: Coding, metadata: SlideMetadata) -> None:
    made.ImageType = image_type(picture)
    grey = coding.photometric == "MONOCHROME2"
    made.SamplesPerPixel = 1 if grey else 3
    made.PhotometricInterpretation = coding.photometric
    if grey:
        made.PresentationLUTShape = "IDENTITY"
        made.RescaleIntercept, made.RescaleSlope = "0", "1"
    else:
        made.PlanarConfiguration = 0
    made.Rows, made.Columns = picture.tile.height, picture.tile.width
    made.BitsAllocated, made.BitsStored = coding.bits, coding.stored_bits
    made.HighBit, made.PixelRepresentation = coding.stored_bits - 1, 0
    made.LossyImageCompression = "00" if coding.ratio is None else "01"
    if coding.ratio is not None:
        made.LossyImageCompressionRatio = f"{max(coding.ratio, 1):.4g}"
        made.LossyImageCompressionMethod = "ISO_10918_1"
    on_label = "NO" if picture.associated in (None, "thumbnail") else "YES"
    made.BurnedInAnnotation = made.SpecimenLabelInImage = on_label
    made.FocusMethod, made.ExtendedDepthOfField = "AUTO", "NO"
    made.VolumetricProperties = "VOLUME"
    if picture.associated == "label" and metadata.barcode:
        made.LabelText, made.BarcodeValue = "", metadata.barcode
    elif picture.associated == "label":
        made.LabelText = made.BarcodeValue = ""


def image_type(picture: Picture) -> list[str]:
    """ImageType (PS3.3 C.8.12.4.1.1)."""
    if picture.associated is not None:
        derived = picture.associated == "thumbnail"
        first, last = ("DERIVED", "RESAMPLED") if derived else ("ORIGINAL", "NONE")
        return [first, "PRIMARY", picture.associated.upper(), last]
    if picture.level:
        return ["DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"]
    return ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]


def _put_matrix(made: Dataset, entry: SeriesEntry, picture: Picture, planes: int) -> None:
    """The total pixel matrix, row by row, then channel by channel."""
    made.TotalPixelMatrixColumns = picture.size.width
    made.TotalPixelMatrixRows = picture.size.height
    made.TotalPixelMatrixFocalPlanes = 1
    made.NumberOfOpticalPaths = planes
    made.NumberOfFrames = picture.grid.area * planes
    made.DimensionOrganizationType = "TILED_FULL"
    organisation = Dataset()
    organisation.DimensionOrganizationUID = f"{entry.series_uid}.4"
    made.DimensionOrganizationSequence = Sequence([organisation])


def _put_geometry(
    made: Dataset, metadata: SlideMetadata, picture: Picture, whole: Size, channels: Channels | None
) -> None:
    """Extent on the glass, and the functional groups that all frames share."""
    of_scan = picture.associated in (None, "thumbnail")
    mpp = metadata.mpp if of_scan else None
    per_x, per_y = (mpp.x / 1000, mpp.y / 1000) if mpp else (UNKNOWN_MM, UNKNOWN_MM)
    extent = whole if of_scan else picture.size
    wide, high = per_x * extent.width, per_y * extent.height
    if mpp is None:
        made.ImageComments = "Pixel size unknown: 1 mm a pixel stands for it. Do not measure."
    made.ImagedVolumeWidth, made.ImagedVolumeHeight = wide, high
    made.ImagedVolumeDepth = _DEPTH_MM * 1000
    # Where on the glass the scan lies no file tells: its last pixel is put at the glass's corner.
    made.ImageOrientationSlide = [0, -1, 0, -1, 0, 0]
    origin = Dataset()
    origin.XOffsetInSlideCoordinateSystem = f"{high:.10g}"
    origin.YOffsetInSlideCoordinateSystem = f"{wide:.10g}"
    made.TotalPixelMatrixOriginSequence = Sequence([origin])
    measures = Dataset()
    # Rows first: the distance down, then across, in millimetres (PS3.3 10.7.1.3). A level is halved
    # and rounded up: its pixels are twice as large, though the last reaches past the scan.
    if picture.level is not None:
        spacing = per_y * 2**picture.level, per_x * 2**picture.level
    else:
        spacing = high / picture.size.height, wide / picture.size.width
    measures.PixelSpacing = [f"{at:.10g}" for at in spacing]
    measures.SliceThickness = f"{_DEPTH_MM:g}"
    kind = Dataset()
    kind.FrameType = image_type(picture)
    shared = Dataset()
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.WholeSlideMicroscopyImageFrameTypeSequence = Sequence([kind])
    if channels is None or len(channels.channels) == 1:
        light = Dataset()
        light.OpticalPathIdentifier = "1"
        shared.OpticalPathIdentificationSequence = Sequence([light])
    made.SharedFunctionalGroupsSequence = Sequence([shared])
