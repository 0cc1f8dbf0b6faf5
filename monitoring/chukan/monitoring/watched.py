# SPDX-License-Identifier: Apache-2.0
"""Reasons that alert rules ask for by name; their counters stand at 0 before anything happened."""

from __future__ import annotations

from typing import Final

__all__ = ["VERIFICATION", "WATCHED"]

VERIFICATION: Final = (
    "CERTIFICATE_INVALID",
    "INCLUSION_PROOF_INVALID",
    "KEY_INVALID",
    "KEY_UNKNOWN",
    "PEER_ANSWER_INVALID",
    "PERMIT_CONTENT_MISMATCH",
    "PERMIT_MISSING",
    "PERMIT_REPLAYED",
    "PERMIT_ROUTE_MISMATCH",
    "SEAL_NOT_OPENABLE",
    "SIGNATURE_INVALID",
    "SIGNER_CERTIFICATE_EXPIRED",
    "SIGNER_CERTIFICATE_INVALID",
    "SIGNER_CERTIFICATE_UNTRUSTED",
    "SIGNER_CERTIFICATE_WRONG_ORGANIZATION",
    "SIGNER_CERTIFICATE_WRONG_PURPOSE",
)
"""A permit, signature, seal or key did not verify: a wrong clock or key, a fault, or somebody who tampers."""
WATCHED: Final = (
    *VERIFICATION,
    "CERTIFICATE_EXPIRED",
    "CONNECTION_LIMIT",
    "INTERNAL_ERROR",
    "OVERLOADED",
    "PEER_UNREACHABLE",
    "PERMIT_EXPIRED",
    "STORAGE_FULL",
    "STORAGE_UNAVAILABLE",
    "WATCHES_EXHAUSTED",
)
