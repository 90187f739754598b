"""Synthetic ICC profiles, good and bad: what a scanner, or a stranger, may send."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
from numpy.typing import NDArray

_WIDE = (0.70, 0.29, 1.0, 0.19, 0.75, 1.0, 0.14, 0.05, 1.0)
_D65, _D50 = (0.3127, 0.3290, 1.0), (0.9642, 1.0, 0.8249)


def srgb() -> bytes:
    return bytes(imagecodecs.cms_profile("srgb"))


def matrix(gamma: float, primaries: tuple[float, ...] = _WIDE) -> bytes:
    """Three primaries and one gamma, as most scanners have it."""
    made = imagecodecs.cms_profile("rgb", whitepoint=_D65, primaries=primaries, gamma=gamma)
    return bytes(made)


def lut(gamma: float = 3.5, nodes: int = 17, twist: float = 25.0, name: str = "Skæv lut") -> bytes:
    """A lut16Type profile to Lab: curves of a nasty gamma, hues that turn with lightness."""
    light = np.linspace(0, 1, nodes)
    red, green, blue = np.meshgrid(light, light, light, indexing="ij")
    lightness = 100 * (0.25 * red + 0.65 * green + 0.10 * blue) ** 0.8
    a = 90 * (red - green) + twist * np.sin(np.pi * green) * np.cos(np.pi * blue) * red
    b = 80 * ((red + green) / 2 - blue) + twist * np.sin(2 * np.pi * red) * green * (1 - blue)
    grey = np.stack([lightness, a, b], axis=-1)
    grey[-1, -1, -1] = (100, 0, 0)
    return lut_of(grey, np.linspace(0, 1, 256) ** (gamma / 2.4), name)


def lut_of(lab: NDArray[np.float64], curve: NDArray[np.float64], name: str) -> bytes:
    """A profile of any table [nodes, nodes, nodes, Lab] behind one curve for all channels."""
    nodes = lab.shape[0]
    encoded = (lab + np.array([0, 128, 128])) * np.array([652.8, 256, 256])
    table = np.clip(np.rint(encoded), 0, 65535).astype(">u2").tobytes()
    one = np.rint(curve * 65535).astype(">u2").tobytes()
    straight = np.array([0, 65535], ">u2").tobytes()
    matrix_words = struct.pack(">9i", *(65536 if at % 4 == 0 else 0 for at in range(9)))
    a2b = b"mft2" + bytes(4) + bytes((3, 3, nodes, 0)) + matrix_words
    a2b += struct.pack(">HH", len(curve), 2) + one * 3 + table + straight * 3
    white = b"XYZ " + bytes(4) + struct.pack(">3i", *(round(at * 65536) for at in _D50))
    return profile({b"desc": described(name), b"wtpt": white, b"A2B0": a2b})


def described(name: str) -> bytes:
    words = name.encode("latin-1") + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(words)) + words + bytes(78)


def profile(tags: dict[bytes, bytes], space: bytes = b"RGB ", kind: bytes = b"scnr") -> bytes:
    """A version 2 profile of these tags."""
    at, table, body = 132 + 12 * len(tags), b"", b""
    for tag, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        table += tag + struct.pack(">II", at + len(body), len(data))
        body += padded
    white = struct.pack(">3i", *(round(value * 65536) for value in _D50))
    head = struct.pack(
        ">I4sI4s4s4s12s4s4sIIIQI12s", at + len(body), b"svtd", 0x02400000, kind, space, b"Lab ",
        bytes(12), b"acsp", bytes(4), 0, 0, 0, 0, 0, white,
    )  # fmt: skip
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
