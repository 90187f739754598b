"""The network that turns what a cell shows into µm: small enough for plain NumPy.

Its weights lie beside it (`models/focus.safetensors`, made by `processing.quality.training.focus`),
named here by SHA-256; anything else is refused. Neither torch nor a card is needed to ask it, so it
says the same everywhere.
Source of the format: https://github.com/huggingface/safetensors (8 bytes length, JSON, raw arrays).
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing.quality.focus_features import NAMES
from storage.errors import StoreDamaged
from storage.records.quality import ModelRef

Array = NDArray[np.float32]
MODEL = Path(__file__).parent / "models" / "focus.safetensors"
SHA256 = "5296276b6e741364a32ac1a7163f3f9ba5e5773f5223a6e1d68036098b1fca6b"
REF = ModelRef("focus-mlp", "1", SHA256)
_MOST_BYTES = 2**20
_FAR = 6.0
"""Standard deviations beyond which a feature says no more than at them."""
MOST_UM = 12.0


@dataclass(frozen=True, slots=True)
class FocusModel:
    """Layers in order: weight [outputs, inputs] and bias."""

    middle: Array
    spread: Array
    layers: tuple[tuple[Array, Array], ...]

    def radius(self, seen: Array) -> Array:
        """µm of blur, [...], of features [..., len(NAMES)]."""
        now = np.clip((seen - self.middle) / self.spread, -_FAR, _FAR).astype(np.float32)
        for number, (weight, bias) in enumerate(self.layers):
            now = now @ weight.T + bias
            if number < len(self.layers) - 1:
                now = now / (1 + np.exp(-now))
        radius: Array = np.clip(np.exp2(now[..., 0]) - 1, 0, MOST_UM).astype(np.float32)
        return radius


@cache
def focus_model() -> FocusModel:
    """The one that comes with svartid. Errors: StoreDamaged."""
    data = MODEL.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise StoreDamaged("the focus model is not the one this version was released with")
    return from_arrays(read_safetensors(data))


def from_arrays(arrays: dict[str, Array]) -> FocusModel:
    """By the names that training gives them. Errors: StoreDamaged for other features."""
    if len(arrays["middle"]) != len(NAMES):
        raise StoreDamaged("the focus model was trained on other features")
    depth = sum(name.endswith(".weight") for name in arrays)
    layers = tuple((arrays[f"{i}.weight"], arrays[f"{i}.bias"]) for i in range(depth))
    return FocusModel(arrays["middle"], arrays["spread"], layers)


def read_safetensors(data: bytes) -> dict[str, Array]:
    """Arrays of 32-bit floats by name. Errors: StoreDamaged."""
    try:
        (length,) = struct.unpack_from("<Q", data)
        if len(data) > _MOST_BYTES or length > len(data) - 8:
            raise ValueError
        header = json.loads(data[8 : 8 + length])
        return {
            name: _array(data[8 + length :], told)
            for name, told in header.items()
            if name != "__metadata__"
        }
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreDamaged("this is no safetensors file of 32-bit floats") from error


def _array(raw: bytes, told: dict[str, Any]) -> Array:
    if told["dtype"] != "F32":
        raise ValueError
    begin, end = told["data_offsets"]
    found: Array = np.frombuffer(raw[begin:end], "<f4").reshape(told["shape"])
    return found
