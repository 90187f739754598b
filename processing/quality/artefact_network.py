"""The network that finds folds, bubbles and dust: architecture, weights, one forward pass.

Input: optical density of RGB at about 1 µm a pixel. Output: a probability per class for every
8 x 8 pixels. Trained by `processing.quality.training.artefacts`; the card lies beside the weights.
Torch is imported here and in training only; who may be without it loads this file by name.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors
from torch import nn

from processing.jpeg import Pixels
from processing.quality.device import device
from storage.errors import Damaged

CLASSES = ("fold", "bubble", "dust")
STRIDE = 8
MODEL, VERSION = "artefacts", "1.0.0"
WEIGHTS = Path(__file__).parent / "models" / "artefacts.safetensors"
CARD = WEIGHTS.with_suffix(".json")
"""SHA-256 of the weights and the threshold of each class, written by training."""
_WIDTH, _DILATIONS = 40, (1, 2, 4, 8)
_THREADS = 1
"""Two are no sooner on a machine that is busy: they wait for each other."""


def _step(inside: int, outside: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inside, outside, 3, stride, dilation, dilation, bias=False)
    return [convolution, nn.BatchNorm2d(outside), nn.ReLU()]


class ArtefactNetwork(nn.Module):
    """Three halvings, then dilated steps that see some 120 µm around."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *_step(3, 16, 2), *_step(16, 24, 2), *_step(24, 24), *_step(24, _WIDTH, 2)
        )
        self.around = nn.ModuleList(
            nn.Sequential(*_step(_WIDTH, _WIDTH, 1, dilation)) for dilation in _DILATIONS
        )
        self.head = nn.Conv2d(_WIDTH, len(CLASSES), 1)

    def forward(self, density: torch.Tensor) -> torch.Tensor:
        """Logits [batch, class, row, column] of density [batch, 3, row, column]."""
        found = self.stem(density)
        for step in self.around:
            found = found + step(found)
        logits: torch.Tensor = self.head(found)
        return logits


def density(pixels: Pixels) -> NDArray[np.float32]:
    """Decadic optical density against full white, [..., 3]."""
    return _DENSITY[pixels]


_DENSITY: NDArray[np.float32] = (-np.log10((np.arange(256) + 1) / 256)).astype(np.float32)


class Trained:
    """Weights with their digest and thresholds, ready to run; not trained further."""

    version = VERSION

    def __init__(
        self, network: ArtefactNetwork, sha256: str, thresholds: tuple[float, ...]
    ) -> None:
        self.sha256, self.thresholds = sha256, thresholds
        self._where = device()
        self._network = network.eval().to(self._where)
        for weights in self._network.parameters():
            if weights.ndim == 4:  # a third faster on a CPU
                weights.data = weights.data.to(memory_format=torch.channels_last)

    def probabilities(self, pixels: Pixels) -> NDArray[np.float32]:
        """[class, row, column] of every 8 x 8 pixels of RGB [row, column, 3], the last ones cut.

        Sides that are no multiple of 8 are filled up with what lies at the edge.
        """
        height, width = pixels.shape[:2]
        fill = ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0))
        filled = np.pad(pixels, fill, mode="edge")
        with torch.inference_mode():
            given = torch.from_numpy(density(filled)).permute(2, 0, 1)[None].to(self._where)
            found: NDArray[np.float32] = torch.sigmoid(self._network(given))[0].cpu().numpy()
        return found


@cache
def trained(weights: Path = WEIGHTS) -> Trained:
    """The weights of the file. Errors: Damaged where they are not those of the card."""
    told = json.loads(weights.with_suffix(".json").read_text())
    data = weights.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != told["sha256"]:
        raise Damaged(f"{weights.name} is not the file its card describes; install again")
    torch.set_num_threads(min(torch.get_num_threads(), _THREADS))
    network = ArtefactNetwork()
    network.load_state_dict(load_tensors(data))
    return Trained(network, sha256, tuple(told["thresholds"][name] for name in CLASSES))


def parameters(network: nn.Module) -> int:
    """How many numbers it learns."""
    return sum(at.numel() for at in network.parameters())
