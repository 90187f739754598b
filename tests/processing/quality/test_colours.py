"""Glass, dyes, clipping and the order: what the colours of a slide say, and what they do not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from processing.jpeg import Pixels
from processing.paint.glass import label
from processing.paint.painting import Painting
from processing.quality.assess import assess
from processing.quality.background import Background
from processing.quality.check import Check
from processing.quality.clipping import Clipping
from processing.quality.cohort import LEAST, StainCohort
from processing.quality.identity import Identity, class_of
from processing.quality.slide_view import Cohort, Order
from processing.quality.verdict import DEFAULT
from storage.records.quality import Finding, QualityState
from tests.contracts.check_contract import CheckContract
from tests.processing.quality.slides import slide_view, tissue

SMALL = tissue(900, 1100)


def immuno(pixels: Pixels) -> Pixels:
    """The same tissue in haematoxylin and DAB: blue, and brown where the nuclei are."""
    nuclei = pixels.max(axis=2) < 150
    out = pixels.astype(np.float32)
    stained = out[..., 1] < 225
    out[stained] = np.array([176, 178, 205]) + 0.2 * (out[stained] - out[stained].mean(axis=0))
    out[nuclei] = (120, 84, 52)
    return np.rint(out).astype(np.uint8)


def png(pixels: Pixels) -> bytes:
    """Without loss."""
    done, data = cv2.imencode(".png", pixels[..., ::-1])
    assert done
    return data.tobytes()


def run(check: Check, pixels: Pixels, order: Order | None = None, **images: bytes) -> Finding:
    """What a check says of a slide with an order."""
    return assess(slide_view(pixels, order=order, associated=images), [check], DEFAULT).findings[0]


class TestBackground(CheckContract):
    check = Background

    def test_the_glass_is_measured_beside_tissue(self) -> None:
        found = run(Background(), SMALL)
        assert found.figures["white"] == pytest.approx(243, abs=1)
        assert found.figures["od_e"] > 0.05
        assert found.state is QualityState.PASS

    def test_dull_glass_asks_for_a_look(self) -> None:
        dull = (SMALL.astype(np.float32) * 0.85).astype(np.uint8)
        assert run(Background(), dull).state is QualityState.REVIEW

    def test_glass_lit_from_one_side_is_uneven(self) -> None:
        light = np.linspace(0.9, 1, 1100)[None, :, None]
        found = run(Background(), (SMALL * light).astype(np.uint8))
        assert 4 < found.figures["uneven_pct"] < 12


class TestStainCohort(CheckContract):
    check = StainCohort

    def told(self, pixels: Pixels, slides: int = LEAST) -> Finding:
        """A slide among `slides` that look like `SMALL`, each a little its own way."""
        figures = run(Background(), SMALL).figures
        random = np.random.default_rng(2)
        view = slide_view(pixels)
        view.cohort = Cohort(
            tuple(
                {
                    name: value + random.normal(0, 1 if name == "white" else 0.02)
                    for name, value in figures.items()
                }
                for _ in range(slides)
            )
        )
        return assess(view, [StainCohort()], DEFAULT).findings[0]

    def test_one_like_the_others_passes(self) -> None:
        found = self.told(SMALL)
        assert found.figures["deviations"] < 3
        assert found.state is QualityState.PASS

    def test_one_stained_twice_as_strong_stands_out(self) -> None:
        strong = (243 * (SMALL / 243.0) ** 2).clip(0, 255).astype(np.uint8)
        found = self.told(strong)
        assert found.state is QualityState.REVIEW
        assert str(found.figures["farthest"]).startswith("od_")

    def test_a_few_slides_are_no_cohort(self) -> None:
        assert self.told(SMALL, LEAST - 1).reason == "cohort_too_small"


class TestClipping(CheckContract):
    check = Clipping

    @pytest.mark.parametrize("pixels", [SMALL, immuno(SMALL)])
    def test_tissue_within_the_scale_is_not_clipped(self, pixels: Pixels) -> None:
        assert run(Clipping(), pixels).figures["clipped_pct"] < 0.1

    def test_too_much_light_is_seen(self) -> None:
        bright = (SMALL.astype(np.float32) * 1.25).clip(0, 255).astype(np.uint8)
        found = run(Clipping(), bright)
        assert found.figures["bright_pct"] > 1
        assert found.state is QualityState.REVIEW


class TestIdentity(CheckContract):
    check = Identity
    printed = png(label(Painting(100, 100, barcode="SVT-7-A1-1")))

    @pytest.mark.parametrize(
        ("barcode", "told"), [("SVT-7-A1-1", "agrees"), ("SVT-8-A1-1", "differs")]
    )
    def test_the_label_is_held_against_the_order(self, barcode: str, told: str) -> None:
        found = run(Identity(), SMALL, Order(barcode), label=self.printed)
        assert found.figures["label"] == told
        assert (found.state is QualityState.REVIEW) == (told == "differs")

    @pytest.mark.parametrize(
        ("stain", "pixels", "told"),
        [
            ("HE", SMALL, "agrees"),
            ("HE", immuno(SMALL), "differs"),
            ("KI67", immuno(SMALL), "agrees"),
            ("CD3", SMALL, "differs"),
            ("PAS", SMALL, "unknown"),
        ],
    )
    def test_the_colours_are_held_against_the_stain(
        self, stain: str, pixels: Pixels, told: str
    ) -> None:
        found = run(Identity(), pixels, Order("SVT-7-A1-1", stain), label=self.printed)
        assert found.figures["stain"] == told
        assert found.figures["mismatches"] == (told == "differs")

    def test_without_an_order_or_a_label_nothing_is_said(self) -> None:
        assert run(Identity(), SMALL).reason == "no_order"
        assert run(Identity(), SMALL, Order("SVT-7-A1-1")).reason == "nothing_to_compare"

    @pytest.mark.parametrize(
        ("code", "kind"),
        [("HE", "he"), ("h&e", "he"), ("H-E 2", "he"), ("CD20", "ihc"), ("HER2", "ihc"), ("X", "")],
    )
    def test_codes_have_a_class(self, code: str, kind: str) -> None:
        assert class_of(Order(stain=code)) == kind
