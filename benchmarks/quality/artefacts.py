"""Pens, edges of the coverslip and scratches: how much is found, how much is seen in vain.

    python -m benchmarks.quality.artefacts [--trials N] [--pictures FOLDER] [--record]

Real masks are HistoQC's (SVARTID_TEST_SLIDES, else ../shared/slides). A colour of pen is measured
twice: with the rule as it is, and with thresholds chosen on the other colours alone. Intervals: of
areas, from 1000 draws of blocks of 64 pixels of the one picture (so they say nothing of other
pens); of counts, Wilson's, 95 %. Scratches are put into real tissue. The pictures
without ink are those the rule's polygon of stains was drawn around: no independent test.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.measure import machine, record
from benchmarks.quality.artefact_pictures import Mask, Picture, clean, masked
from benchmarks.quality.artefact_scratches import scratched
from processing.quality import pen_rule
from processing.quality.coverslip import edges, over_tissue_mm
from processing.quality.long_lines import drawn_lines
from processing.quality.pen_rule import CLASSES, PenRule
from processing.quality.scratch import scratches
from storage.records.proportion import wilson

_BLOCK, _DRAWS, _NEAR = 64, 1000, 13
_TIED = 0.002
_MOST_FALSE = 0.2
"""Per cent of a picture without ink; thresholds that find more are not chosen."""
_SCRATCHED = "giardia-HE-20x", "BS25-CHR-IHC-10x", "les3"
_KINDS = tuple(product(("light", "dark"), (12.0, 20.0, 40.0)))
_GREEN, _RED, _BLUE = (0, 150, 0), (220, 0, 0), (0, 0, 220)


def main() -> int:
    """Measure, print, and write if asked to."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    options.add_argument("--trials", type=int, default=40)
    options.add_argument("--pictures", type=Path, default=Path("build/quality"))
    options.add_argument("--record", action="store_true")
    asked = options.parse_args()
    here = Path(__file__).resolve().parents[2].parent / "shared" / "slides"
    folder = Path(os.environ.get("SVARTID_TEST_SLIDES") or here)
    asked.pictures.mkdir(parents=True, exist_ok=True)
    without = list(clean(folder))
    document = {
        "machine": machine(),
        "scale": "of HistoQC's pictures estimated from the width of strokes",
        "pen": pens(list(masked(folder, "pen")), without, asked.pictures),
        "coverslip": coverslips(list(masked(folder, "coverslip")), without, asked.pictures),
        "scratch": knives(without, asked.trials),
        "cpu_s": cost(without),
    }
    for name, figures in document.items():
        print(name, figures)
    if asked.record:
        print(record("quality-artefacts", document))
    return 0


def pens(inked: Sequence[Picture], without: Sequence[Picture], out: Path) -> dict[str, Any]:
    """Dice of each colour, also with thresholds that never saw it; false area of clean ones."""
    grid = [
        replace(pen_rule.RULE, outside=far, density=sure, density_faint=faint)
        for far, sure, faint in product((0.03, 0.04, 0.05), (0.5, 0.6), (0.25, 0.3, 0.35))
    ]
    scores = [[_dice(_found(at, rule), _drawn(at)) for at in inked] for rule in grid]
    false = [max(_false_pct(at, rule) for at in without) for rule in grid]
    told: dict[str, Any] = {}
    for number, picture in enumerate(inked):
        others = [
            (sum(score[at] for at in range(len(inked)) if at != number), -at_rule)
            for at_rule, score in enumerate(scores)
            if false[at_rule] < _MOST_FALSE
        ]
        best = max(others)[0]
        tied = [scores[-at][number] for score, at in others if score > best - _TIED]
        found = _found(picture, pen_rule.RULE)
        # The others may not tell settings apart that this colour does: then it is a range.
        told[picture.name] = _agreement(found, _drawn(picture)) | {
            "dice_chosen_without_it": [round(min(tied), 3), round(max(tied), 3)],
            "settings_tied": len(tied),
        }
        _draw(out / f"{picture.name}.png", picture, found)
    areas = {at.name: round(_false_pct(at, pen_rule.RULE), 3) for at in without}
    told["false_area_pct"] = {"worst": max(areas.values()), "pictures": areas}
    return told


def coverslips(edged: Sequence[Picture], without: Sequence[Picture], out: Path) -> dict[str, Any]:
    """Agreement with the masks; how many clean pictures have an edge over tissue."""
    told: dict[str, Any] = {}
    for picture in edged:
        tissue = picture.tissue
        lines = edges(tissue, picture.um)
        found = drawn_lines(lines, picture.pixels.shape)
        told[picture.name] = _agreement(found, _drawn(picture)) | {
            "lines": len(lines),
            "over_tissue_mm": round(over_tissue_mm(lines, tissue, picture.um), 2),
        }
        _draw(out / f"{picture.name}.png", picture, found)
    alarms = [_edge_alarm(at) for at in without]
    told["false_alarms"] = _count(sum(alarms), len(alarms))
    return told


