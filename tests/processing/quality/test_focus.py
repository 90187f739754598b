"""Focus: µm of blur come out as they went in; the model is the one named, and can be made again."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.stats import spearmanr

from processing.jpeg import Pixels
from processing.quality import focus_model
from processing.quality.focus import BAD_UM, Focus
from processing.quality.focus_features import NAMES, Block, features
from processing.quality.focus_model import MODEL, SHA256, from_arrays, read_safetensors
from processing.quality.focus_model import focus_model as model
from processing.quality.sweep import HALO
from storage.errors import StoreDamaged
from storage.records.quality import Finding, QualityState
from tests.contracts.check_contract import CheckContract
from tests.processing.quality.slides import tissue


def blurred(pixels: Pixels, um: float, mpp: float = 0.5) -> Pixels:
    """Light spread over a disk of `um` µm."""
    light = (pixels.astype(np.float32) / 255) ** 2.2
    reach = int(um / mpp) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    disk = np.clip(um / mpp + 0.5 - np.hypot(x, y), 0, 1)
    spread = cv2.filter2D(light, -1, disk / disk.sum())
    noisy = 255 * spread ** (1 / 2.2) + np.random.default_rng(5).normal(0, 1.5, pixels.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


class TestFocus(CheckContract):
    check = Focus

    def of(self, um: float) -> Finding:
        return self.found(blurred(tissue(900, 900), um))

    def test_more_blur_is_more_um(self) -> None:
        found = [self.of(um) for um in (0.2, 1.0, 2.0, 3.0, 5.0)]
        radii = [float(at.figures["p50"]) for at in found]
        assert radii == sorted(radii)
        assert radii[0] < 0.8
        assert 1.3 < radii[2] < 2.9
        assert radii[4] > 3.5

    def test_a_sharp_slide_passes_and_a_blurred_one_asks_for_a_look_but_no_scan(self) -> None:
        assert self.of(0.2).state is QualityState.PASS
        found = self.of(4.0)
        assert found.figures["bad_area_pct"] > 95
        assert found.state is QualityState.REVIEW

    def test_the_region_out_of_focus_is_where_it_is(self) -> None:
        pixels = tissue(1536, 2048)
        pixels[:, 1024:] = blurred(pixels, 4.0)[:, 1024:]
        found = self.found(pixels)
        x, _, width, _ = found.spots[0].box
        assert 1024 - 256 <= x <= 1024 + 256
        assert x + width > 1600
        assert found.figures["largest_bad_mm2"] == found.spots[0].area_mm2
        assert found.spots[0].most >= BAD_UM
        assert found.model is not None

    def test_what_cannot_be_measured_says_why(self) -> None:
        assert self.found(tissue(700, 900), 2.0).reason == "too_coarse"
        assert self.found(tissue(700, 900), None).reason == "mpp_unknown"
        assert self.found(np.full((700, 900, 3), 243, np.uint8)).reason == "no_tissue"


def test_a_cell_says_the_same_in_any_field() -> None:
    pixels = np.ascontiguousarray(tissue(1200, 1200)[:1088, :1088])
    whole = features(pixels, Block(HALO, HALO, 8, 8), 1.0)
    at = HALO + 3 * 128
    part = pixels[at - HALO : at + 128 + HALO, at - HALO : at + 128 + HALO]
    alone = features(np.ascontiguousarray(part), Block(HALO, HALO, 1, 1), 1.0)
    assert alone[0, 0] == pytest.approx(whole[3, 3], abs=2e-3)


def test_only_the_model_that_is_named_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(MODEL.read_bytes())
    assert hashlib.sha256(data).hexdigest() == SHA256
    assert len(data) < 2**20
    data[-1] ^= 1
    other = tmp_path / "focus.safetensors"
    other.write_bytes(data)
    monkeypatch.setattr(focus_model, "MODEL", other)
    with pytest.raises(StoreDamaged, match="released"):
        model.__wrapped__()


@pytest.mark.parametrize("data", [b"", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0[]", b"\0" * 2**21])
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(StoreDamaged):
        read_safetensors(data)


def test_the_card_is_of_this_model() -> None:
    card = MODEL.with_suffix(".md").read_text()
    assert SHA256 in card
    for word in ("Intended use", "Training", "Licences", "Limits", "synthetic"):
        assert re.search(word, card), word


def test_it_says_what_torch_says() -> None:
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    arrays = safetensors.load(MODEL.read_bytes())
    seen = np.random.default_rng(1).normal(0, 2, (50, len(NAMES))).astype(np.float32)
    seen = seen * model().spread + model().middle
    now = ((torch.from_numpy(seen) - arrays["middle"]) / arrays["spread"]).clamp(-6, 6)
    for number in range(3):
        now = now @ arrays[f"{number}.weight"].T + arrays[f"{number}.bias"]
        now = torch.nn.functional.silu(now) if number < 2 else now
    expected = (2 ** now[:, 0] - 1).clamp(0, focus_model.MOST_UM)
    assert model().radius(seen) == pytest.approx(expected.numpy(), abs=1e-4, rel=1e-4)


def test_training_learns_and_comes_to_the_same_bytes() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    training = pytest.importorskip("processing.quality.training.focus")
    synthesis = pytest.importorskip("processing.quality.training.synthesis")
    sources = pytest.importorskip("processing.quality.training.sources")
    plan = training.MINIATURE
    images = [sources.drawn(1), sources.drawn(2)]
    made = synthesis.samples(images, synthesis.TRAIN, plan.fields, 7)
    again = synthesis.samples(images[:1], synthesis.TRAIN, plan.fields, 7)
    assert again.seen.tobytes() == made.seen[made.source == 0].tobytes()
    first, second = (training.packed(training.fit(made, plan, 7), 7) for _ in range(2))
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    other = synthesis.samples([sources.drawn(3)], synthesis.TEST, 18, 8)
    guessed = from_arrays(read_safetensors(first)).radius(other.seen)
    assert spearmanr(guessed, other.radius).statistic > 0.9
    assert float(np.median(guessed[other.radius >= 3])) > 2
    assert float(np.median(guessed[other.radius < 0.1])) < 1


@pytest.mark.parametrize("radius", [1.0, 3.7, 20.0])
def test_a_disk_of_light_is_as_wide_as_it_says(radius: float) -> None:
    synthesis = pytest.importorskip("processing.quality.training.synthesis")
    kernel = synthesis.disk(radius)
    at = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert float(kernel.sum(axis=0) @ at**2) == pytest.approx(radius**2 / 4 + 1 / 6, rel=0.05)
