"""Channels of a fluorescence slide, and how they are shown: names, colours, windows, bit depth.

A brightfield slide has none: its pixels are 8-bit RGB.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_CHANNELS = 64
_COLOR = re.compile(r"[0-9A-F]{6}")
_ALONE = "FFFFFF"
_COLORS = ("0000FF", "00FF00", "FF0000", "00FFFF", "FF00FF", "FFFF00", "FFFFFF")


@dataclass(frozen=True, slots=True)
class Window:
    """Values shown from black (`low` and below) to the channel's full colour (`high`)."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high:
            raise ValueError(f"a window goes up from 0 or more, not {self.low} to {self.high}")


@dataclass(frozen=True, slots=True)
class Channel:
    """One optical path: what it is called, its light, and how it is shown when nobody chooses."""

    name: str
    color: str
    """Six hexadecimal digits in capitals, RGB."""
    window: Window
    emission_nm: float | None = None
    excitation_nm: float | None = None

    def __post_init__(self) -> None:
        if not _COLOR.fullmatch(self.color):
            raise ValueError(f"a colour is six hexadecimal digits in capitals, not {self.color!r}")


@dataclass(frozen=True, slots=True)
class Channels:
    """All channels of a slide; every one has the same depth."""

    bits: int
    """Significant bits of a sample, 1 to 16."""
    dtype: str
    """As stored: uint8 or uint16."""
    channels: tuple[Channel, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= (8 if self.dtype == "uint8" else 16):
            raise ValueError(f"{self.bits} bits in {self.dtype}")
        if not 1 <= len(self.channels) <= MOST_CHANNELS:
            raise ValueError(f"{len(self.channels)} channels")

    @property
    def most(self) -> int:
        """The largest value a sample can have."""
        return (1 << self.bits) - 1


@dataclass(frozen=True, slots=True)
class ShownChannel:
    """A channel somebody chose to see: its number, and the window and colour it is seen with."""

    number: int
    window: Window
    color: str


def default_choice(channels: Channels) -> tuple[ShownChannel, ...]:
    """Every channel as the slide itself proposes it."""
    return tuple(
        ShownChannel(number, channel.window, channel.color)
        for number, channel in enumerate(channels.channels)
    )


def default_colors(said: Sequence[str | None]) -> list[str]:
    """A colour for each channel: what the file says, else white alone or one after the other."""
    if len(said) == 1:
        return [said[0] or _ALONE]
    useful = len(set(said)) > 1
    return [
        color if color is not None and useful else _COLORS[at % len(_COLORS)]
        for at, color in enumerate(said)
    ]
