# SPDX-License-Identifier: Apache-2.0
"""The reference page of the digest by which an original and its replicas are compared, with a vector from the code."""

from __future__ import annotations

from reference_page import page

from chukan.server.domain.content import Item
from chukan.server.middle.comparison import replica_digest

__all__ = ["digest_page"]

_SAMPLE = (
    Item("TK90002010000004", "3500", ""),
    Item("TK90002010000001", "2026", ""),
    Item("TK90002010000003", "", "01"),
)


def digest_page() -> str:
    """Say how the digest is made, and show one."""
    lines = sorted(f"{each.item_code}!{each.nil_reason}" if each.nil_reason else f"{each.item_code}={each.value}"
                   for each in _SAMPLE)  # fmt: skip
    rule = (
        "`CompareReplicas` compares digests, so that no content travels. The digest of a record is the SHA-256 of its "
        "items' lines, sorted, joined by a line feed, without one at the end, as UTF-8:\n\n"
        "- an item with a value: item code, `=`, value\n"
        "- an item that is nil: item code, `!`, reason code\n"
        "- an item that is absent: no line"
    )
    example = f"## Example\n\n```\n{chr(10).join(lines)}\n```\n\nSHA-256: `{replica_digest(_SAMPLE).hex()}`"
    return page(
        "Digest of a replica (突合用ダイジェスト)", "`server/chukan/server/middle/comparison.py`", rule, example
    )
