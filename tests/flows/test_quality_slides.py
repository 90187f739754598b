"""Every check on real slides: none fails, none asks for another scan, and nothing is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.quality import run_checks
from flows.services import Services
from processing.quality.checks import TABLE
from storage.records.quality import QualityState
from tests.flows.work import finish

SLIDES = {
    "aperio/CMU-1-Small-Region.svs": "review",
    "aperio/TCGA-CR-7395-01A-01-TS1.svs": "not_evaluated",
    "pyramid-tiff/BS25-CHR-IHC-40x-crop.tif": "review",
    "pyramid-tiff/giardia-HE-40x-crop.tif": "pass",
    "dicom-wsi/cmu-1-small-region": "review",
}
"""With what their verdict is: small, squeezed hard, or nobody says how large a pixel is."""


@pytest.mark.slides
@pytest.mark.parametrize("name", SLIDES)
def test_a_real_slide_has_its_report(services: Services, slides_dir: Path, name: str) -> None:
    slide = finish(services, slides_dir / name)
    report = run_checks(services, slide.slide_id).report
    assert [at.check for at in report.findings] == list(TABLE)
    print(report.verdict, [(at.check, at.state.value, at.reason) for at in report.findings])
    states = {at.state for at in report.findings}
    assert not states & {QualityState.ERROR, QualityState.RESCAN}
    assert report.verdict.state == SLIDES[name]
    assert report.tissue_examined is not None
    assert report.tissue_examined == pytest.approx(1)


def test_what_shines_on_black_is_not_held_against_stains(
    services: Services, slides_dir: Path
) -> None:
    slide = finish(services, slides_dir / "hamamatsu" / "test3-DAPI-2-387.ndpi")
    report = run_checks(services, slide.slide_id).report
    assert report.verdict.state is QualityState.NOT_EVALUATED
    assert {at.reason for at in report.findings} == {"on_dark_ground"}
