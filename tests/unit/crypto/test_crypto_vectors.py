# SPDX-License-Identifier: Apache-2.0
"""The code agrees with the published vectors, and with our own as rebuilt from the rules."""

from __future__ import annotations

import base64
import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from chukan.server.crypto.envelope import sign, verify
from chukan.server.crypto.keys import SealingKey, SigningKey, VerifyKey
from chukan.server.crypto.sealing import open_rows, open_secret
from chukan.server.domain.envelope import Envelope, PayloadType, Signature, pae
from chukan.server.domain.merkle import (
    MerkleTree,
    leaf_hashes,
    root,
    verify_consistency,
    verify_inclusion,
)
from chukan.standard.reasons import ChukanError

VECTORS = Path(__file__).parents[2] / "vectors"
Json = dict[str, Any]


def load(name: str) -> Json:
    content: Json = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    return content


@pytest.fixture(scope="module")
def rebuild() -> Json:
    return runpy.run_path(str(VECTORS / "rebuild.py"))


def signing_key(number: int) -> SigningKey:
    return SigningKey(ec.derive_private_key(number, ec.SECP256R1()))


def hexes(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(step) for step in path]


def test_signatures_are_those_of_rfc_6979() -> None:
    """P-256 with SHA-256 signs "sample" and "test" as appendix A.2.5 prints them."""
    vectors = load("published/rfc6979")
    key = signing_key(int(vectors["private_key"], 16))

    for case in vectors["cases"]:
        signature = decode_dss_signature(key.sign(case["message"].encode()))

        assert signature == (int(case["r"], 16), int(case["s"], 16))
        key.verify_key.verify(key.sign(case["message"].encode()), case["message"].encode())


def test_envelopes_are_those_of_the_dsse_protocol() -> None:
    """The protocol's example: the same encoding, and the same r and s."""
    example = load("published/dsse")["example"]
    key = signing_key(int(example["private_key"]))
    encoded = pae(example["payload_type"], example["payload"].encode())
    raw = base64.b64decode(example["signature"])

    signature = decode_dss_signature(key.sign(encoded))

    assert encoded == example["pae"].encode()
    assert signature == (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


@pytest.mark.parametrize("case", load("published/dsse")["pae"], ids=lambda case: str(case["id"]))
def test_pre_authentication_encoding_counts_bytes(case: Json) -> None:
    """Lengths are of UTF-8 bytes; an empty part leaves its spaces standing."""
    assert pae(case["payload_type"], bytes.fromhex(case["payload"])).hex() == case["pae"]


def test_the_second_writing_of_hpke_is_rfc_9180(rebuild: Json) -> None:
    """What rebuilds our seal vectors first gives every number of appendix A.1.1."""
    vector = {
        name: bytes.fromhex(value) if isinstance(value, str) and name != "source" else value
        for name, value in load("published/rfc9180").items()
    }

    sealed = rebuild["hpke_seal"](
        vector["plaintext"],
        keys=(vector["ephemeral_private_key"], vector["recipient_public_key"]),
        info=vector["info"],
        aad=vector["aad"],
        aead=vector["aead_id"],
    )

    assert sealed.enc == vector["enc"]
    assert sealed.shared_secret == vector["shared_secret"]
    assert (sealed.key, sealed.nonce) == (vector["key"], vector["base_nonce"])
    assert sealed.ciphertext == vector["ciphertext"]


def test_committed_vectors_are_fresh(rebuild: Json) -> None:
    """The files under tests/vectors/own are what rebuild.py writes today."""
    committed = {path.name: path.read_text("utf-8") for path in (VECTORS / "own").iterdir()}

    assert rebuild["build"]() == committed


def test_every_kind_of_statement_has_a_vector_and_verifies() -> None:
    """Type, encoding, digest, key id and signature of each kind are fixed."""
    vectors = load("own/envelopes")
    key = VerifyKey(bytes.fromhex(vectors["public_key"]))
    signer = signing_key(int(load("published/rfc6979")["private_key"], 16))

    for case in vectors["valid"]:
        envelope = envelope_of(case)
        kind = PayloadType(case["payload_type"])

        assert verify(envelope, kind, key) == envelope.payload
        assert sign(kind, envelope.payload, signer) == envelope
        assert envelope.digest.hex() == case["digest"]

    assert {case["payload_type"] for case in vectors["valid"]} == set(PayloadType)


def test_every_refused_envelope_of_the_vectors_is_refused() -> None:
    """Another payload, kind, key or form of signature never verifies."""
    vectors = load("own/envelopes")
    key = VerifyKey(bytes.fromhex(vectors["public_key"]))

    for case in vectors["refused"]:
        with pytest.raises(ChukanError, match="SIGNATURE_INVALID"):
            verify(envelope_of(case), PayloadType.REQUEST, key)


def envelope_of(case: Json) -> Envelope:
    signature = Signature(case["key_id"], bytes.fromhex(case["signature"]))
    return Envelope(case["payload_type"], bytes.fromhex(case["payload"]), (signature,))


def test_seals_made_by_the_rules_open() -> None:
    """`info` and row form are fixed: what another program sealed by them opens here."""
    vectors = load("own/seals")
    raw = bytes.fromhex(vectors["recipient_private_key"])
    key = SealingKey(x25519.X25519PrivateKey.from_private_bytes(raw))
    secret = bytes.fromhex(vectors["secret"])
    rows = vectors["rows"]

    opened = open_secret(bytes.fromhex(vectors["sealed_secret"]), key=key, context=bytes.fromhex(vectors["context"]))
    plaintexts = open_rows(
        bytes.fromhex(vectors["row_key"]),
        [bytes.fromhex(row["sealed"]) for row in rows],
        [bytes.fromhex(row["permit_digest"]) for row in rows],
    )

    assert key.recipient.thumbprint.hex() == vectors["recipient_thumbprint"]
    assert opened == secret
    assert [each.hex() for each in plaintexts] == [row["plaintext"] for row in rows]


def test_trees_are_those_of_rfc_6962() -> None:
    """Roots, audit paths and consistency proofs of the reference tree."""
    vectors = load("published/rfc6962")
    leaves = leaf_hashes(bytes.fromhex(leaf) for leaf in vectors["leaves"])
    roots = [bytes.fromhex(each) for each in vectors["roots"]]
    trees = [MerkleTree(leaves[:size]) for size in range(len(leaves) + 1)]

    assert [tree.root for tree in trees] == roots
    assert [root(leaves[:size]) for size in range(len(leaves) + 1)] == roots
    for case in vectors["inclusion"]:
        index, size, path = case["index"], case["size"], hexes(case["path"])
        assert list(trees[size].inclusion_path(index)) == path
        verify_inclusion(leaves[index], index=index, size=size, path=path, root=roots[size])
    for case in vectors["consistency"]:
        first, second, path = case["first"], case["second"], hexes(case["path"])
        assert list(trees[second].consistency_path(first)) == path
        verify_consistency(
            first_size=first,
            second_size=second,
            first_root=roots[first],
            second_root=roots[second],
            path=path,
        )


def test_trees_are_those_of_the_recursive_definition() -> None:
    """For sizes around powers of two, every path and proof is the definition's."""
    for case in load("own/trees")["trees"]:
        tree = MerkleTree(leaf_hashes(b"leaf %d" % number for number in range(case["size"])))

        assert tree.root.hex() == case["root"]
        assert [list(path) for path in tree.inclusion_paths()] == [hexes(path) for path in case["inclusion"]]
        assert [list(tree.consistency_path(first + 1)) for first in range(case["size"])] == [
            hexes(path) for path in case["consistency"]
        ]
