"""How sure a share is that was counted."""

from __future__ import annotations

import math

_Z95 = 1.959963984540054


def wilson(hits: int, tries: int) -> tuple[float, float, float]:
    """Share of `hits` in `tries`, and the ends of its 95 % interval; of none nothing is known.

    Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
    """
    if tries == 0:
        return 0.0, 0.0, 1.0
    share, spread = hits / tries, _Z95**2 / tries
    middle = (share + spread / 2) / (1 + spread)
    half = _Z95 / (1 + spread) * math.sqrt(share * (1 - share) / tries + spread / (4 * tries))
    low, high = max(middle - half, 0.0), min(middle + half, 1.0)
    return share, min(low, share), max(high, share)  # at 0 and 1 they are the share itself
