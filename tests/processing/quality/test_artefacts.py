"""Folds, bubbles and dust: the three checks, the network they share, and how it is trained."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from safetensors.torch import save

from processing.quality.artefact_map import artefact_map
from processing.quality.artefact_network import CARD, WEIGHTS, density, trained
from processing.quality.assess import assess
from processing.quality.bubble import Bubble
from processing.quality.dust import Dust
from processing.quality.fold import Fold
from processing.quality.sweep import fields
from processing.quality.training import artefact_synthesis as synthesis
from processing.quality.training.artefact_patches import Patches
from processing.quality.training.artefact_sources import SOURCES, Read, read
from processing.quality.training.artefacts import Plan, train
from processing.quality.verdict import DEFAULT
from storage.errors import Damaged
from storage.records.quality import Basis, QualityState
from tests.contracts.check_contract import CheckContract
from tests.processing.quality.slides import slide_view, tissue

ALL = (Fold, Bubble, Dust)
MB = 10**6


@cache
def with_artefact(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Tissue 1024 µm wide with one artefact in a patch of it; where, [row, column], of all."""
    pixels = cv2.resize(tissue(2048, 2048), (1024, 1024), interpolation=cv2.INTER_AREA)
    given = density(pixels[400:656, 400:656])
    draw = {"fold": synthesis.fold, "bubble": synthesis.bubble, "dust": synthesis.dust}[kind]
    sizes = synthesis.Sizes(fold_width=(30, 45))
    changed, where = draw(given, sizes, np.random.default_rng(2))
    drawn = pixels.copy()
    drawn[400:656, 400:656] = np.clip(255 * 10.0**-changed, 0, 255).astype(np.uint8)
    covered = np.zeros((1024, 1024), bool)
    covered[400:656, 400:656] = where > 0.5
    return drawn, covered


class ArtefactContract(CheckContract):
    """What each of the three keeps besides."""

    def test_it_finds_what_was_drawn_where_it_was_drawn(self) -> None:
        kind = self.check.id.removesuffix(".area")
        pixels, covered = with_artefact(kind)
        view = slide_view(pixels, 1.0)
        assessed = assess(view, [self.check()], DEFAULT)
        cells = covered.reshape(128, 8, 128, 8).mean(axis=(1, 3)) > 0.35
        drawn = assessed.maps[self.check.id]
        assert drawn.cell == 8
        found = np.nan_to_num(drawn.values) > 0
        assert (found & cells).sum() > 0.5 * cells.sum()
        assert (found & cells).sum() > 0.5 * found.sum()

    def test_plain_tissue_has_none(self) -> None:
        found = self.found(tissue(1100, 1100))
        assert found.state is QualityState.PASS
        assert found.figures["area_pct"] < 0.5

    def test_it_may_never_ask_for_another_scan_by_itself(self) -> None:
        assert self.check.basis is Basis.MODEL
        assert [rule.rescan for rule in DEFAULT.rules if rule.check == self.check.id] == [None]

    def test_the_very_model_is_named(self) -> None:
        model = self.found(tissue(700, 900)).model
        assert model is not None
        assert model.sha256 == hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()

    def test_without_torch_it_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "torch", None)
        found = self.found(tissue(700, 900))
        assert (found.state, found.reason) == (QualityState.NOT_EVALUATED, "torch_missing")


class TestFold(ArtefactContract):
    check = Fold


class TestBubble(ArtefactContract):
    check = Bubble


class TestDust(ArtefactContract):
    check = Dust


def test_three_checks_together_say_what_each_says_alone() -> None:
    view = slide_view(with_artefact("fold")[0], 1.0)
    together = assess(view, [check() for check in ALL], DEFAULT)
    apart = [assess(view, [check()], DEFAULT).findings[0] for check in ALL]
    assert [at.figures for at in together.findings] == [at.figures for at in apart]


def test_a_field_that_another_check_has_seen_is_not_looked_at_again() -> None:
    view = slide_view(tissue(300, 300), 1.0)
    shared = artefact_map(view)
    for seen in fields(view):
        shared.see(seen)
        before = shared.found.copy()
        shared.see(replace(seen, pixels=np.zeros_like(seen.pixels)))
        assert not np.isnan(before).all()
        assert np.array_equal(before, shared.found, equal_nan=True)


def test_checks_of_one_run_share_a_map_and_the_next_run_has_its_own() -> None:
    view = slide_view(tissue(300, 300), 1.0)
    first = artefact_map(view)
    assert artefact_map(view) is first
    for seen in fields(view):
        first.see(seen)
    assert not np.isnan(first.found).all()
    del first
    assert np.isnan(artefact_map(view).found).all()


@pytest.mark.parametrize("um", [0.6, 1.1])
def test_pixels_of_another_size_give_the_same_place(um: float) -> None:
    pixels, covered = with_artefact("fold")
    side = round(1024 / um)
    scaled = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_LINEAR)
    view = slide_view(scaled, um)
    drawn = assess(view, [Fold()], DEFAULT).maps["fold.area"]
    rows, columns = np.nonzero(np.nan_to_num(drawn.values) > 0)
    y, x = np.nonzero(covered)
    scale = drawn.cell * um
    assert (rows.mean() + 0.5) * scale == pytest.approx(y.mean(), abs=40)
    assert (columns.mean() + 0.5) * scale == pytest.approx(x.mean(), abs=40)


def test_weights_that_are_not_those_of_the_card_are_refused(tmp_path: Path) -> None:
    weights = tmp_path / WEIGHTS.name
    data = bytearray(WEIGHTS.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    shutil.copy(CARD, weights.with_suffix(".json"))
    with pytest.raises(Damaged, match="install again"):
        trained(weights)


def test_the_weights_are_small_and_their_card_names_every_source() -> None:
    assert WEIGHTS.stat().st_size < MB
    told = json.loads(CARD.read_text())
    card = WEIGHTS.with_suffix(".md").read_text()
    assert told["sha256"] in card
    for source in SOURCES:
        assert source.sha256 in card
        assert source.licence in card
    for name, threshold in told["thresholds"].items():
        assert f"{name} {threshold:g}" in card


def test_training_learns_and_is_the_same_twice() -> None:
    images = [Read(SOURCES[0], tissue(600, 600, seed), 1.0) for seed in (1, 2)]
    runs = [train(Patches(images), Plan(steps=14, batch=3), 0) for _ in range(2)]
    digests = [hashlib.sha256(save(network.state_dict())).hexdigest() for network, _ in runs]
    assert digests[0] == digests[1]
    losses = runs[0][1]
    assert np.mean(losses[-4:]) < 0.7 * np.mean(losses[:4])


def test_another_file_under_the_name_of_a_source_is_refused(tmp_path: Path) -> None:
    first = next(source for source in SOURCES if source.learn is not None)
    (tmp_path / first.path).parent.mkdir()
    (tmp_path / first.path).write_bytes(b"another file")
    with pytest.raises(Damaged, match="SHA-256"):
        read(tmp_path, "learn")


def test_every_artefact_lies_where_it_is_said_to_lie() -> None:
    """Outside the truth, and what it blurs around, nothing has changed; inside it has."""
    given = density(tissue(256, 256))
    for draw in (synthesis.fold, synthesis.bubble, synthesis.dust):
        changed, where = draw(given, synthesis.LEARNT, np.random.default_rng(11))
        difference = np.abs(changed - given).max(axis=2)
        assert where.max() > 0.9
        assert difference[where > 0.9].mean() > 3 * difference[where == 0].mean()
