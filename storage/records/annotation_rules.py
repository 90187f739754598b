"""What may be kept as an annotation: lengths, colours, numbers."""

from __future__ import annotations

import math
import re

from storage.records.annotation import Content, Kind, problem

MOST_POINTS = 50_000
"""Of a single annotation; what has more comes in a group."""
MOST_LABEL = 200
MOST_TEXT = 10_000
MOST_FOREIGN = 100_000
MOST_MEASUREMENTS = 1000
_COLOUR = re.compile(r"[0-9A-F]{6}")


def problem_of(content: Content) -> str:
    """Why a content cannot be kept, in a word; empty when it can."""
    if sum(1 for _ in content.geometry.points) > MOST_POINTS:
        return "shape_too_many_points"
    return problem(content.geometry) or problem_of_words(content)


def problem_of_words(content: Content) -> str:
    """The same of all but the shape."""
    if content.colour and not _COLOUR.fullmatch(content.colour):
        return "colour_malformed"
    if content.geometry.kind is Kind.TEXT and not content.text.strip():
        return "text_missing"
    lengths = (
        (content.label, MOST_LABEL), (content.group, MOST_LABEL), (content.text, MOST_TEXT),
        (content.foreign, MOST_FOREIGN),
    )  # fmt: skip
    if any(len(words) > most or not _is_text(words) for words, most in lengths):
        return "text_unusable"
    if len(content.measurements) > MOST_MEASUREMENTS:
        return "measurements_too_many"
    if len({at.name for at in content.measurements}) < len(content.measurements):
        return "measurement_twice"
    for at in content.measurements:
        usable = at.name and len(at.name) <= MOST_LABEL and len(at.unit) <= MOST_LABEL
        if not (usable and math.isfinite(at.value) and _is_text(at.name) and _is_text(at.unit)):
            return "measurement_unusable"
    return ""


def _is_text(words: str) -> bool:
    """No zero byte and no half of a surrogate pair, which not every database keeps."""
    return "\0" not in words and not any("\ud800" <= letter <= "\udfff" for letter in words)
