"""DICOM made from pyramids on the fly, and received objects as they came: one surface for both."""
