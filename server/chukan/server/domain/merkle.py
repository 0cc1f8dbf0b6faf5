# SPDX-License-Identifier: Apache-2.0
"""RFC 6962 Merkle trees: one signature for many permits, and proofs over a log.

Level k of a tree holds the hashes of its aligned blocks of 2ᵏ leaves; an odd last node
moves up unchanged, which is RFC 6962's split at the largest power of two. So every hash
a proof needs is a stored node, and proofs are look-ups.

Holds all nodes of one tree, about 64 bytes a leaf: right for batches (1 to 10,000
leaves). A log that grows keeps its nodes in a store and appends to them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "EMPTY_ROOT",
    "HASH_SIZE",
    "MerkleTree",
    "leaf_hash",
    "leaf_hashes",
    "node_hash",
    "root",
    "verify_consistency",
    "verify_inclusion",
]

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256().digest()

_sha256 = hashlib.sha256


def leaf_hash(content: bytes) -> bytes:
    """Hash of a leaf (RFC 6962 §2.1: the prefix keeps leaves and nodes apart)."""
    return _sha256(b"\x00" + content).digest()


def leaf_hashes(contents: Iterable[bytes]) -> list[bytes]:
    """Hashes of many leaves."""
    return [_sha256(b"\x00" + content).digest() for content in contents]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return _sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes, without keeping the tree."""
    level = leaves
    while len(level) > 1:
        level = _parents(level)
    return level[0] if level else EMPTY_ROOT


class MerkleTree:
    """The tree over a fixed list of leaf hashes."""

    __slots__ = ("_levels",)

    def __init__(self, leaves: Sequence[bytes]) -> None:
        if any(len(leaf) != HASH_SIZE for leaf in leaves):
            raise ValueError("got a leaf hash of another size, expected 32 bytes")
        levels: list[Sequence[bytes]] = [tuple(leaves)]
        while len(levels[-1]) > 1:
            levels.append(_parents(levels[-1]))
        self._levels = levels

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """Hash of the whole tree."""
        return self._levels[-1][0] if self.size else EMPTY_ROOT

    def inclusion_path(self, index: int) -> tuple[bytes, ...]:
        """Audit path of one leaf, bottom up (RFC 6962 §2.1.1)."""
        if not 0 <= index < self.size:
            raise IndexError(f"got leaf {index}, expected one of {self.size}")
        path = []
        for height, level in enumerate(self._levels[:-1]):
            sibling = (index >> height) ^ 1
            if sibling < len(level):
                path.append(level[sibling])
        return tuple(path)

    def inclusion_paths(self) -> list[tuple[bytes, ...]]:
        """Audit paths of all leaves, in their order."""
        paths: list[tuple[bytes, ...]] = [()]
        for level in reversed(self._levels[:-1]):  # top down: a child adds its sibling in front
            size = len(level)
            paths = [(level[at ^ 1], *paths[at >> 1]) if at ^ 1 < size else paths[at >> 1] for at in range(size)]
        return paths if self.size else []

    def consistency_path(self, first: int) -> tuple[bytes, ...]:
        """Proof that the tree of the first leaves is a beginning of this one (§2.1.2)."""
        if not 0 <= first <= self.size:
            raise IndexError(f"got first size {first}, expected at most {self.size}")
        if first in (0, self.size):
            return ()
        path: list[bytes] = []
        start, end = 0, self.size
        while first != end:
            middle = start + (1 << ((end - start - 1).bit_length() - 1))
            if first <= middle:
                path.append(self._block(middle, end))
                end = middle
            else:
                path.append(self._block(start, middle))
                start = middle
        if start:  # else the verifier holds this hash: it is the first root
            path.append(self._block(start, end))
        return tuple(reversed(path))

    def _block(self, start: int, end: int) -> bytes:
        """Hash of the leaves start..end, where start is aligned to the block's height."""
        height = (end - start - 1).bit_length()
        return self._levels[height][start >> height]


def verify_inclusion(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Return if the leaf hash stands at the index of the tree, else INCLUSION_PROOF_INVALID."""
    # 1. The place exists.
    if not 0 <= index < size:
        raise ChukanError("INCLUSION_PROOF_INVALID", params={"rule": "index"})
    # 2. Every hash is whole: concatenations of odd pieces could be made to collide.
    if not _whole(leaf, root, *path):
        raise ChukanError("INCLUSION_PROOF_INVALID", params={"rule": "hash_size"})
    # 3. The path leads from the leaf to the top with no hash too few (RFC 9162 §2.1.3.2).
    node, at, last = leaf, index, size - 1
    used = 0
    while last:
        if at & 1 or at < last:
            if used == len(path):
                raise ChukanError("INCLUSION_PROOF_INVALID", params={"rule": "length"})
            sibling = path[used]
            used += 1
            pair = sibling + node if at & 1 else node + sibling
            node = _sha256(b"\x01" + pair).digest()
        at >>= 1
        last >>= 1
    # 4. No hash too many, and the top is the root.
    if used != len(path) or node != root:
        raise ChukanError("INCLUSION_PROOF_INVALID", params={"rule": "root"})


def verify_consistency(
    *,
    first_size: int,
    second_size: int,
    first_root: bytes,
    second_root: bytes,
    path: Sequence[bytes],
) -> None:
    """Return if the second tree only adds to the first, else CONSISTENCY_PROOF_INVALID."""
    # 1. Sizes don't go back, and every hash is whole.
    if not 0 <= first_size <= second_size or not _whole(first_root, second_root, *path):
        raise ChukanError("CONSISTENCY_PROOF_INVALID", params={"rule": "size"})
    # 2. An empty or an equal beginning needs no hashes and allows none.
    if first_size in (0, second_size):
        expected = second_root if first_size == second_size else EMPTY_ROOT
        if path or first_root != expected or (not second_size and second_root != EMPTY_ROOT):
            raise ChukanError("CONSISTENCY_PROOF_INVALID", params={"rule": "trivial"})
        return
    # 3. The path yields both roots, none left over (RFC 9162 §2.1.4.2).
    if _consistency_roots(first_size, second_size, first_root, path) != (first_root, second_root):
        raise ChukanError("CONSISTENCY_PROOF_INVALID", params={"rule": "root"})


def _consistency_roots(
    first_size: int, second_size: int, first_root: bytes, path: Sequence[bytes]
) -> tuple[bytes, bytes] | None:
    """Both roots as the path gives them, or None when it is too short or too long."""
    whole_block = first_size & (first_size - 1) == 0
    hashes = iter((first_root, *path) if whole_block else path)
    at, last = first_size - 1, second_size - 1
    while at & 1:
        at >>= 1
        last >>= 1
    first = second = next(hashes, b"")
    for sibling in hashes:
        if last == 0:
            return None
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while at and not at & 1:
                at >>= 1
                last >>= 1
        else:
            second = node_hash(second, sibling)
        at >>= 1
        last >>= 1
    return (first, second) if last == 0 else None


def _whole(*hashes: bytes) -> bool:
    return set(map(len, hashes)) == {HASH_SIZE}


def _parents(level: Sequence[bytes]) -> list[bytes]:
    pairs = iter(level)
    parents = [_sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
    if len(level) & 1:
        parents.append(level[-1])
    return parents
