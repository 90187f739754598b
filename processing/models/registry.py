"""The networks that weights may come for: names to classes, loaded when one is first asked for."""

from __future__ import annotations

ARCHITECTURES = {
    "unet_small": "processing.models.architectures:UnetSmall",
    "conv_heads": "processing.models.architectures:ConvHeads",
    "patch_classifier": "processing.models.architectures:PatchClassifier",
}
"""Whoever needs another adds a class there and a line here: code that people have read."""
