# SPDX-License-Identifier: Apache-2.0
"""What a verified statement says: that it counts here and now, and that exactly these leaves are under its root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.server.domain.exchange import STATEMENT_VERSION, check_header_times
from chukan.server.domain.merkle import leaf_hashes, root
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.exchange import Header, Mode, Statement

__all__ = ["check_all_leaves", "check_header"]


def check_header(
    header: Header,
    *,
    kind: str,
    issuer: str,
    recipients: Sequence[str],
    world_generation: str,
    mode: Mode,
    now_ms: int,
) -> None:
    """Return if the statement is of this kind, from the issuer to a recipient, in this world, mode and time."""
    # 1. It says itself what the envelope says, in the one version there is.
    if header.kind != kind or header.version != STATEMENT_VERSION:
        raise ChukanError("SIGNATURE_INVALID", params={"rule": "kind"})
    # 2. Who signed is who it says, and it is for us.
    if header.issuer != issuer or header.recipient not in recipients:
        raise ChukanError("SIGNATURE_INVALID", params={"rule": "issuer_and_recipient"})
    # 3. This world and no earlier generation of it.
    if header.world_generation != world_generation:
        raise ChukanError("WORLD_MISMATCH")
    # 4. Production and test never mix.
    if header.mode is not mode:
        raise ChukanError("MODE_MISMATCH")
    # 5. It counts now.
    check_header_times(header, now_ms)


def check_all_leaves(statement: Statement, leaves: Sequence[bytes]) -> None:
    """Return if exactly these leaves in this order are what was signed, else INCLUSION_PROOF_INVALID."""
    if not leaves or statement.leaf_count != len(leaves) or root(leaf_hashes(leaves)) != statement.merkle_root:
        raise ChukanError("INCLUSION_PROOF_INVALID", params={"rule": "leaves"})
