"""The process a model lives in: `python -m flows.model_worker MEMORY SECONDS KIND`.

It knows no path, no database and no setting. It imports what it needs, closes the box, says what
holds, and only then is handed the model, through its pipe; after that patches come and answers go.
A frame is the length of a line of JSON, that line, and as many bytes as its `bytes` says.
"""

from __future__ import annotations

import io
import json
import os
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
import torch
from safetensors.torch import load as load_tensors

from flows.model_box import enter
from processing.models.registry import ARCHITECTURES
from storage.on_demand import load
from storage.records.models import ModelFormat

LENGTH = struct.Struct(">I")
_EXPORTED = "torch.export:load"
_NEEDED = ("torch.export.pt2_archive._package:load_pt2", "torch._inductor.cpp_builder:os")
Forward = Callable[[torch.Tensor], dict[str, torch.Tensor]]


def main() -> int:
    """Serve until the pipe closes."""
    memory, seconds, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what a library prints is no answer
    os.close(nowhere)
    torch.set_num_threads(1)
    for name in _NEEDED if kind == ModelFormat.PT2 else ARCHITECTURES.values():
        load(name)
    _tell(answers, {"held": enter(memory, seconds)})
    given, forward = sys.stdin.buffer, None
    while (asked := take(given)) is not None:
        about, data = asked
        try:
            if forward is None:
                forward = _loaded(about, data)
                _tell(answers, {"loaded": True})
            else:
                _answer(forward, about, data, answers)
        except (MemoryError, RecursionError, Exception) as error:
            _tell(answers, {"error": type(error).__name__})
    return 0


def take(given: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next frame; None at the end."""
    head = given.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    about = json.loads(given.read(LENGTH.unpack(head)[0]))
    return about, given.read(about.get("bytes", 0))


def frame(about: dict[str, Any], data: bytes = b"") -> bytes:
    """A frame as it goes through a pipe."""
    line = json.dumps(about | {"bytes": len(data)}).encode()
    return LENGTH.pack(len(line)) + line + data


def _tell(answers: BinaryIO, about: dict[str, Any], data: bytes = b"") -> None:
    whole = memoryview(frame(about, data))
    while whole:
        whole = whole[answers.write(whole) :]


def _loaded(about: dict[str, Any], data: bytes) -> Forward:
    """The network; whatever this runs, runs in the box."""
    if about["kind"] == ModelFormat.PT2:
        exported: Forward = load(_EXPORTED)(io.BytesIO(data)).module()
        return exported
    network = load(ARCHITECTURES[about["architecture"]])(about["heads"], **about["parameters"])
    network.load_state_dict(load_tensors(data), strict=True)
    network.eval()
    forward: Forward = network
    return forward


def _answer(forward: Forward, about: dict[str, Any], data: bytes, answers: BinaryIO) -> None:
    patches = torch.from_numpy(np.frombuffer(data, np.float32).reshape(about["shape"]).copy())
    with torch.inference_mode():
        made = forward(patches)
    arrays = {
        name: np.ascontiguousarray(value.detach().numpy(), np.float32)
        for name, value in made.items()
    }
    shapes = [[name, list(at.shape)] for name, at in arrays.items()]
    _tell(answers, {"made": shapes}, b"".join(at.tobytes() for at in arrays.values()))


if __name__ == "__main__":
    raise SystemExit(main())