def knives(without: Sequence[Picture], trials: int) -> dict[str, Any]:
    """Scratches found by kind and width; alarms on the same pictures and on all as they came."""
    told: dict[str, Any] = {}
    tissue = [at for at in without if any(word in at.name for word in _SCRATCHED)]
    for kind in _KINDS:
        random, hits, of = np.random.default_rng(7), 0, 0
        for number in range(trials):
            picture = tissue[number % len(tissue)]
            made = scratched(picture, picture.tissue, kind, random)
            if made is None:
                continue
            lines = scratches(made.picture.tissue, made.picture.um)
            near = _wide(drawn_lines(lines, made.line.shape))
            hits, of = hits + bool((made.line & near).sum() > 0.5 * made.line.sum()), of + 1
        told[f"{kind[0]} {kind[1]:g} um"] = _count(hits, of)
    alarms = [bool(scratches(at.tissue, at.um)) for at in without]
    told["false_alarms"] = _count(sum(alarms), len(alarms))
    told["alarmed"] = [at.name for at, alarm in zip(without, alarms, strict=True) if alarm]
    return told


def cost(without: Sequence[Picture]) -> dict[str, float]:
    """CPU seconds of each check on an overview of 1250 x 938 pixels: 40,000 x 30,000 at 0.25 µm."""
    source = next(at for at in without if "giardia-HE-20x" in at.name)
    tiled = np.tile(source.pixels, (2, 1, 1))[:938, :1250]
    tissue = Picture("cost", np.ascontiguousarray(tiled), 8.0).tissue
    told = {}
    for name, work in (
        ("pen", lambda: pen_rule.find_pen(tissue.overview, tissue.background, 8.0)),
        ("coverslip", lambda: over_tissue_mm(edges(tissue, 8.0), tissue, 8.0)),
        ("scratch", lambda: scratches(tissue, 8.0)),
    ):
        began = time.process_time()
        work()
        told[name] = round(time.process_time() - began, 2)
    return told


def _found(picture: Picture, rule: PenRule) -> Mask:
    pen = pen_rule.find_pen(picture.pixels, picture.tissue.background, picture.um, rule)
    colour = CLASSES.index(picture.name.removeprefix("pen_")) + 1
    return np.asarray(pen == colour)


def _false_pct(picture: Picture, rule: PenRule) -> float:
    pen = pen_rule.find_pen(picture.pixels, picture.tissue.background, picture.um, rule)
    return 100 * float((pen > 0).mean())


def _edge_alarm(picture: Picture) -> bool:
    tissue = picture.tissue
    return over_tissue_mm(edges(tissue, picture.um), tissue, picture.um) > 0


def _drawn(picture: Picture) -> Mask:
    if picture.drawn is None:
        raise ValueError(f"{picture.name} has no mask")
    return picture.drawn


def _dice(found: Mask, drawn: Mask) -> float:
    return 2 * float((found & drawn).sum()) / max(float(found.sum() + drawn.sum()), 1.0)


def _wide(mask: Mask) -> Mask:
    return cv2.dilate(mask.astype(np.uint8), np.ones((_NEAR, _NEAR), np.uint8)) > 0


def _agreement(found: Mask, drawn: Mask) -> dict[str, Any]:
    """Pixel for pixel, and within 6 pixels: people do not draw to the pixel."""
    both, near = found & drawn, found & _wide(drawn)
    blocks = np.array([[at.sum() for at in _blocks(mask)] for mask in (both, found, drawn)])
    random = np.random.default_rng(1)
    draws = [
        blocks[:, random.integers(0, blocks.shape[1], blocks.shape[1])].sum(axis=1)
        for _ in range(_DRAWS)
    ]
    dices = [2 * one / max(two + three, 1) for one, two, three in draws]
    return {
        "dice": round(_dice(found, drawn), 3),
        "dice_95": [round(float(at), 3) for at in np.percentile(dices, (2.5, 97.5))],
        "precision": round(float(both.sum() / max(found.sum(), 1)), 3),
        "recall": round(float(both.sum() / drawn.sum()), 3),
        "precision_6px": round(float(near.sum() / max(found.sum(), 1)), 3),
        "recall_6px": round(float((drawn & _wide(found)).sum() / drawn.sum()), 3),
    }


def _blocks(mask: Mask) -> Iterator[Mask]:
    for row in range(0, mask.shape[0], _BLOCK):
        for column in range(0, mask.shape[1], _BLOCK):
            yield mask[row : row + _BLOCK, column : column + _BLOCK]


def _count(found: int, of: int) -> dict[str, Any]:
    return {"found": found, "of": of, "wilson95": [round(at, 3) for at in wilson(found, of)[1:]]}


def _draw(path: Path, picture: Picture, found: Mask) -> None:
    """Beside the picture: both in green, only people red, only the rule blue."""
    drawn = _drawn(picture)
    shown = (picture.pixels // 2 + 120).astype(np.uint8)
    shown[found & drawn], shown[drawn & ~found], shown[found & ~drawn] = _GREEN, _RED, _BLUE
    both = np.hstack([picture.pixels, shown])[..., ::-1]
    cv2.imwrite(str(path), np.ascontiguousarray(both))


if __name__ == "__main__":
    raise SystemExit(main())
