"""The channels of a source with the windows they are first shown with, from their own samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from processing.auto_window import auto_window
from processing.readers.base import SlideReader
from storage.records.channels import Channels
from storage.records.geometry import Region, Size

_MOST_WHOLE = 4 * 2**20
"""Pixels of a level that are looked at all."""
_PATCHES, _PATCH = 4, 512


def channels_seen(reader: SlideReader) -> Channels | None:
    """The reader's channels with windows from its samples; None for brightfield.

    The same file always gives the same windows, so that a pyramid can be made again and compared.
    """
    if reader.channels is None:
        return None
    channels = reader.channels
    sizes = [at.size for at in reader.levels]
    level = next((at for at, size in enumerate(sizes) if size.area <= _MOST_WHOLE), len(sizes) - 1)
    regions = list(_looked_at(sizes[level]))
    found = []
    for number, channel in enumerate(channels.channels):
        planes = [reader.plane(level, number, region) for region in regions]
        found.append(replace(channel, window=auto_window(planes, channels.most)))
    return replace(channels, channels=tuple(found))


def _looked_at(size: Size) -> Iterator[Region]:
    """The whole of a small level, patches spread over a large one."""
    if size.area <= _MOST_WHOLE:
        yield Region(0, 0, size.width, size.height)
        return
    wide, high = min(_PATCH, size.width), min(_PATCH, size.height)
    for row in range(_PATCHES):
        for column in range(_PATCHES):
            x = (size.width - wide) * column // (_PATCHES - 1)
            y = (size.height - high) * row // (_PATCHES - 1)
            yield Region(x, y, wide, high)
