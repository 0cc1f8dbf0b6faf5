# SPDX-License-Identifier: Apache-2.0
"""Rebuild the vectors under tests/vectors/own from the written rules, not from our code.

`python tests/vectors/rebuild.py` writes them; `--check` says whether they are fresh. A
client in another language can be tested with the same files. HPKE and Merkle trees are
written here a second time, slowly and close to their RFCs, and first proven against the
published vectors; keys are those of RFC 6979 A.2.5 and RFC 9180 A.1.1.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = Path(__file__).parent
Json = dict[str, Any]


def published(name: str) -> Json:
    """Return the published vectors of this name."""
    content: Json = json.loads((HERE / "published" / f"{name}.json").read_text("utf-8"))
    return content


# HPKE, base mode, single shot: RFC 9180 §4, §4.1, §5.1, §5.2.


@dataclass(frozen=True)
class Sealed:
    """What a sender computes on the way."""

    enc: bytes
    shared_secret: bytes
    key: bytes
    nonce: bytes
    ciphertext: bytes


def labeled_extract(suite: bytes, salt: bytes, label: bytes, keying: bytes) -> bytes:
    """LabeledExtract of §4."""
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + keying, "sha256")


def labeled_expand(suite: bytes, key: bytes, label: bytes, info: bytes, size: int) -> bytes:
    """LabeledExpand of §4, for at most one block of output."""
    labeled = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(key, labeled + b"\x01", "sha256")[:size]


def hpke_seal(plaintext: bytes, *, keys: tuple[bytes, bytes], info: bytes, aad: bytes, aead: int) -> Sealed:
    """Seal with (ephemeral private, recipient public) keys, X25519, HKDF-SHA256, AES-GCM."""
    ephemeral, recipient = keys
    private = x25519.X25519PrivateKey.from_private_bytes(ephemeral)
    enc = private.public_key().public_bytes_raw()
    exchanged = private.exchange(x25519.X25519PublicKey.from_public_bytes(recipient))
    kem = b"KEM" + (0x20).to_bytes(2, "big")
    eae = labeled_extract(kem, b"", b"eae_prk", exchanged)
    shared = labeled_expand(kem, eae, b"shared_secret", enc + recipient, 32)
    suite = b"HPKE" + b"".join(part.to_bytes(2, "big") for part in (0x20, 1, aead))
    context = (
        b"\x00" + labeled_extract(suite, b"", b"psk_id_hash", b"") + labeled_extract(suite, b"", b"info_hash", info)
    )
    secret = labeled_extract(suite, shared, b"secret", b"")
    key = labeled_expand(suite, secret, b"key", context, {1: 16, 2: 32}[aead])
    nonce = labeled_expand(suite, secret, b"base_nonce", context, 12)
    return Sealed(enc, shared, key, nonce, AESGCM(key).encrypt(nonce, plaintext, aad))


# Merkle trees: RFC 6962 §2.1, by its recursive definition.


def tree_hash(leaves: list[bytes]) -> bytes:
    """MTH of §2.1, over leaf contents."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = largest_power_below(len(leaves))
    pair = tree_hash(leaves[:split]) + tree_hash(leaves[split:])
    return hashlib.sha256(b"\x01" + pair).digest()


def audit_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of §2.1.1."""
    if len(leaves) == 1:
        return []
    split = largest_power_below(len(leaves))
    if index < split:
        return [*audit_path(index, leaves[:split]), tree_hash(leaves[split:])]
    return [*audit_path(index - split, leaves[split:]), tree_hash(leaves[:split])]


def consistency_proof(first: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF of §2.1.2."""
    if first == len(leaves):
        return [] if whole else [tree_hash(leaves)]
    split = largest_power_below(len(leaves))
    if first <= split:
        proof = consistency_proof(first, leaves[:split], whole=whole)
        return [*proof, tree_hash(leaves[split:])]
    proof = consistency_proof(first - split, leaves[split:], whole=False)
    return [*proof, tree_hash(leaves[:split])]


def largest_power_below(size: int) -> int:
    """Return the k of §2.1: largest power of two smaller than the size."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


# Our own formats, as docstrings of chukan.server.crypto describe them.


def signing_key() -> ec.EllipticCurvePrivateKey:
    """Return the private key of RFC 6979 A.2.5."""
    return ec.derive_private_key(int(published("rfc6979")["private_key"], 16), ec.SECP256R1())


def sealing_key() -> x25519.X25519PrivateKey:
    """Return the recipient's key of RFC 9180 A.1.1."""
    raw = bytes.fromhex(published("rfc9180")["recipient_private_key"])
    return x25519.X25519PrivateKey.from_private_bytes(raw)


