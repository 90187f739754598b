"""From a scanner's ICC profile to the table by which a browser shows sRGB. Source: LittleCMS.

Media-relative colorimetric, without black point compensation: what the profile measured is shown
as it was measured, with the glass as white. sRGB's black is zero, there is nothing to compensate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from processing.colour_difference import delta_e
from processing.colour_table import (
    VALUES,
    ColourTable,
    Floats,
    Pixels,
    encoded,
    make_table,
    shown_unrounded,
)
from processing.icc import checked, profile_name
from storage.errors import ProfileUnusable

_D65 = (0.3127, 0.3290, 1.0)
_SRGB_PRIMARIES = (0.64, 0.33, 1.0, 0.30, 0.60, 1.0, 0.15, 0.06, 1.0)
_RELATIVE = imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC
_EXACTLY = imagecodecs.CMS.FLAGS.NOOPTIMIZE | imagecodecs.CMS.FLAGS.NOCACHE
_NODES = (33, 49, 65)
_GOOD, _BEARABLE = 0.25, 0.75
"""ΔE2000 at worst: below the first no finer table is tried, from the second on none is served."""
_SAME = 1.0
"""A profile that changes no colour by as much as this is sRGB."""
_SAMPLE = 60_000


@dataclass(frozen=True)
class Colour:
    """What a profile does: the table, how exact it is, and how much it changes, in ΔE2000.

    `error` is the largest difference from LittleCMS that a sample found; `change` and
    `most_change` are the mean and largest of what correcting does to the sample.
    """

    name: str
    table: ColourTable
    error: float
    change: float
    most_change: float

    @property
    def is_srgb(self) -> bool:
        """True when the colours are right as they are."""
        return self.most_change < _SAME


def measure_colour(data: bytes) -> Colour:
    """The table of a profile. Errors: ProfileUnusable, saying why in a word."""
    profile = checked(data)
    try:
        sample = _sample()
        truth = _transformed(profile, sample, imagecodecs.cms_profile("srgb"))
        table, error = _table(profile, sample, truth)
    except imagecodecs.CmsError:
        raise ProfileUnusable("damaged") from None
    change = delta_e(sample / 255, truth)
    return Colour(profile_name(profile), table, error, float(change.mean()), float(change.max()))


def _table(profile: bytes, sample: Pixels, truth: Floats) -> tuple[ColourTable, float]:
    """The coarsest table that is good enough, and its largest error on the sample."""
    linear = imagecodecs.cms_profile(
        "rgb", whitepoint=_D65, primaries=_SRGB_PRIMARIES, gamma=1.0
    )  # fmt: skip
    along = _along_channels(profile, linear)
    curves = _curves(along)
    for nodes in _NODES:
        places = _places(along, nodes)
        colours = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1)
        light = _transformed(profile, colours, linear, clipped=False)
        table = make_table(places, curves, light)
        error = float(delta_e(shown_unrounded(table, sample), truth).max())
        if error < _GOOD:
            break
    if not error < _BEARABLE:
        raise ProfileUnusable("inexact")
    return table, error


def _along_channels(profile: bytes, linear: bytes) -> Floats:
    """Linear light [3, 256, 9, 3]: one channel through all values, the others at nine pairs."""
    others = np.stack(np.meshgrid((0, 128, 255), (0, 128, 255)), axis=-1).reshape(-1, 2)
    colours = np.empty((3, VALUES, len(others), 3), np.int64)
    for channel in range(3):
        colours[channel, ..., channel] = np.arange(VALUES)[:, None]
        colours[channel][..., [at for at in range(3) if at != channel]] = others
    return _transformed(profile, colours, linear, clipped=False)


def _curves(along: Floats) -> Floats:
    """How light grows along each channel [3, 256]: of a matrix profile, exactly its own curves."""
    growth = np.abs(np.diff(along, axis=1)).sum(axis=(2, 3))
    # Where nothing grows, values still need places of their own.
    growth += 1e-6 * np.maximum(growth.sum(axis=1, keepdims=True), 1.0)
    return np.concatenate([np.zeros((3, 1)), np.cumsum(growth, axis=1)], axis=1)


def _places(along: Floats, nodes: int) -> NDArray[np.int64]:
    """Source values of the nodes [3, nodes]: half evenly, half where most is seen to happen."""
    seen = np.abs(np.diff(encoded(np.clip(along, 0, 1)), axis=1)).sum(axis=(2, 3)) + 1e-9
    density = 1 / (VALUES - 1) + seen / seen.sum(axis=1, keepdims=True)
    places = np.empty((3, nodes), np.int64)
    for channel in range(3):
        walked = np.concatenate([[0], np.cumsum(density[channel])])
        wanted = np.interp(np.linspace(0, walked[-1], nodes), walked, np.arange(VALUES))
        chosen = np.unique(np.rint(wanted).astype(np.int64))
        while len(chosen) < nodes:  # where several wanted the same value
            widest = int(np.diff(chosen).argmax())
            middle = (chosen[widest] + chosen[widest + 1]) // 2
            chosen = np.insert(chosen, widest + 1, middle)
        places[channel] = chosen
    return places


def _transformed(
    profile: bytes, colours: NDArray[np.integer[Any]], target: bytes, *, clipped: bool = True
) -> Floats:
    """LittleCMS at its most exact: 8-bit values [..., 3] to the target's 0 to 1."""
    line = np.ascontiguousarray(colours.reshape(1, -1, 3) / np.float32(255), np.float32)
    made = imagecodecs.cms_transform(
        line, profile, target, colorspace="rgb", outcolorspace="rgb", outdtype="f4",
        intent=_RELATIVE, flags=_EXACTLY,
    )  # fmt: skip
    light = np.asarray(made, np.float64).reshape(colours.shape)
    if not np.isfinite(light).all():
        raise ProfileUnusable("damaged")
    return np.clip(light, 0, 1) if clipped else light


def _sample() -> Pixels:
    """Colours from everywhere, and every grey."""
    colours = np.random.default_rng(1).integers(0, VALUES, (_SAMPLE, 3), np.uint8)
    greys = np.repeat(np.arange(VALUES, dtype=np.uint8)[:, None], 3, axis=1)
    return np.concatenate([colours, greys])
