"""The table against LittleCMS, the browser's arithmetic against ours, and profiles that lie."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
from functools import cache
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from processing.colour import Colour, measure_colour
from processing.colour_difference import delta_e
from processing.colour_process import measure_apart
from processing.colour_table import apply_table, shown_unrounded
from processing.icc import LARGEST, profile_name
from storage.errors import ProfileUnusable
from tests.processing import colour_profiles as profiles
from viewers.pages import STATIC

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
GOOD = {
    "gamma 1.0": profiles.matrix(1.0),
    "gamma 1.8": profiles.matrix(1.8),
    "gamma 2.2": profiles.matrix(2.2),
    "gamma 3.5": profiles.matrix(3.5),
    "table": profiles.lut(2.2),
    "table, nasty gamma": profiles.lut(3.5),
    "table, steep in the dark": profiles.lut(1.0),
    "table, few nodes, hues turning far": profiles.lut(3.5, nodes=9, twist=60),
}


@cache
def measured(name: str) -> Colour:
    return measure_colour(GOOD[name])


@cache
def colours() -> Bytes:
    """A dense grid, what lies between it in the dark, every grey, and colours at random."""
    steps = np.append(np.arange(0, 255, 6), 255)
    dense = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    greys = np.repeat(np.arange(256)[:, None], 3, axis=1)
    rng = np.random.default_rng(20261122)
    parts = dense, greys, rng.integers(0, 60, (60_000, 3)), rng.integers(0, 256, (60_000, 3))
    return np.concatenate(parts).astype(np.uint8)


def target() -> Bytes:
    """A colour chart: patches in seven steps of each channel, a grey wedge, stains in a row."""
    steps = np.linspace(0, 255, 7)
    patches = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    wedge = np.repeat(np.linspace(0, 255, 24)[:, None], 3, axis=1)
    amount = np.linspace(0, 1.5, 20)[:, None]
    stains = [10 ** (-amount * dye) * 255 for dye in ((0.65, 0.7, 0.29), (0.07, 0.99, 0.11))]
    return np.rint(np.concatenate([patches, wedge, *stains])).astype(np.uint8)


def by_littlecms(profile: bytes, pixels: Bytes) -> Floats:
    """From 0 to 1, at its most exact, not rounded."""
    made = imagecodecs.cms_transform(
        np.ascontiguousarray(pixels.reshape(1, -1, 3) / np.float32(255), np.float32),
        profile, profiles.srgb(), colorspace="rgb", outcolorspace="rgb", outdtype="f4",
        intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
        flags=imagecodecs.CMS.FLAGS.NOOPTIMIZE | imagecodecs.CMS.FLAGS.NOCACHE,
    )  # fmt: skip
    whole: Floats = np.clip(np.asarray(made, np.float64).reshape(pixels.shape), 0, 1)
    return whole


def judged(first: Floats, second: Floats) -> Floats:
    """CIEDE2000 by scikit-image."""
    difference: Floats = deltaE_ciede2000(rgb2lab(first), rgb2lab(second))
    return difference


@pytest.mark.parametrize("name", GOOD)
def test_the_table_is_littlecms(name: str) -> None:
    """Before a screen's 256 steps. Rounding to them costs up to 1.1 near black, in LittleCMS's
    own 8-bit output as in ours; beyond that the table adds no more than it is allowed to."""
    found, truth = measured(name), by_littlecms(GOOD[name], colours())
    apart = judged(shown_unrounded(found.table, colours()), truth)
    assert apart.max() < (0.1 if name.startswith("gamma") else 0.75)
    assert apart.max() < found.error + 0.3, "what the sample found is near the truth"
    shown = judged(apply_table(found.table, colours()) / 255, truth)
    rounding = judged(np.rint(truth * 255) / 255, truth)
    assert np.quantile(shown, 0.999) < 1
    assert shown.max() < rounding.max() + 0.3


@pytest.mark.parametrize("name", GOOD)
def test_a_colour_chart_as_it_is_shown(name: str) -> None:
    """In whole steps of the screen, against LittleCMS unrounded: below 1 on every patch."""
    shown = apply_table(measured(name).table, target()) / 255
    truth = by_littlecms(GOOD[name], target())
    assert judged(shown, truth).max() < 1
    assert judged(target() / 255, truth).mean() > 2, "the profile does change colours"


def test_srgb_is_known_and_left_alone() -> None:
    found = measure_colour(profiles.srgb())
    assert found.is_srgb
    assert found.table.nodes == 33
    assert np.abs(apply_table(found.table, colours()).astype(int) - colours()).max() == 0
    assert not any(measured(name).is_srgb for name in GOOD)


def test_the_difference_of_colours_is_scikit_images() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.random((2, 20_000, 3))
    near = np.clip(one + rng.normal(0, 0.01, one.shape), 0, 1)
    grey = np.repeat(rng.random((20_000, 1)), 3, axis=1)
    for pair in ((one, other), (one, near), (one, one), (grey, near), (grey, grey / 2)):
        assert delta_e(*pair) == pytest.approx(judged(*pair), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("name", ["gamma 1.8", "table, nasty gamma"])
def test_the_browser_does_the_same(name: str, tmp_path: Path) -> None:
    """Node runs the browser's module: the same bytes, but for a rounding in ten thousand."""
    node = shutil.which("node")
    if node is None:
        if os.environ.get("SVARTID_REQUIRE_SLIDES") == "1":
            pytest.fail("node is not here; tests/system-packages.sh installs it")
        pytest.skip("no node here: tests/system-packages.sh installs it")
    table = measured(name).table
    alpha = np.arange(len(colours()), dtype=np.uint32).astype(np.uint8)
    (tmp_path / "table").write_bytes(table.to_bytes())
    (tmp_path / "pixels").write_bytes(np.column_stack([colours(), alpha]).tobytes())
    (tmp_path / "run.mjs").write_text(
        f"""import {{ applyTable, readTable }} from "{STATIC / "js" / "colour_table.js"}";
        import {{ readFileSync, writeFileSync }} from "node:fs";
        const bytes = (name) => new Uint8Array(readFileSync(name)).buffer;
        const pixels = new Uint8ClampedArray(bytes("pixels"));
        applyTable(readTable(bytes("table")), pixels);
        writeFileSync("shown", pixels);
        let refused = 0;
        for (const bad of [new ArrayBuffer(3), bytes("pixels"), bytes("table").slice(0, 900)]) {{
          try {{ readTable(bad); }} catch {{ refused += 1; }}
        }}
        if (refused !== 3) process.exit(3);"""
    )
    subprocess.run([node, "run.mjs"], cwd=tmp_path, check=True, timeout=60)
    shown = np.fromfile(tmp_path / "shown", np.uint8).reshape(-1, 4)
    assert np.array_equal(shown[:, 3], alpha)
    apart = np.abs(shown[:, :3].astype(int) - apply_table(table, colours()))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-4


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "damaged"),
        (b"not a profile" * 100, "damaged"),
        (profiles.lut()[:127], "damaged"),
        (profiles.lut()[:700], "damaged"),
        (profiles.srgb()[:-1], "damaged"),
        (struct.pack(">I", 130) + profiles.lut()[4:], "damaged"),
        (struct.pack(">I", 2**32 - 1) + profiles.lut()[4:], "damaged"),
        (profiles.profile({b"desc": profiles.described("empty")}), "damaged"),
        (profiles.profile({}, space=b"GRAY"), "not_rgb"),
        (profiles.profile({}, space=b"CMYK"), "not_rgb"),
        (profiles.profile({}, kind=b"link"), "not_rgb"),
        (bytes(LARGEST + 1), "too_large"),
    ],
)
def test_profiles_that_cannot_be_used(data: bytes, reason: str) -> None:
    with pytest.raises(ProfileUnusable) as refused:
        measure_apart(data)
    assert str(refused.value) == reason


