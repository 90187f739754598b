"""Noise that is a pure function of position and seed, so every block can be painted alone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
"""float32 [rows, columns]; the meaning of the values is said where one is made."""

_X, _Y, _SALT = np.uint32(0x8DA6B343), np.uint32(0xD8163841), 0xCB1AB31F
_MIX_A, _MIX_B = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)


def hashed(x: NDArray[np.int64], y: NDArray[np.int64], salt: int) -> Field:
    """A number in [0, 1) for each lattice point; neighbours are unrelated."""
    value = x.astype(np.uint32) * _X
    value ^= y.astype(np.uint32) * _Y
    value ^= np.uint32(salt * _SALT & 0xFFFFFFFF)
    value ^= value >> np.uint32(16)
    value *= _MIX_A
    value ^= value >> np.uint32(15)
    value *= _MIX_B
    value ^= value >> np.uint32(16)
    return (value >> np.uint32(8)).astype(np.float32) / np.float32(1 << 24)


def smooth(x: Field, y: Field, period: float, salt: int) -> Field:
    """Value noise in [-1, 1]; x and y in level-0 pixels, hills about `period` pixels apart."""
    # Every octave lies at its own angle, or the lattice would show as straight edges.
    cos, sin = np.float32(np.cos(salt * 2.4) / period), np.float32(np.sin(salt * 2.4) / period)
    u, v = x * cos + y * sin, y * cos - x * sin
    left, top = np.floor(u), np.floor(v)
    i, j = left.astype(np.int64), top.astype(np.int64)
    fu, fv = u - left, v - top
    fu, fv = fu * fu * (3 - 2 * fu), fv * fv * (3 - 2 * fv)
    upper = hashed(i, j, salt) * (1 - fu) + hashed(i + 1, j, salt) * fu
    lower = hashed(i, j + 1, salt) * (1 - fu) + hashed(i + 1, j + 1, salt) * fu
    return np.asarray((upper * (1 - fv) + lower * fv) * 2 - 1, dtype=np.float32)


def fractal(x: Field, y: Field, longest: float, shortest: float, salt: int) -> Field:
    """Sum of halving periods from `longest` down to `shortest` pixels, about [-1, 1]."""
    total = np.zeros_like(x)
    period, weight, octave = longest, 0.55, 0
    while period >= shortest:
        total += np.float32(weight) * smooth(x, y, period, salt * 31 + octave)
        period, weight, octave = period / 2, weight * 0.55, octave + 1
    return total


def wrapped(
    rng: np.random.Generator, size: int, spread: tuple[float, float], angle: float
) -> Field:
    """Blurred white noise that tiles the plane: [size, size], mean 0, standard deviation 1.

    `spread` is the blur in pixels along and across `angle` (radians).
    """
    if min(spread) >= 30 and size % 8 == 0:
        # Nothing fine in it: make it small and stretch it, the Fourier transform is the cost.
        small = wrapped(rng, size // 8, (spread[0] / 8, spread[1] / 8), angle)
        wide = cv2.resize(np.pad(small, 2, mode="wrap"), None, fx=8, fy=8)
        return np.asarray(wide[16:-16, 16:-16], dtype=np.float32)
    white = rng.standard_normal((size, size), dtype=np.float32)
    fy = np.fft.fftfreq(size).astype(np.float32)[:, None]
    fx = np.fft.rfftfreq(size).astype(np.float32)[None, :]
    along = fx * np.cos(angle) + fy * np.sin(angle)
    across = fy * np.cos(angle) - fx * np.sin(angle)
    falloff = np.exp(-19.7 * ((along * spread[0]) ** 2 + (across * spread[1]) ** 2))
    falloff[0, 0] = 0
    noise = np.fft.irfft2(np.fft.rfft2(white) * falloff, s=(size, size))
    return np.asarray(noise / noise.std(), dtype=np.float32)
