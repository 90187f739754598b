"""Sensitivity and specificity of a check, with the interval that so few slides leave open."""

from __future__ import annotations

import math
from collections.abc import Sequence

from storage.errors import Malformed
from storage.records.validation import Validation

_Z95 = 1.959963984540054


def wilson(k: int, n: int) -> tuple[float, float, float]:
    """Share of `k` in `n`, and the ends of its 95 % interval; of none nothing is known.

    Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
    """
    if n == 0:
        return 0.0, 0.0, 1.0
    share, spread = k / n, _Z95**2 / n
    middle = (share + spread / 2) / (1 + spread)
    half = _Z95 / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    low, high = max(middle - half, 0.0), min(middle + half, 1.0)
    return share, min(low, share), max(high, share)  # at 0 and 1 they are the share itself


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
