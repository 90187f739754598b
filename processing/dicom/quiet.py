"""pydicom and pynetdicom quote what they complain of, which may be a patient's name: silenced."""

from __future__ import annotations

import logging
import warnings

import pydicom.config


def silence() -> None:
    """Nothing of theirs reaches a log or a terminal; for every process that parses DICOM."""
    for library in ("pydicom", "pynetdicom"):
        logger = logging.getLogger(library)
        # A level set here would be reset when the library is loaded.
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
    warnings.filterwarnings("ignore", module=r"(pydicom|pynetdicom)\.")
    # What is in a file is shown as it is; whether its structure holds, the guard has looked.
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
