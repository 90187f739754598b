"""Models made for tests: honest ones, and ones that want out."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load, save

from flows.model_sandbox import Sandbox
from processing.models.architectures import ConvHeads
from processing.models.ask import Answers, Patches
from storage.exchange.plain import to_plain
from storage.records.evidence import Evidence, EvidenceGroup
from storage.records.models import (
    Activation,
    Card,
    Manifest,
    Metric,
    Model,
    ModelFormat,
    ModelInput,
    ModelOutput,
    TrainingData,
)

FOLD = ModelOutput("fold", ("fold",), "probability", Activation.SIGMOID, 8)


@cache
def weights(seed: int = 0) -> bytes:
    """A small network that was never trained: bytes of safetensors."""
    torch.manual_seed(seed)
    return save(ConvHeads({"fold": 1}, 4).state_dict())


def manifest_of(data: bytes, name: str = "fold") -> Manifest:
    return Manifest(
        name, "1.0", "folds of tissue", ModelFormat.SAFETENSORS, hashlib.sha256(data).hexdigest(),
        "MIT", ModelInput(1.0, 128, 32, 8), (FOLD,), (), architecture="conv_heads",
        parameters={"width": 4},
    )  # fmt: skip


def card_of(manifest: Manifest) -> Card:
    return Card(
        manifest.version, manifest.sha256, "marking folds for a technician",
        (TrainingData("made", "CC0", 3),), (Metric("auroc", "S1", "he", 300, 0.9, 0.86, 0.93),),
        ("red pen",), ("never trained",), "lab@example.org",
    )  # fmt: skip


def evidence(slides: int = 300, failures: int = 30, found: int = 27) -> Evidence:
    """Counts that are enough, unless they are told otherwise."""
    return Evidence("the spring's slides, judged by two", (
        EvidenceGroup("S1", "he", slides, failures, found, 9, 0.9, 0.95),
    ))  # fmt: skip


def written(folder: Path, data: bytes, manifest: Manifest) -> list[str]:
    """Files of a model; the arguments of `svartid models add`."""
    folder.mkdir(exist_ok=True)
    (folder / "model").write_bytes(data)
    (folder / "manifest.json").write_text(json.dumps(to_plain(manifest)))
    (folder / "card.json").write_text(json.dumps(to_plain(card_of(manifest))))
    return [
        str(folder / "model"),
        "--manifest", str(folder / "manifest.json"), "--card", str(folder / "card.json"),
    ]  # fmt: skip


class Direct(Sandbox):
    """Weights for `ConvHeads` in this process, without a box: for what does not concern the box."""

    def __enter__(self) -> Self:
        self._network = ConvHeads({"fold": 1}, 4).eval()
        self._network.load_state_dict(load(self._model))
        return self

    def __call__(self, patches: Patches) -> Answers:
        with torch.inference_mode():
            made = self._network(torch.from_numpy(patches))
        return {name: at.numpy() for name, at in made.items()}


def direct(model: Model, data: bytes) -> Sandbox:
    return Direct(model.manifest, data)


class _Doubles(torch.nn.Module):
    def forward(self, patches: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"fold": patches[:, :1, ::8, ::8] * 2}


@cache
def exported() -> bytes:
    """An honest .pt2."""
    any_size = torch.export.Dim.DYNAMIC
    shapes = ({0: any_size, 2: any_size, 3: any_size},)
    made = torch.export.export(_Doubles(), (torch.rand(2, 3, 64, 64),), dynamic_shapes=shapes)
    out = io.BytesIO()
    torch.export.save(made, out)
    return out.getvalue()


def exported_manifest(data: bytes) -> Manifest:
    known = manifest_of(data, "doubles")
    return replace(known, format=ModelFormat.PT2, architecture="", parameters=None)


def with_member(data: bytes, name: str, content: bytes) -> bytes:
    """An archive with a member added or changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        root = source.namelist()[0].partition("/")[0]
        for member in source.namelist():
            if member != f"{root}/{name}":
                target.writestr(member, source.read(member))
        target.writestr(f"{root}/{name}", content)
    return out.getvalue()


class _Runs:
    """Runs code when it is unpickled."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return exec, (self.code, {})


def pickled(code: str) -> bytes:
    return pickle.dumps(_Runs(code), protocol=2)


def running(code: str) -> bytes:
    """A .pt2 whose weights are a pickle that runs code: what the gate has to keep out."""
    config = {"config": {"w": {"path_name": "weight_0", "is_param": False, "use_pickle": True,
                               "tensor_meta": None}}}  # fmt: skip
    out = io.BytesIO()
    torch.save(_Runs(code), out, pickle_protocol=2)
    data = with_member(exported(), "data/weights/weight_0", out.getvalue())
    return with_member(data, "data/weights/model_weights_config.json", json.dumps(config).encode())
