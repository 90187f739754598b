"""Slides as they are, nothing made worse: what the check says of them, and what it costs.

Each slide is read in by `svartid ingest` and measured twice: by the model that comes with svartid,
and by one that never saw a slide of that scanner. All are published as usable, none has been graded
for focus by a person: what is flagged here counts as a false alarm.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.quality import view_of
from flows.services import open_services
from processing.quality import focus as check
from processing.quality.assess import Assessed, assess
from processing.quality.focus import Focus
from processing.quality.focus_model import FocusModel
from processing.quality.slide_view import SlideView
from processing.quality.verdict import DEFAULT
from storage.catalogue import get_slide
from storage.settings import read_settings

SLIDES = {
    "pyramid-tiff/giardia-HE-20x.tif": "Aperio GT450 DX",
    "pyramid-tiff/giardia-HE-40x-crop.tif": "Aperio GT450 DX",
    "pyramid-tiff/BS25-HE-40x-crop.tif": "Aperio AT2",
    "pyramid-tiff/BS25-CHR-IHC-40x-crop.tif": "Aperio AT2",
    "pyramid-tiff/BS25-CHR-IHC-10x.tif": "Aperio AT2",
    "aperio/CMU-1-Small-Region.svs": "Aperio ScanScope CS",
    "aperio/TCGA-CR-7395-01A-01-TS1.svs": "",
    "dicom-wsi/cmu-1-small-region": "Aperio ScanScope CS",
    "dicom-wsi/multi_frame_jpeg_camelyon_challenge_image.dcm": "",
    "ome-tiff/OS-1-detail.ome.tif": "",
    "ome-tiff/OS-2-ndpi.ome.tif": "",
}
"""Path to the scanner that is left out; none where it was never in training."""


def clean(folder: Path, without: Callable[[str], FocusModel]) -> dict[str, Any]:
    """By slide: findings of both models, seconds of processor for the whole and for decoding."""
    found = {}
    with tempfile.TemporaryDirectory() as data:
        services = open_services(read_settings(Path(data)))
        for path, scanner in SLIDES.items():
            slide = get_slide(services.database, _ingest(folder / path, data))
            view = view_of(services, slide)
            found[path] = _told(assess(view, [Focus()], DEFAULT)) | {"um": view.um}
            if scanner and view.um and found[path]["figures"]:
                found[path]["scanner_left_out"] = _asking(without(scanner), view)
    return found


def _asking(model: FocusModel, view: SlideView) -> dict[str, Any]:
    """With another model in the place of svartid's."""
    own, check.focus_model = check.focus_model, lambda: model
    try:
        return _told(assess(view, [Focus()], DEFAULT))
    finally:
        check.focus_model = own


def _told(assessed: Assessed) -> dict[str, Any]:
    found = assessed.findings[0]
    return {
        "state": found.state.value,
        "reason": found.reason,
        "figures": dict(found.figures),
        "spots": [asdict(spot) for spot in found.spots[:3]],
        "tissue_mm2": assessed.tissue_mm2,
        "check_s": found.seconds,
        "cpu_s": assessed.cpu_seconds,
    }


def _ingest(path: Path, data: str) -> str:
    command = [sys.executable, "-m", "flows.cli", "ingest", str(path), "--data", data, "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return str(json.loads(told.stdout.splitlines()[-1])["slide_id"])
