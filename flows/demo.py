"""Slides to look at: real ones where they are at hand, else the project paints some."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from flows.bundles import bundles_at
from flows.receive import receive
from flows.services import Services
from processing.paint import Painting, write_dicom, write_svs
from storage.errors import SvartidError
from storage.records.intake import Source

_LOG = logging.getLogger("svartid")
REAL = (
    "pyramid-tiff/giardia-HE-20x.tif",
    "aperio/CMU-1-Small-Region.svs",
    "aperio/TCGA-CR-7395-01A-01-TS1.svs",
    "dicom-wsi/cmu-1-small-region",
    "pyramid-tiff/BS25-CHR-IHC-10x.tif",
    "hamamatsu/test3-DAPI-2-387.ndpi",
)
_PAINTED = (
    Painting(16000, 12000, seed=1, barcode="DEMO-0001-A1-1", accession="DEMO-0001"),
    Painting(12000, 9000, seed=2, barcode="DEMO-0001-A1-2", accession="DEMO-0001"),
    Painting(9000, 11000, seed=3, barcode="DEMO-0002-A1-1", accession="DEMO-0002"),
)


def deliver_demo_slides(services: Services) -> None:
    """Enter the demo slides in the background, so that the address is up at once."""
    threading.Thread(target=_deliver, args=(services,), name="demo", daemon=True).start()


def _deliver(services: Services) -> None:
    folder = Path(os.environ.get("SVARTID_TEST_SLIDES") or "../shared/slides")
    paths = [folder / name for name in REAL if (folder / name).exists()]
    for path in paths or _painted(services):
        for bundle in bundles_at(path):
            try:
                receive(services, bundle, Source.COMMAND, "demo")
            except SvartidError as error:
                _LOG.warning("demo slide %s: %s", path.name, error)


def _painted(services: Services) -> list[Path]:
    """Three painted slides below the data folder, made once."""
    folder = services.layout.root / "painted"
    folder.mkdir(exist_ok=True)
    made = [folder / "demo-1.svs", folder / "demo-2", folder / "demo-3.svs"]
    for painting, path in zip(_PAINTED, made, strict=True):
        if not path.exists():
            write = write_svs if path.suffix else write_dicom
            write(painting, path)
    return made
