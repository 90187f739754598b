"""What a model has to show before it may rise: pure measuring of what it answers to made patches.

Shapes are held against the manifest by whoever asks; what is asked here is whether the answers
are numbers, the same every time, and the same however patches are cut.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.models.ask import Answers, Ask, Patches, activated, prepared
from storage.errors import Refused
from storage.records.models import Activation, AdmissionTest, Manifest, ModelOutput

TOLERANCE = 1e-4
SECONDS_PER_MEGAPIXEL = 10.0
MOST_MEMORY = 2 * 2**30
_COUNT = 4


@dataclass(slots=True)
class _Trial:
    """One model before the tests; the whole ends when it fails to answer."""

    manifest: Manifest
    ask: Ask
    seconds: float = 0.0
    pixels: int = 0

    def __call__(self, pixels: NDArray[np.uint8]) -> Answers:
        began = time.perf_counter()
        patches: Patches = prepared(pixels, self.manifest.input)
        answers = self.ask(patches)
        self.seconds += time.perf_counter() - began
        self.pixels += int(np.prod(pixels.shape[:3]))
        return {at.name: activated(answers[at.name], at) for at in self.manifest.outputs}


def examine(
    manifest: Manifest, ask: Ask, peak_bytes: Callable[[], int]
) -> tuple[AdmissionTest, ...]:
    """All tests; the first the model does not live through is the last. Pure but for `ask`."""
    trial, done = _Trial(manifest, ask), []
    for name, test in _TESTS.items():
        try:
            done.append(test(trial))
        except Refused as error:  # an answer of another shape, none in time, or a death
            return (*done, AdmissionTest(name, False, None, None, str(error)))
    memory = peak_bytes()
    per = trial.seconds / max(trial.pixels / 1e6, 1e-9)
    return (
        *done,
        AdmissionTest(
            "time", per <= SECONDS_PER_MEGAPIXEL, round(per, 3), SECONDS_PER_MEGAPIXEL, "s/MP"
        ),
        AdmissionTest("memory", 0 < memory <= MOST_MEMORY, memory, MOST_MEMORY, "bytes"),
    )


def _shape(trial: _Trial) -> AdmissionTest:
    trial(_tissue_like(trial.manifest.input.tile)[None])
    return AdmissionTest("shape", True, None, None)


def _finite(trial: _Trial) -> AdmissionTest:
    """Real tissue's colours, glass, black and noise: an answer in range to each."""
    edge, worst = trial.manifest.input.tile, []
    for name, pixels in _made(edge).items():
        answers = trial(pixels[None])
        worst += [name for at in trial.manifest.outputs if not _in_range(answers[at.name], at)]
    told = ", ".join(sorted(set(worst)))
    return AdmissionTest("finite", not worst, len(set(worst)), 0, told)


def _determinism(trial: _Trial) -> AdmissionTest:
    pixels = _several(trial.manifest.input.tile)
    return _close("determinism", _apart(trial(pixels), trial(pixels)), 0.0)


def _batch(trial: _Trial) -> AdmissionTest:
    """The same alone and among others."""
    pixels = _several(trial.manifest.input.tile)
    together = trial(pixels)
    alone = [trial(one[None]) for one in pixels]
    joined = {name: np.concatenate([one[name] for one in alone]) for name in together}
    return _close("batch", _apart(together, joined), TOLERANCE)


def _tiling(trial: _Trial) -> AdmissionTest:
    """What two overlapping patches both answer for, inside their halos, is the same."""
    given = trial.manifest.input
    maps = [at for at in trial.manifest.outputs if at.stride]
    unit = int(np.lcm.reduce([given.multiple, *(at.stride for at in maps)]))
    core = given.tile - 2 * given.halo
    shift = max(core // 2 // unit, 1) * unit
    if not maps or shift >= core:
        return AdmissionTest("tiling", True, None, TOLERANCE, "nothing overlaps")
    field = _tissue_like(given.tile + shift)
    cuts = np.stack([field[: given.tile, : given.tile], field[shift:, shift:]])
    answers, worst = trial(cuts), 0.0
    for at in maps:
        halo, by = given.halo // at.stride, shift // at.stride
        first, second = answers[at.name]
        end = first.shape[-1] - halo
        ours = first[:, halo + by : end, halo + by : end]
        theirs = second[:, halo : end - by, halo : end - by]
        worst = float(np.maximum(worst, _apart({at.name: ours}, {at.name: theirs})))
    return _close("tiling", worst, TOLERANCE)


_TESTS: dict[str, Callable[[_Trial], AdmissionTest]] = {
    "shape": _shape,
    "finite": _finite,
    "determinism": _determinism,
    "batch": _batch,
    "tiling": _tiling,
}


def _close(name: str, apart: float, limit: float) -> AdmissionTest:
    return AdmissionTest(name, bool(apart <= limit), apart if np.isfinite(apart) else None, limit)


def _apart(first: Answers, second: Answers) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        every = [np.abs(first[name] - second[name]).max(initial=0.0) for name in first]
    return float(np.max(every))  # NaN where one of them is


def _in_range(answer: NDArray[np.float32], at: ModelOutput) -> bool:
    if not np.isfinite(answer).all():
        return False
    return at.activation is Activation.NONE or bool(((answer >= 0) & (answer <= 1.0001)).all())


def _made(edge: int) -> dict[str, NDArray[np.uint8]]:
    random = np.random.default_rng(11)
    return {
        "tissue": _tissue_like(edge),
        "glass": np.full((edge, edge, 3), 243, np.uint8),
        "black": np.zeros((edge, edge, 3), np.uint8),
        "white": np.full((edge, edge, 3), 255, np.uint8),
        "noise": random.integers(0, 256, (edge, edge, 3), dtype=np.uint8),
    }


def _several(edge: int) -> NDArray[np.uint8]:
    return np.stack([*_made(edge).values()][:_COUNT])


def _tissue_like(edge: int) -> NDArray[np.uint8]:
    """Structure of all sizes in the colours of a stain."""
    random = np.random.default_rng(7)
    layers = [
        cv2.GaussianBlur(random.normal(0, size, (edge, edge)).astype(np.float32), (0, 0), size)
        for size in (1.0, 4.0, 16.0)
    ]
    field = sum(layers[1:], layers[0])
    field = (field - field.min()) / max(float(np.ptp(field)), 1e-6)
    light, dark = np.array([238, 205, 225], np.float32), np.array([96, 60, 130], np.float32)
    made: NDArray[np.uint8] = (light + (dark - light) * field[..., None]).astype(np.uint8)
    return made
