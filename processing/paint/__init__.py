"""A slide that paints itself: any size, tissue-like, the same for the same seed."""

from .aperio import write_svs
from .dicom import write_dicom
from .ndpi import NdpiLayout, write_ndpi
from .painting import Painting

__all__ = ["NdpiLayout", "Painting", "write_dicom", "write_ndpi", "write_svs"]
