"""Merkle trees, against the recursive definition of RFC 6962 written out again."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from storage import merkle

_LEAVES = st.lists(st.binary(max_size=40), min_size=1, max_size=70)


def tree_hash(entries: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1."""
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    left, right = tree_hash(entries[:split]), tree_hash(entries[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@given(_LEAVES)
def test_the_root_is_that_of_the_rfc(entries: list[bytes]) -> None:
    assert merkle.root([merkle.leaf(entry) for entry in entries]) == tree_hash(entries)


@given(_LEAVES, st.data())
def test_every_path_leads_to_the_root(entries: list[bytes], data: st.DataObject) -> None:
    leaves = [merkle.leaf(entry) for entry in entries]
    at = data.draw(st.integers(0, len(leaves) - 1))
    path = merkle.path(leaves, at)
    assert merkle.climb(leaves[at], path) == merkle.root(leaves)
    assert len(path) <= len(leaves).bit_length()
    other = merkle.leaf(b"another" + entries[at])
    assert merkle.climb(other, path) != merkle.root(leaves)


def test_rfc_vectors() -> None:
    """Roots published with Certificate Transparency's own tests (eight leaves)."""
    entries = [bytes.fromhex(word) for word in
               ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
    expected = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert merkle.root([merkle.leaf(entry) for entry in entries]).hex() == expected
