"""Merkle trees over SHA-256, so that one root stands for every tile and one tile can be proved.

Source: RFC 6962 section 2.1 (leaves and nodes are hashed with different prefixes, so that a node
cannot be passed off as a leaf; audit paths).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

DIGEST_BYTES = 32
_LEAF, _NODE = b"\0", b"\1"


def leaf(data: bytes) -> bytes:
    """Digest of a leaf."""
    digest = hashlib.sha256(_LEAF)
    digest.update(data)
    return digest.digest()


ABSENT_LEAF = hashlib.sha256(b"absent").digest()
"""Of a tile that is not there: no leaf has it, since leaves begin with another byte."""


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf digests in their order; of none, SHA-256 of nothing."""
    return _rows(leaves)[-1][0] if leaves else hashlib.sha256(b"").digest()


def path(leaves: Sequence[bytes], at: int) -> list[tuple[str, bytes]]:
    """What, from the leaf `at` upwards, is to be hashed with it: ("left" or "right", digest)."""
    found = []
    for row in _rows(leaves)[:-1]:
        beside = at ^ 1
        if beside < len(row):
            found.append(("left" if beside < at else "right", row[beside]))
        at //= 2
    return found


def climb(digest: bytes, steps: Sequence[tuple[str, bytes]]) -> bytes:
    """The root that a leaf's digest and its path lead to."""
    for side, other in steps:
        digest = _node(other, digest) if side == "left" else _node(digest, other)
    return digest


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def _rows(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Every row of the tree, leaves first; one without a neighbour moves up as it is."""
    rows = [list(leaves)]
    while len(rows[-1]) > 1:
        row = rows[-1]
        above = [_node(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        rows.append(above + row[len(above) * 2 :])
    return rows
