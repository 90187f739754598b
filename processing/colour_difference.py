"""How different two colours look: CIEDE2000 between sRGB pixels.

Source: Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula", Color Research and
Application 30 (2005), 21-30.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _TO_XYZ.sum(axis=1)
_KNEE = 0.04045
_FAR = 25.0**7


def delta_e(first: Floats, second: Floats) -> Floats:
    """CIEDE2000 of sRGB colours [..., 3] from 0 to 1, kL = kC = kH = 1."""
    return _delta_e_of_lab(_lab(first), _lab(second))


def _lab(srgb: Floats) -> Floats:
    """CIELAB under D65."""
    light = np.where(srgb <= _KNEE, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    share = light @ _TO_XYZ.T / _WHITE
    bent = np.where(share > (6 / 29) ** 3, np.cbrt(share), share * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(bent, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _delta_e_of_lab(first: Floats, second: Floats) -> Floats:
    chroma = (np.hypot(first[..., 1], first[..., 2]) + np.hypot(second[..., 1], second[..., 2])) / 2
    stretch = 1 + 0.5 * (1 - np.sqrt(chroma**7 / (chroma**7 + _FAR)))
    c1, h1 = _polar(first, stretch)
    c2, h2 = _polar(second, stretch)
    turn = (h2 - h1 + 180) % 360 - 180
    both = c1 * c2 > 0
    turn = np.where(both, turn, 0.0)
    mean_hue = np.where(both, h1 + turn / 2, h1 + h2)
    mean_chroma, mean_light = (c1 + c2) / 2, (first[..., 0] + second[..., 0]) / 2
    middle = (mean_light - 50) ** 2
    weight_light = 1 + 0.015 * middle / np.sqrt(20 + middle)
    weight_chroma = 1 + 0.045 * mean_chroma
    weight_hue = 1 + 0.015 * mean_chroma * _hue_share(mean_hue)
    light = (second[..., 0] - first[..., 0]) / weight_light
    colour = (c2 - c1) / weight_chroma
    hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / weight_hue
    blue = _blue_turn(mean_hue, mean_chroma)
    squared = light**2 + colour**2 + hue**2 + blue * colour * hue
    difference: Floats = np.sqrt(np.maximum(squared, 0))
    return difference


def _polar(lab: Floats, stretch: Floats) -> tuple[Floats, Floats]:
    """Chroma, and hue in degrees, with a* stretched near grey."""
    a, b = lab[..., 1] * stretch, lab[..., 2]
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def _hue_share(hue: Floats) -> Floats:
    terms = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    waves = [size * np.cos(np.radians(times * hue + at)) for size, times, at in terms]
    share: Floats = 1 + np.sum(waves, axis=0)
    return share


def _blue_turn(hue: Floats, chroma: Floats) -> Floats:
    """Hue and chroma hang together in the blues."""
    angle = 60 * np.exp(-((((hue % 360) - 275) / 25) ** 2))
    turn: Floats = -2 * np.sqrt(chroma**7 / (chroma**7 + _FAR)) * np.sin(np.radians(angle))
    return turn
