"""A model over a slide: all of the tissue, wherever patches are cut; and what it has to show."""

from __future__ import annotations

import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.models.admission import examine
from processing.models.architectures import ConvHeads, PatchClassifier, UnetSmall
from processing.models.ask import Answers, Ask, Patches
from processing.models.reading import patch, target_of
from processing.models.runner import run
from processing.quality.slide_view import Order
from storage.errors import Refused
from storage.records.models import (
    Activation,
    Manifest,
    ModelFormat,
    ModelInput,
    ModelOutput,
)
from tests.processing.quality.slides import blank, slide_view, tissue

DARK = ModelOutput("dark", ("dark",), "1", Activation.NONE, 8)


def manifest(mpp: float = 1.0, tile: int = 64, halo: int = 16, multiple: int = 8) -> Manifest:
    return Manifest(
        "dark", "1", "t", ModelFormat.PT2, "0" * 64, "MIT", ModelInput(mpp, tile, halo, multiple),
        (DARK,), (),
    )  # fmt: skip


def mean_of_cells(patches: Patches) -> Answers:
    """How dark each cell of eight pixels is, 0 to 1."""
    count, _, height, width = patches.shape
    cells = patches.mean(1).reshape(count, 1, height // 8, 8, width // 8, 8)
    return {"dark": (1 - cells.mean((3, 5))).astype(np.float32)}


def asked_of(network: torch.nn.Module) -> Ask:
    torch.set_num_threads(1)
    network.eval()

    def ask(patches: Patches) -> Answers:
        with torch.inference_mode():
            return {name: at.numpy() for name, at in network(torch.from_numpy(patches)).items()}

    return ask


@settings(max_examples=8)
@given(st.integers(40, 700), st.integers(40, 700), st.sampled_from([(64, 16), (32, 8), (128, 32)]))
def test_all_tissue_is_answered_for_and_nothing_else(
    width: int, height: int, cut: tuple[int, int]
) -> None:
    view = slide_view(tissue(height, width), mpp=0.5)
    found = run(view, manifest(1.0, *cut), mean_of_cells)
    drawn = found.maps["dark.dark"]
    assert drawn.cell == 16
    assert drawn.values.shape == (-(-height // 16), -(-width // 16))
    mask = view.tissue.mask
    pixel = 2**view.tissue.level
    for row, column in np.argwhere(mask):
        at = min(row * pixel // 16, drawn.values.shape[0] - 1)
        assert not np.isnan(drawn.values[at, min(column * pixel // 16, drawn.values.shape[1] - 1)])


def test_the_map_lies_where_the_slide_is_dark() -> None:
    pixels = blank(1200, 1600)
    cv2.circle(pixels, (1000, 400), 200, (120, 60, 140), -1)
    values = run(slide_view(pixels, mpp=0.5), manifest(), mean_of_cells).maps["dark.dark"].values
    row, column = np.unravel_index(np.nanargmax(np.nan_to_num(values)), values.shape)
    assert (column * 16 + 8 - 1000) ** 2 + (row * 16 + 8 - 400) ** 2 < 200**2
    assert np.isnan(values[-1, 0])
    inside = values[21:29, 58:67]
    assert float(inside.mean()) == pytest.approx(1 - (120 + 60 + 140) / 3 / 255, abs=0.01)


@pytest.mark.parametrize("mpp", [0.5, 0.7, 1.0, 1.3])
def test_pixels_are_the_same_wherever_a_patch_begins(mpp: float) -> None:
    view = slide_view(tissue(700, 900), mpp=0.25)
    at = target_of(view, mpp)
    whole = patch(view, at, -16, -16, 128)
    part = patch(view, at, 21, 35, 40)
    np.testing.assert_array_equal(whole[51:91, 37:77], part)


def test_figures_do_not_depend_on_how_patches_are_cut() -> None:
    torch.manual_seed(1)
    view = slide_view(tissue(500, 640), mpp=0.5)
    network = asked_of(ConvHeads({"dark": 1}, 4))
    first = run(view, manifest(1.0, 128, 32), network, batch=1).maps["dark.dark"].values
    second = run(view, manifest(1.0, 96, 32), network, batch=5).maps["dark.dark"].values
    both = ~np.isnan(first) & ~np.isnan(second)
    assert (np.isnan(first) == np.isnan(second)).all()
    np.testing.assert_allclose(first[both], second[both], atol=1e-4)


@pytest.mark.parametrize(
    ("mpp", "order", "why"),
    [
        (None, Order(), "mpp_unknown"),
        (2.0, Order(), "mpp_too_coarse"),
        (0.5, Order(stain="ki67"), "stain_not_intended"),
    ],
)
def test_a_slide_it_is_not_made_for_is_refused(mpp: float | None, order: Order, why: str) -> None:
    view = slide_view(tissue(300, 300), mpp=mpp, order=order)
    with pytest.raises(Refused, match=why):
        run(view, replace(manifest(), stains=("he",)), mean_of_cells)


def test_glass_alone_asks_nothing() -> None:
    found = run(slide_view(blank(600, 600), mpp=0.5), manifest(), mean_of_cells)
    assert found.figures == {"patches": 0, "dark.dark.mean": None}


def failed(ask: Ask, at: Manifest, memory: int = 1) -> list[str]:
    tests = examine(at, ask, lambda: memory)
    return [at.name for at in tests if not at.passed and at.name != "time"]


def test_what_is_slow_is_found() -> None:
    def slow(patches: Patches) -> Answers:
        time.sleep(0.01)
        return mean_of_cells(patches)

    tests = examine(manifest(1.0, 16, 0), slow, lambda: 1)
    assert [at.name for at in tests if not at.passed] == ["time"]


@pytest.mark.parametrize("name", ["unet", "heads", "patch"])
def test_our_own_networks_pass(name: str) -> None:
    torch.manual_seed(2)
    known = {
        "unet": (UnetSmall({"dark": 1}, 4), replace(DARK, stride=1, activation=Activation.SIGMOID)),
        "heads": (ConvHeads({"dark": 1}, 4), replace(DARK, activation=Activation.SOFTMAX)),
        "patch": (PatchClassifier({"dark": 1}, 4), replace(DARK, stride=0)),
    }
    network, output = known[name]
    at = replace(manifest(1.0, 128, 32, 8), outputs=(output,))
    assert failed(asked_of(network), at) == []


def test_what_does_not_hold_is_found() -> None:
    random = np.random.default_rng(0)
    calls: list[int] = []

    def noisy(patches: Patches) -> Answers:
        made = mean_of_cells(patches)
        return {"dark": made["dark"] + random.random(made["dark"].shape, np.float32)}

    def by_batch(patches: Patches) -> Answers:
        return {"dark": mean_of_cells(patches)["dark"] * np.float32(len(patches))}

    def whole_patch(patches: Patches) -> Answers:
        made = mean_of_cells(patches)["dark"]
        return {"dark": made - made.mean((2, 3), keepdims=True)}

    def infinite_on_black(patches: Patches) -> Answers:
        return {"dark": (1 / mean_of_cells(1 - patches)["dark"]).astype(np.float32)}

    def dies(patches: Patches) -> Answers:
        calls.append(1)
        if len(calls) > 3:
            raise Refused("its process ended")
        return mean_of_cells(patches)

    at = manifest()
    assert failed(mean_of_cells, at) == []
    assert "determinism" in failed(noisy, at)
    assert failed(by_batch, at) == ["batch"]
    assert failed(whole_patch, at) == ["tiling"]
    with np.errstate(divide="ignore"):
        assert "finite" in failed(infinite_on_black, at)
    assert failed(dies, at)[-1] == "finite"
    assert failed(mean_of_cells, at, 2**40) == ["memory"]
