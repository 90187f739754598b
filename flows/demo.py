"""Slides to look at: real ones where they are at hand, else the project paints some."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from flows.bundles import bundles_at
from flows.parent import die_with_parent
from flows.receive import receive
from flows.services import Services, open_services
from processing.paint import Painting, write_dicom, write_svs
from storage.errors import SvartidError
from storage.logs import log_to_stderr
from storage.records.intake import Source
from storage.settings import read_settings

_LOG = logging.getLogger("svartid.demo")
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


def main() -> int:
    """Enter the demo slides; started by `svartid up --demo` beside its other processes."""
    die_with_parent()
    log_to_stderr()
    services = open_services(read_settings())
    folder = Path(os.environ.get("SVARTID_TEST_SLIDES") or "../shared/slides")
    paths = [folder / name for name in REAL if (folder / name).exists()]
    for path in paths or _painted(services):
        for bundle in bundles_at(path):
            try:
                receive(services, bundle, Source.COMMAND, "demo")
            except SvartidError as error:
                _LOG.warning("demo slide %s: %s", path.name, error)
    return 0


def _painted(services: Services) -> Iterator[Path]:
    """Three painted slides below the data folder, made once; each is delivered when it is dry."""
    folder = services.layout.root / "painted"
    folder.mkdir(exist_ok=True)
    made = [folder / "demo-1.svs", folder / "demo-2", folder / "demo-3.svs"]
    for painting, path in zip(_PAINTED, made, strict=True):
        if not path.exists():
            write = write_svs if path.suffix else write_dicom
            write(painting, path)
        yield path


if __name__ == "__main__":
    raise SystemExit(main())
