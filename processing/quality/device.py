"""Where a network runs: the one place that chooses, so that all models of a run choose alike.

torch is optional (the extra `torch`) and heavy: it is named as text and loaded on first use. A
CUDA card computes the same within tolerance, only sooner; `CUDA_VISIBLE_DEVICES=` hides it.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from storage.on_demand import load

CPU, CUDA = "cpu", "cuda"


def torch_installed() -> bool:
    """Whether there is a torch to be loaded; without one a check is `torch_missing`."""
    return find_spec("torch") is not None and find_spec("safetensors") is not None


@cache
def device() -> str:
    """`cuda` where a card answers, else `cpu`; for `torch.device` and `Tensor.to`.

    A card that is named but cannot compute (driver too old, memory taken) is passed over.
    Errors: ImportError without torch.
    """
    if not load("torch:cuda").is_available():
        return CPU
    try:
        load("torch:zeros")(1, device=CUDA)
    except RuntimeError:
        return CPU
    return CUDA