def test_a_profile_of_noise_is_not_followed() -> None:
    rng = np.random.default_rng(1)
    lab = rng.uniform((0, -80, -80), (100, 80, 80), (33, 33, 33, 3))
    with pytest.raises(ProfileUnusable, match="inexact"):
        measure_colour(profiles.lut_of(lab, np.linspace(0, 1, 256), "noise"))


def test_bytes_behind_the_profile_do_not_matter() -> None:
    assert measure_apart(profiles.srgb() + bytes(7)).is_srgb


def test_spoiled_profiles_end_in_a_word_or_a_table() -> None:
    """Bytes changed anywhere: LittleCMS may read it another way, but nothing worse happens."""
    rng = random.Random(20261122)
    outcomes = set()
    for _ in range(12):
        data = bytearray(profiles.lut())
        for _ in range(rng.randint(1, 12)):
            data[rng.randrange(400)] = rng.randrange(256)
        try:
            outcomes.add(len(measure_apart(bytes(data)).table) > 200_000)
        except ProfileUnusable as error:
            outcomes.add(str(error) in {"damaged", "not_rgb", "inexact", "too_large"})
    assert outcomes == {True}


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_names_are_plain_whatever_the_tag_says(tag: bytes, at: int, size: int) -> None:
    entry = b"desc" + struct.pack(">II", at % 400, size)
    name = profile_name(bytes(128) + struct.pack(">I", 1) + entry + tag)
    assert name == "" or name.isprintable()
    assert len(name) <= 80


def test_names_of_both_versions() -> None:
    words = "Skæv\n\u202e skåner".encode("utf-16-be")
    record = struct.pack(">II4sII", 1, 12, b"daDK", len(words), 28)
    tags = {b"desc": b"mluc" + bytes(4) + record + words}
    assert profile_name(profiles.profile(tags)) == "Skæv skåner"
    assert profile_name(profiles.lut(name="GT450 v2")) == "GT450 v2"
    assert profile_name(profiles.profile({})) == ""
