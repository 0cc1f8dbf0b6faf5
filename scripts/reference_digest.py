# SPDX-License-Identifier: Apache-2.0
"""The reference page of the digest by which an original and its replicas are compared, with a vector from the code."""

from __future__ import annotations

from reference_page import page

from chukan.server.domain.content import Item
from chukan.server.middle.comparison import DigestedRecord, digest_lines, replica_digest

__all__ = ["digest_page"]

_SAMPLE = DigestedRecord(
    edition="0001",
    start_date="20260601",
    end_date="",
    parent_record_key="",
    ward_code="",
    items=(
        Item("TK90002010000004", "3500", ""),
        Item("TK90002010000001", "2026", ""),
        Item("TK90002010000003", "", "01"),
    ),
)


def digest_page() -> str:
    """Say how the digest is made, and show one."""
    rule = (
        "`CompareReplicas` compares digests, so that no content travels. The digest of a record is the SHA-256 of "
        "these lines, in this order, joined by a line feed, without one at the end, as UTF-8:\n\n"
        "1. the form: `chukan-replica-digest-v1`\n"
        "2. `edition=` and the edition (版番号), 4 digits\n"
        "3. `start_date=` and the first day of publication (公開日), yyyyMMdd\n"
        "4. `end_date=` and the last one (公開終了日); nothing after `=` where it is open\n"
        "5. `parent_record_key=` and the parent's record key; nothing where there is none\n"
        "6. `ward_code=` and the ward (行政区コード); nothing where there is none\n"
        "7. a line per item, these sorted by code points: an item with a value is item code, `=`, value; one that is "
        "nil is item code, `!`, reason code; one that is absent has no line\n\n"
        "Which replica it is (addressee, information, data set, record key) stands beside the digest; the record "
        "identification number is no content."
    )
    example = (
        f"## Example\n\n```\n{chr(10).join(digest_lines(_SAMPLE))}\n```\n\nSHA-256: `{replica_digest(_SAMPLE).hex()}`"
    )
    return page(
        "Digest of a replica (突合用ダイジェスト)", "`server/chukan/server/middle/comparison.py`", rule, example
    )
