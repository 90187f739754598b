"""Sensitivity and specificity of a check, with the interval that so few slides leave open."""

from __future__ import annotations

from collections.abc import Sequence

from storage.errors import Malformed
from storage.records.proportion import wilson
from storage.records.validation import Validation


def validated(check: str, counts: Sequence[int], note: str, forced: str = "") -> Validation:
    """Out of slides, failures, failures found and false alarms. Errors: Malformed."""
    slides, failures, found, false_alarms = counts
    good = slides - failures
    if not (0 <= found <= failures <= slides and 0 <= false_alarms <= good):
        raise Malformed("found is at most failures, false alarms at most the other slides")
    specificity = wilson(good - false_alarms, good)
    return Validation(
        check, slides, failures, found, false_alarms, wilson(found, failures), specificity,
        note, forced,
    )  # fmt: skip
