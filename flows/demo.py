"""Slides to look at, in cases of a small department: real ones where they are at hand, else the
project paints some."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from flows import demo_department
from flows.bundles import bundles_at
from flows.parent import die_with_parent
from flows.receive import receive
from flows.services import Services, open_services
from processing.paint import Painting, write_dicom, write_svs
from storage.errors import SvartidError, Transient
from storage.logs import log_to_stderr
from storage.records.intake import Source
from storage.settings import read_settings

_LOG = logging.getLogger("svartid.demo")
REAL = {
    "pyramid-tiff/giardia-HE-20x.tif": "DEMO-0001-A1-1",
    "aperio/CMU-1-Small-Region.svs": "DEMO-0003-A1-1",
    "aperio/TCGA-CR-7395-01A-01-TS1.svs": "DEMO-0002-A1-1",
    "dicom-wsi/cmu-1-small-region": "DEMO-0003-A2-1",
    "pyramid-tiff/BS25-CHR-IHC-10x.tif": "DEMO-0004-A1-1",
    "hamamatsu/test3-DAPI-2-387.ndpi": "",
}
"""Slides and the glass of the small department that each stands for; the last is of no case."""
_LONGEST, _PAUSE = 1800.0, 0.5
"""Seconds that slides are waited for at most, and between two looks."""
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
    real = [(folder / name, code) for name, code in REAL.items() if (folder / name).exists()]
    barcodes = [code for _, code in real] or [at.barcode or "" for at in _PAINTED]
    demo_department.enter_cases(services.database, barcodes)
    slides = real or zip(_painted(services), barcodes, strict=True)
    coming = {slide_id: code for path, code in slides for slide_id in _deliver(services, path)}
    _attach(services, {slide_id: code for slide_id, code in coming.items() if code})
    return 0


def _deliver(services: Services, path: Path) -> Iterator[str]:
    """Enter a slide; its id."""
    for bundle in bundles_at(path):
        try:
            row, _ = receive(services, bundle, Source.COMMAND, "demo")
        except SvartidError as error:
            _LOG.warning("demo slide %s: %s", path.name, error)
        else:
            yield row.slide_id


def _attach(services: Services, images: Mapping[str, str]) -> None:
    """Say of each image which glass it shows as soon as it can be read."""
    ends = time.monotonic() + _LONGEST
    while images and time.monotonic() < ends:
        try:
            images = demo_department.attach(services.database, images)
        except Transient:
            _LOG.info("the database is busy; trying again")
        time.sleep(_PAUSE)


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
