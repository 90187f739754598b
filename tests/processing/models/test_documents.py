"""Manifest and card: what is wrong is named by its field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processing.models.documents import read_card, read_manifest
from storage.errors import Malformed

SHA = "a" * 64
MANIFEST = f"""
name: fold-net
version: 1.0.0
task: folds
format: safetensors
sha256: {SHA}
licence: Apache-2.0
architecture: conv_heads
parameters: {{width: 16}}
input: {{mpp: 1.0, tile: 256, halo: 32, multiple: 8}}
outputs:
  - {{name: fold, classes: [fold], unit: probability, activation: sigmoid, stride: 8}}
stains: [he]
"""
CARD = f"""
version: 1.0.0
sha256: {SHA}
intended_use: marks folds
training_data: [{{name: atlas, licence: MIT, slides: 12}}]
metrics: [{{name: auroc, scanner: AT2, stain: he, n: 337, value: 0.96, low: 0.93, high: 0.98}}]
known_failures: [red pen]
limits: [synthetic folds alone]
contact: lab@example.org
"""


def test_a_card_and_a_manifest_in_yaml_are_read() -> None:
    manifest = read_manifest(MANIFEST)
    assert manifest.input.tile == 256
    assert read_card(CARD, manifest).metrics[0].n == 337


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("mpp: 1.0", "mpp: fine", "$.input.mpp"),
        ("mpp: 1.0, ", "", "$.input.mpp"),
        ("mpp: 1.0", "mpp: 0.01", "input.mpp"),
        ("halo: 32", "halo: 127", "input.halo"),
        ("tile: 256", "tile: 250", "input.tile"),
        ("stride: 8", "stride: 7", "outputs[0].stride"),
        ("classes: [fold]", "classes: []", "outputs[0].classes"),
        ("classes: [fold]", "classes: ['../x']", "outputs[0].classes"),
        ("activation: sigmoid", "activation: relu", "$.outputs[0].activation"),
        ("conv_heads", "os.system", "architecture"),
        ("name: fold-net", "name: ../x", "name"),
        (SHA, "abc", "sha256"),
        ("format: safetensors", "format: pickle", "$.format"),
        ("stains: [he]", "stains: [he]\nextra: 1", "extra"),
        ("licence: Apache-2.0", "licence: ' '", "licence"),
    ],
)
def test_a_wrong_field_is_named(old: str, new: str, field: str) -> None:
    with pytest.raises(Malformed) as wrong:
        read_manifest(changed(MANIFEST, old, new))
    assert field in str(wrong.value)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (SHA, "b" * 64, "sha256"),
        ("known_failures: [red pen]", "known_failures: []", "known_failures"),
        ("low: 0.93", "low: 0.97", "metrics[0]"),
        ("n: 337, ", "", "$.metrics[0].n"),
        ("contact: lab@example.org", "contact: ''", "contact"),
    ],
)
def test_a_card_that_says_nothing_is_refused(old: str, new: str, field: str) -> None:
    with pytest.raises(Malformed) as wrong:
        read_card(changed(CARD, old, new), read_manifest(MANIFEST))
    assert field in str(wrong.value)


@pytest.mark.parametrize("text", ["", "[1]", "{", "!!python/object/apply:os.system ['true']"])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_manifest(text)


def test_json_will_do() -> None:
    plain: dict[str, Any] = {
        "name": "x1", "version": "1", "task": "t", "format": "pt2", "sha256": SHA, "licence": "MIT",
        "input": {"mpp": 0.5, "tile": 128, "halo": 0}, "stains": [],
        "outputs": [{"name": "a", "classes": ["b"], "unit": "1", "activation": "none"}],
    }  # fmt: skip
    assert read_manifest(json.dumps(plain)).outputs[0].stride == 0
