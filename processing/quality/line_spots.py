"""Places of lines on the slide, for findings."""

from __future__ import annotations

from collections.abc import Sequence

from processing.quality.check import CELL
from processing.quality.lines import Line
from processing.quality.slide_view import SlideView
from storage.records.quality import Spot

_MOST = 100
_WIDE = 8
"""Working pixels across, so that it can be seen."""


def spots_of(slide: SlideView, lines: Sequence[Line], times: float) -> tuple[Spot, ...]:
    """A narrow box along each line, the largest first; sizes are told `times` larger."""
    largest = sorted(lines, key=lambda line: -line.size)[:_MOST]
    return tuple(Spot(_box(slide, line), None, round(line.size * times, 2)) for line in largest)


def _box(slide: SlideView, line: Line) -> tuple[int, int, int, int]:
    """x, y, width, height in pixels of level 0, on the slide."""
    factor, size = 2**slide.working, slide.size
    across = max(line.at + 1 - _WIDE // 2, 0) * factor
    along, end = line.first * CELL * factor, (line.last + 1) * CELL * factor
    wide = _WIDE * factor
    if line.vertical:
        across, end = min(across, size.width - 1), min(end, size.height)
        return across, along, min(wide, size.width - across), end - along
    across, end = min(across, size.height - 1), min(end, size.width)
    return along, across, end - along, min(wide, size.height - across)
