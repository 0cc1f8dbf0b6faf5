# SPDX-License-Identifier: Apache-2.0
"""What a report may show of an exchange: no number of a person, no value of a record, whatever the target answered.

Two nets: by field name, and every run of 11 digits or more in any text and any width (individual numbers, resident
record codes, integrated address numbers, and what one of them was run together with). Organization codes (16), receipt
numbers (20) and the codes of informations, affairs, procedures and items stay readable: so would a person's number that
was run together with as many digits as make up 16 or 20.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

__all__ = ["MASK", "masked", "masked_at", "masked_text"]

MASK: Final = "•••"

_PERSONAL: Final = frozenset(
    {
        "value",
        "values",
        "names",
        "name",
        "birth_date",
        "birth_dates",
        "residential_address",
        "residential_addresses",
        "individual_number",
        "individual_numbers",
        "resident_record_codes",
        "processing_number",
        "processing_numbers",
        "authorization",
    }
)
_CODE: Final = r"(?P<code>(?:TM|JM|JT|TK)[0-9]{14}(?![0-9]))"
_KNOWN: Final = r"(?:[0-9]{16}|[0-9]{20})(?![0-9])"
_DIGITS: Final = re.compile(
    rf"{_CODE}|(?<![0-9])(?!{_KNOWN})[0-9]{{11,}}|(?<![0-9])[0-9]{{4}}([- ])[0-9]{{4}}\2[0-9]{{4}}(?![0-9])"
)
_LONGEST_LIST: Final = 20


def masked_text(text: str) -> str:
    """Return the text without anything that could be a person's number."""
    plain = unicodedata.normalize("NFKC", text)
    shown = _DIGITS.sub(lambda found: found["code"] or MASK, plain)
    return text if shown == plain else shown


def masked(document: Any, field: str = "") -> Any:  # noqa: ANN401  # JSON
    """Return JSON as a report may show it; lists are cut, because nobody reads row 5,000."""
    if isinstance(document, dict):
        return {key: masked(each, key) for key, each in document.items()}
    if isinstance(document, list):
        shown = [masked(each, field) for each in document[:_LONGEST_LIST]]
        return [*shown, f"… {len(document)}"] if len(document) > _LONGEST_LIST else shown
    if field in _PERSONAL and document not in ("", None):
        return MASK
    return masked_text(document) if isinstance(document, str) else document


def masked_at(path: str, found: Any) -> Any:  # noqa: ANN401  # JSON
    """Return what stands at a path of a case as a report may show it; all of a message is never shown."""
    last = path.replace("]", "").replace("[", ".").rpartition(".")[2]
    if path in ("", "request", "metadata") or last in _PERSONAL or last.rstrip("s") in _PERSONAL:
        return MASK
    return masked(found, last)
