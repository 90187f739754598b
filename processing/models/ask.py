"""How a model is asked, wherever it runs: [n, 3, height, width] in, named arrays out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.records.models import Activation, Manifest, ModelInput, ModelOutput

Patches = NDArray[np.float32]
Answers = dict[str, NDArray[np.float32]]
Ask = Callable[[Patches], Answers]


def expected_shapes(manifest: Manifest, shape: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """The shapes that patches of [n, 3, height, width] are to be answered with."""
    count, _, height, width = shape
    return {
        at.name: (count, len(at.classes), height // at.stride, width // at.stride)
        if at.stride
        else (count, len(at.classes))
        for at in manifest.outputs
    }


def prepared(pixels: NDArray[np.uint8], given: ModelInput) -> Patches:
    """RGB [n, row, column, 3] as the network wants it: [n, 3, row, column]."""
    low, high = given.range
    scaled: Any = np.float32(low) + pixels.astype(np.float32) * np.float32((high - low) / 255)
    scaled = (scaled - np.array(given.mean, np.float32)) / np.array(given.std, np.float32)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), np.float32)


def activated(answer: NDArray[np.float32], output: ModelOutput) -> NDArray[np.float32]:
    """What the manifest says is to be done to an answer; classes are axis 1."""
    made: Any = answer
    if output.activation is Activation.SIGMOID:
        made = np.reciprocal(1 + np.exp(-np.clip(answer, -60, 60)))
    elif output.activation is Activation.SOFTMAX:
        raised = np.exp(answer - answer.max(axis=1, keepdims=True))
        made = raised / raised.sum(axis=1, keepdims=True)
    plain: NDArray[np.float32] = np.asarray(made, np.float32)
    return plain
