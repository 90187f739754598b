"""Manifest and card as they come with a model: YAML or JSON, every wrong field named."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any, TypeVar

import yaml

from processing.models.registry import ARCHITECTURES
from storage.errors import Malformed
from storage.exchange.plain import from_plain
from storage.records.models import Card, Manifest, ModelFormat, ModelInput, ModelOutput

T = TypeVar("T", Manifest, Card)
_MOST_BYTES = 256 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{1,39}")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,19}")
_WORD = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_TILE, _MOST_CLASSES = 2048, 32


def read_manifest(text: str) -> Manifest:
    """A manifest that can be run. Errors: Malformed, naming the field."""
    manifest = _read(Manifest, text)
    _name_fields(manifest)
    _input_fields(manifest.input)
    if not 1 <= len(manifest.outputs) <= 8:
        raise _wrong("outputs", "has one to eight entries")
    if len({at.name for at in manifest.outputs}) < len(manifest.outputs):
        raise _wrong("outputs", "has a name twice")
    for number, output in enumerate(manifest.outputs):
        _output_fields(output, manifest.input, f"outputs[{number}]")
    return manifest


def read_card(text: str, manifest: Manifest) -> Card:
    """The card of that model. Errors: Malformed, naming the field."""
    card = _read(Card, text, "Card")
    if card.sha256 != manifest.sha256:
        raise Malformed("Card: sha256 is not that of the manifest")
    if card.version != manifest.version:
        raise Malformed("Card: version is not that of the manifest")
    for name in ("intended_use", "contact"):
        if not getattr(card, name).strip():
            raise Malformed(f"Card: {name} is empty")
    for name in ("training_data", "known_failures", "limits"):
        if not getattr(card, name):
            raise Malformed(f"Card: {name} says nothing; say so in words if there is nothing")
    for number, at in enumerate(card.metrics):
        if at.n < 1 or not at.low <= at.value <= at.high:
            raise Malformed(f"Card: metrics[{number}] needs n, and low <= value <= high")
    return card


def _read(kind: type[T], text: str, name: str = "Manifest") -> T:
    if len(text) > _MOST_BYTES:
        raise Malformed(f"{name}: longer than {_MOST_BYTES} characters")
    try:
        document: Any = yaml.safe_load(text)  # JSON is YAML too
        plain = json.loads(json.dumps(document, default=str))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Malformed(f"{name}: neither YAML nor JSON: {type(error).__name__}") from error
    if not isinstance(plain, dict):
        raise Malformed(f"{name}: named fields are expected")
    unknown = sorted(set(plain) - {at.name for at in dataclasses.fields(kind)})
    if unknown:
        raise Malformed(f"{name}: there is no field {', '.join(unknown)}")
    return from_plain(kind, plain)


def _name_fields(manifest: Manifest) -> None:
    for field, pattern in (("name", _NAME), ("version", _VERSION), ("sha256", _SHA256)):
        if not pattern.fullmatch(getattr(manifest, field)):
            raise _wrong(field, f"matches {pattern.pattern}")
    for field in ("task", "licence"):
        if not getattr(manifest, field).strip():
            raise _wrong(field, "is empty")
    if manifest.format is ModelFormat.SAFETENSORS and manifest.architecture not in ARCHITECTURES:
        raise _wrong("architecture", "is one of " + ", ".join(ARCHITECTURES))
    if manifest.format is ModelFormat.PT2 and (manifest.architecture or manifest.parameters):
        raise _wrong("architecture", "belongs to safetensors; a .pt2 brings its own")


def _input_fields(at: ModelInput) -> None:
    if not 0.1 <= at.mpp <= 32:
        raise _wrong("input.mpp", "lies between 0.1 and 32 µm per pixel")
    if not 1 <= at.multiple <= 64:
        raise _wrong("input.multiple", "lies between 1 and 64")
    if not 16 <= at.tile <= _MOST_TILE or at.tile % at.multiple:
        raise _wrong("input.tile", f"is a multiple of input.multiple, 16 to {_MOST_TILE}")
    core = at.tile - 2 * at.halo
    if at.halo < 0 or core < 1 or core % at.multiple:
        raise _wrong("input.halo", "leaves a middle that is a multiple of input.multiple")
    if not all(0 < value < 1e6 for value in at.std):
        raise _wrong("input.std", "is above 0")
    if at.range[0] >= at.range[1]:
        raise _wrong("input.range", "is (low, high)")
    if at.colour != "rgb":
        raise _wrong("input.colour", "is rgb")


def _output_fields(at: ModelOutput, given: ModelInput, where: str) -> None:
    if not _WORD.fullmatch(at.name):
        raise _wrong(f"{where}.name", f"matches {_WORD.pattern}")
    if not 1 <= len(at.classes) <= _MOST_CLASSES or not all(map(_WORD.fullmatch, at.classes)):
        raise _wrong(f"{where}.classes", f"are 1 to {_MOST_CLASSES} words")
    if not at.unit.strip():
        raise _wrong(f"{where}.unit", "is empty")
    if at.stride < 0 or (at.stride and (given.tile % at.stride or given.halo % at.stride)):
        raise _wrong(f"{where}.stride", "divides input.tile and input.halo")


def _wrong(field: str, rule: str) -> Malformed:
    return Malformed(f"Manifest: {field} {rule}")
