"""Chosen channels as text: `0:0-4095:00FF00,2:100-900:FF0000`, number, window and colour of each.

No text at all is no channel, which is black. Written the same everywhere: addresses, deep links,
the command.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from storage.errors import Malformed
from storage.records.channels import MOST_CHANNELS, Channels, ShownChannel, Window

_ONE = re.compile(r"([0-9]{1,2}):([0-9]{1,5})-([0-9]{1,5}):([0-9A-Fa-f]{6})", re.ASCII)
_MOST_TEXT = MOST_CHANNELS * 24
_NAME = "channels"


def read_choice(text: str, channels: Channels) -> tuple[ShownChannel, ...]:
    """The channels chosen, in the order of their numbers.

    Errors: Malformed for other text, a channel the slide lacks or that is named twice, a window
    that is empty or reaches beyond the slide's depth.
    """
    if len(text) > _MOST_TEXT:
        raise Malformed("more channels than a slide can have")
    chosen = [_read(part, channels) for part in text.split(",")] if text else []
    if len({shown.number for shown in chosen}) != len(chosen):
        raise Malformed("a channel is named twice")
    return tuple(sorted(chosen, key=lambda shown: shown.number))


def write_choice(choice: tuple[ShownChannel, ...]) -> str:
    """The same choice always as the same text."""
    return ",".join(
        f"{shown.number}:{shown.window.low}-{shown.window.high}:{shown.color}" for shown in choice
    )


def choice_in_query(query: str, channels: Channels) -> tuple[ShownChannel, ...] | None:
    """What `channels=` of a query says; None where there is no such word. Errors: Malformed."""
    if _NAME not in query:
        return None
    try:
        words = parse_qsl(query, keep_blank_values=True, max_num_fields=16, errors="strict")
    except ValueError as error:
        raise Malformed("the query cannot be read") from error
    said = [value for name, value in words if name == _NAME]
    if len(said) > 1:
        raise Malformed("channels are chosen twice")
    return read_choice(said[0], channels) if said else None


def _read(part: str, channels: Channels) -> ShownChannel:
    match = _ONE.fullmatch(part)
    if match is None:
        raise Malformed("a channel is chosen as NUMBER:LOW-HIGH:RRGGBB")
    number, low, high = (int(match[at]) for at in (1, 2, 3))
    if number >= len(channels.channels):
        raise Malformed(f"channels go from 0 to {len(channels.channels) - 1}")
    if not low < high <= channels.most:
        raise Malformed(f"a window goes up, from 0 to {channels.most} at most")
    return ShownChannel(number, Window(low, high), match[4].upper())
