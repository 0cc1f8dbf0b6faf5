# SPDX-License-Identifier: Apache-2.0
"""Proofs hold for their own leaf, place and tree, and for nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.server.domain.merkle import (
    EMPTY_ROOT,
    MerkleTree,
    leaf_hash,
    leaf_hashes,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from chukan.standard.reasons import ChukanError

LEAVES = leaf_hashes(b"%d" % number for number in range(300))
SIZES = st.integers(1, 300)


def flip(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(size=SIZES)
def test_every_leaf_is_proven_at_its_place(size: int) -> None:
    """All paths at once are the single paths, and each verifies."""
    tree = MerkleTree(LEAVES[:size])

    paths = tree.inclusion_paths()

    assert paths == [tree.inclusion_path(index) for index in range(size)]
    assert tree.root == root(LEAVES[:size])
    for index, path in enumerate(paths):
        verify_inclusion(LEAVES[index], index=index, size=size, path=path, root=tree.root)


@given(size=SIZES, data=st.data())
def test_a_proof_with_any_bit_flipped_is_refused(size: int, data: st.DataObject) -> None:
    """Leaf, path and root: no bit may differ."""
    tree = MerkleTree(LEAVES[:size])
    index = data.draw(st.integers(0, size - 1))
    parts = [LEAVES[index], tree.root, *tree.inclusion_path(index)]
    part = data.draw(st.integers(0, len(parts) - 1))
    parts[part] = flip(parts[part], data.draw(st.integers(0, 255)))
    leaf, top, *path = parts

    with pytest.raises(ChukanError, match="INCLUSION_PROOF_INVALID"):
        verify_inclusion(leaf, index=index, size=size, path=path, root=top)


@given(size=st.integers(2, 300), data=st.data())
def test_a_leaf_is_proven_at_no_other_place(size: int, data: st.DataObject) -> None:
    """A permit can't be shown as another permit of its batch."""
    tree = MerkleTree(LEAVES[:size])
    index, other = data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True))

    for path in (tree.inclusion_path(index), tree.inclusion_path(other)):
        with pytest.raises(ChukanError, match="INCLUSION_PROOF_INVALID"):
            verify_inclusion(LEAVES[index], index=other, size=size, path=path, root=tree.root)


@given(size=st.integers(2, 300), data=st.data())
def test_a_path_with_a_hash_too_few_or_too_many_is_refused(size: int, data: st.DataObject) -> None:
    """The path's length follows from place and size."""
    tree = MerkleTree(LEAVES[:size])
    index = data.draw(st.integers(0, size - 1))
    path = tree.inclusion_path(index)
    wrong = data.draw(st.sampled_from([path[1:], path[:-1], (*path, tree.root), (b"", *path)]))

    with pytest.raises(ChukanError, match="INCLUSION_PROOF_INVALID"):
        verify_inclusion(LEAVES[index], index=index, size=size, path=wrong, root=tree.root)


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (1, 1), (0, 0), (2, 1), (0, -1)])
def test_a_place_outside_the_tree_is_refused(index: int, size: int) -> None:
    """Nothing stands in an empty tree or beyond the last leaf."""
    leaf = LEAVES[0]

    with pytest.raises(ChukanError, match="INCLUSION_PROOF_INVALID"):
        verify_inclusion(leaf, index=index, size=size, path=(), root=leaf)


def test_an_inner_node_is_no_leaf() -> None:
    """Leaves and nodes are hashed apart, so a pair of hashes can't be shown as content."""
    pair = LEAVES[0] + LEAVES[1]

    assert leaf_hash(pair) != node_hash(LEAVES[0], LEAVES[1])


@given(first=st.integers(0, 300), second=st.integers(0, 300))
def test_a_tree_that_only_grew_is_proven_consistent(first: int, second: int) -> None:
    """Every beginning of a tree is a beginning of it."""
    first, second = sorted((first, second))
    before, after = MerkleTree(LEAVES[:first]), MerkleTree(LEAVES[:second])

    verify_consistency(
        first_size=first,
        second_size=second,
        first_root=before.root,
        second_root=after.root,
        path=after.consistency_path(first),
    )


@given(second=st.integers(1, 300), data=st.data())
def test_a_tree_whose_past_changed_is_refused(second: int, data: st.DataObject) -> None:
    """A changed old leaf shows against the checkpoint that was kept."""
    first = data.draw(st.integers(1, second))
    changed = data.draw(st.integers(0, first - 1))
    leaves = [*LEAVES[:changed], leaf_hash(b"changed"), *LEAVES[changed + 1 : second]]
    after = MerkleTree(leaves)

    with pytest.raises(ChukanError, match="CONSISTENCY_PROOF_INVALID"):
        verify_consistency(
            first_size=first,
            second_size=second,
            first_root=root(LEAVES[:first]),
            second_root=after.root,
            path=after.consistency_path(first),
        )


@given(second=st.integers(2, 300), data=st.data())
def test_a_consistency_proof_with_any_bit_flipped_is_refused(second: int, data: st.DataObject) -> None:
    """Both roots and the path: no bit may differ, no hash be missing or added."""
    first = data.draw(st.integers(1, second - 1))
    after = MerkleTree(LEAVES[:second])
    parts = [root(LEAVES[:first]), after.root, *after.consistency_path(first)]
    part = data.draw(st.integers(0, len(parts) - 1))
    flipped = [*parts]
    flipped[part] = flip(parts[part], data.draw(st.integers(0, 255)))

    for changed in (flipped, parts[:-1], [*parts, after.root], [*parts[:2], b"", *parts[2:]]):
        with pytest.raises(ChukanError, match="CONSISTENCY_PROOF_INVALID"):
            verify_consistency(
                first_size=first,
                second_size=second,
                first_root=changed[0],
                second_root=changed[1],
                path=changed[2:],
            )


@pytest.mark.parametrize(
    ("first_size", "second_size", "first_root", "second_root", "path"),
    [
        (2, 1, LEAVES[0], LEAVES[0], ()),
        (-1, 1, LEAVES[0], LEAVES[0], ()),
        (0, 1, LEAVES[0], LEAVES[0], ()),
        (0, 0, LEAVES[0], LEAVES[0], ()),
        (0, 1, EMPTY_ROOT, LEAVES[0], (LEAVES[0],)),
        (1, 1, LEAVES[0], LEAVES[1], ()),
        (1, 1, LEAVES[0], LEAVES[0], (LEAVES[0],)),
        (1, 2, LEAVES[0], LEAVES[0], ()),
    ],
)
def test_trivial_consistency_takes_nothing_for_granted(
    first_size: int,
    second_size: int,
    first_root: bytes,
    second_root: bytes,
    path: tuple[bytes, ...],
) -> None:
    """Going back, unequal roots of equal sizes, and superfluous hashes are refused."""
    with pytest.raises(ChukanError, match="CONSISTENCY_PROOF_INVALID"):
        verify_consistency(
            first_size=first_size,
            second_size=second_size,
            first_root=first_root,
            second_root=second_root,
            path=path,
        )


def test_a_tree_takes_leaf_hashes_only_and_gives_paths_of_its_own_leaves() -> None:
    """Content passed for a hash, and places outside, are mistakes of the program."""
    with pytest.raises(ValueError, match="leaf hash"):
        MerkleTree([b"content"])
    with pytest.raises(IndexError):
        MerkleTree(LEAVES[:3]).inclusion_path(3)
    with pytest.raises(IndexError):
        MerkleTree(LEAVES[:3]).consistency_path(4)

    assert MerkleTree([]).inclusion_paths() == []