def spki(key: ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey) -> bytes:
    """Return the DER SubjectPublicKeyInfo of the public half."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


KINDS = (
    "request",
    "request-batch",
    "permit",
    "permit-batch",
    "answer",
    "answer-batch",
    "sealed-answer",
    "sealed-answer-batch",
    "record-commitment",
    "acknowledgement",
)


def envelopes() -> Json:
    """One envelope per kind of statement, and what must not verify."""
    key = signing_key()
    algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    types = [f"application/vnd.chukan.{kind}.v1+protobuf" for kind in KINDS]
    types.append("application/vnd.chukan.sealing-key.v1+json")
    key_id = hashlib.sha256(spki(key)).hexdigest()
    valid = []
    for payload_type in types:
        payload = f"payload of {payload_type}".encode()
        message = f"DSSEv1 {len(payload_type)} {payload_type} {len(payload)} ".encode() + payload
        valid.append(
            {
                "payload_type": payload_type,
                "payload": payload.hex(),
                "pae": message.hex(),
                "digest": hashlib.sha256(message).hexdigest(),
                "key_id": key_id,
                "signature": key.sign(message, algorithm).hex(),
            }
        )
    request, permit = valid[0], valid[2]
    refused = [
        {**request, "why": "signature of another payload", "signature": permit["signature"]},
        {**request, "why": "another payload", "payload": permit["payload"]},
        {**request, "why": "another kind", "payload_type": permit["payload_type"]},
        {**request, "why": "unknown key id", "key_id": "00" * 32},
        {**request, "why": "no key id", "key_id": ""},
        {**request, "why": "trailing byte", "signature": request["signature"] + "00"},
        {**request, "why": "no signature", "signature": ""},
    ]
    return {"public_key": spki(key).hex(), "valid": valid, "refused": refused}


def seals() -> Json:
    """One group secret and rows under its key, with fixed entropy."""
    key = sealing_key()
    recipient = key.public_key().public_bytes_raw()
    ephemeral = bytes.fromhex(published("rfc9180")["ephemeral_private_key"])
    context = b"the signed bytes of a header"
    info = b"chukan/seal/group-secret/v1\x00" + hashlib.sha256(context).digest()
    row_key = bytes(range(32))
    secret = row_key + b" and what else the group's secret bears"
    sealed = hpke_seal(secret, keys=(ephemeral, recipient), info=info, aad=b"", aead=2)
    return {
        "suite": "HPKE-BASE-X25519-HKDF_SHA256-AES_256_GCM+ROWS-AES_256_GCM",
        "recipient_private_key": key.private_bytes_raw().hex(),
        "recipient_thumbprint": hashlib.sha256(spki(key)).hexdigest(),
        "context": context.hex(),
        "info": info.hex(),
        "secret": secret.hex(),
        "sealed_secret": (sealed.enc + sealed.ciphertext).hex(),
        "row_key": row_key.hex(),
        "rows": [row(row_key, number) for number in range(3)],
    }


def row(key: bytes, number: int) -> Json:
    """One sealed row: nonce ‖ ciphertext ‖ tag, the permit's digest as associated data."""
    nonce = bytes([number]) * 12
    digest = hashlib.sha256(b"permit %d" % number).digest()
    plaintext = f"所得額 {number}".encode() if number else b""
    sealed = nonce + AESGCM(key).encrypt(nonce, plaintext, digest)
    return {"permit_digest": digest.hex(), "plaintext": plaintext.hex(), "sealed": sealed.hex()}


def trees() -> Json:
    """Roots, all audit paths and all consistency proofs for sizes around powers of two."""
    sizes = (1, 2, 3, 5, 7, 8, 9, 13, 16, 17)
    cases = []
    for size in sizes:
        leaves = [b"leaf %d" % number for number in range(size)]
        cases.append(
            {
                "size": size,
                "root": tree_hash(leaves).hex(),
                "inclusion": [[step.hex() for step in audit_path(index, leaves)] for index in range(size)],
                "consistency": [
                    [step.hex() for step in consistency_proof(first, leaves)] for first in range(1, size + 1)
                ],
            }
        )
    return {"leaf_content": "leaf N, N from 0, ASCII decimal", "trees": cases}


def build() -> dict[str, str]:
    """Return all vector files: name to text."""
    vectors = {"envelopes.json": envelopes(), "seals.json": seals(), "trees.json": trees()}
    return {name: json.dumps(content, ensure_ascii=False, indent=1) + "\n" for name, content in vectors.items()}


def main(arguments: list[str]) -> int:
    """Write the files, or with --check compare them; 1 when any differs."""
    stale = 0
    for name, text in build().items():
        path = HERE / "own" / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale += 1
        if "--check" not in arguments:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        sys.stdout.write(f"{'stale' if '--check' in arguments else 'written'}: {path.name}\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
