"""Annotations as DICOM objects, written and read: bulk annotations, measurement reports, masks.

Nothing here is loaded by a process that has just started: `storage.on_demand` does when needed.
"""

from __future__ import annotations

import logging
import warnings

for _library in ("highdicom", "pydicom"):
    # They quote the values they complain of, which may be a patient's name.
    logging.getLogger(_library).addHandler(logging.NullHandler())
    logging.getLogger(_library).propagate = False
warnings.filterwarnings("ignore", module=r"(highdicom|pydicom)\.")
