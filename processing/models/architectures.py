"""Small networks that weights may be brought for. Patches in, named maps or vectors out.

Every one takes its sizes from `Sizes` and answers {head: [B, C, h, w] or [B, C]}, unactivated.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

_MOST = 512
Heads = Mapping[str, int]
"""Name of an answer to its number of classes."""


def _block(given: int, made: int, step: int = 1, spread: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, 3, step, spread, dilation=spread, bias=False),
        nn.BatchNorm2d(made),
        nn.ReLU(),
    )


def _bounded(name: str, value: int, most: int) -> int:
    if not 1 <= value <= most:
        raise ValueError(f"{name} lies between 1 and {most}")
    return value


class UnetSmall(nn.Module):
    """A U-Net of `depth` halvings that begins with `width` channels; maps of stride 1."""

    def __init__(self, heads: Heads, width: int = 8, depth: int = 2) -> None:
        super().__init__()
        _bounded("width", width, 64)
        _bounded("depth", depth, 4)
        widths = [width * 2**at for at in range(depth + 1)]
        self.down = nn.ModuleList(
            [_block(3, width), *(_block(widths[at], widths[at + 1], 2) for at in range(depth))]
        )
        self.up = nn.ModuleList(
            _block(widths[at + 1] + widths[at], widths[at]) for at in reversed(range(depth))
        )
        self.heads = nn.ModuleDict({name: nn.Conv2d(width, n, 1) for name, n in heads.items()})

    def forward(self, patches: torch.Tensor) -> dict[str, torch.Tensor]:
        """Maps as large as the patches."""
        kept, now = [], patches
        for block in self.down:
            now = block(now)
            kept.append(now)
        kept.pop()
        for block in self.up:
            larger = nn.functional.interpolate(now, scale_factor=2.0, mode="nearest")
            now = block(torch.cat([larger, kept.pop()], 1))
        return {name: head(now) for name, head in self.heads.items()}


class ConvHeads(nn.Module):
    """Strided convolutions, then dilated ones, then a head an answer; maps of stride 8."""

    def __init__(self, heads: Heads, width: int = 16) -> None:
        super().__init__()
        _bounded("width", width, _MOST)
        self.body = nn.Sequential(
            _block(3, width, 2),
            _block(width, width * 2, 2),
            _block(width * 2, width * 2, 2),
            _block(width * 2, width * 2, 1, 2),
        )
        self.heads = nn.ModuleDict({name: nn.Conv2d(width * 2, n, 1) for name, n in heads.items()})

    def forward(self, patches: torch.Tensor) -> dict[str, torch.Tensor]:
        """Maps of an eighth of the patches."""
        now = self.body(patches)
        return {name: head(now) for name, head in self.heads.items()}


class PatchClassifier(nn.Module):
    """Convolutions and a mean: one answer a patch."""

    def __init__(self, heads: Heads, width: int = 16) -> None:
        super().__init__()
        _bounded("width", width, _MOST)
        self.body = nn.Sequential(_block(3, width, 2), _block(width, width * 2, 2))
        self.heads = nn.ModuleDict({name: nn.Linear(width * 2, n) for name, n in heads.items()})

    def forward(self, patches: torch.Tensor) -> dict[str, torch.Tensor]:
        """[B, C] for every head."""
        now = self.body(patches).mean(dim=(2, 3))
        return {name: head(now) for name, head in self.heads.items()}
