# SPDX-License-Identifier: Apache-2.0
"""Profiles of inquiry and result files for the reference page, from the shipped ones and their readers."""

from __future__ import annotations

from typing import Final

from reference_files import PLACES
from reference_page import code, table

from chukan.adapter.exchange.input_profile import INPUT_TYPES, MEANINGS, NEEDED
from chukan.adapter.exchange.profile_files import profile_names, read_profile
from chukan.adapter.exchange.result_profile import COLUMNS
from chukan.adapter.exchange.rule_texts import rule_text

__all__ = ["profiles"]

_INPUT: Final = {
    "kind": "`input`",
    "name": "its name",
    "title": "what it is",
    "encoding": "encoding of the file, as Python names it",
    "line_end": "`crlf` or `lf`, on every row, the last one too",
    "delimiter": "one character; empty: fixed widths without a delimiter",
    "rows_per_file": "rows beyond are rejected; remainder and reject files are split here",
    "longest_row": "bytes",
    "files": "which files of a folder are taken, in order of their names",
    "business_ids": "業務ID the local numbers are looked for under, in this order; the empty one is the register",
    "time_out_hours": "how long the middle server waits for an answer",
    "consent": "whether the people's consent is there; `--consent` overrides it",
    "fields": "`[[fields]]`, one each, in the order of the file",
}
_FIELD: Final = {
    "meaning": "one of the meanings below; without one the field is passed on and means nothing here",
    "name": "its name, as staff are told it",
    "width": "characters",
    "type": "one of the types below",
    "required": "`true` if it may not be blank",
}
_RESULT: Final = {
    "kind": "`result`",
    "name": "its name",
    "title": "what it is",
    "like": "another result profile: what is not said here is as there",
    "insert": "`[[insert]]` with `before` (a column of the profile it is like) and `count`: blank columns in between",
    "input": "the input profile",
    "encoding": "encoding of the file",
    "line_end": "`crlf` or `lf`",
    "quoting": "`minimal`, `all` or `none`",
    "width": "columns of a row",
    "messages": "the profile of messages",
    "nil": "`[nil]`: `text` in the item's own column, `reason_column` `next` or `none`",
    "items": "`[items]`: `first`, `last` and `step` of the item columns; `[items.at.TM…]`: item code = column",
    "columns": "`[columns]`: content = column, counted from 0",
}
_OWN_INPUT: Final = """\
kind = "input"
name = "our-input"
title = "税務システムの照会依頼"
encoding = "cp932"
line_end = "crlf"
delimiter = "\\t"
rows_per_file = 10000
longest_row = 1024
files = "SHOKAI_*.txt"
business_ids = [""]
time_out_hours = 336
consent = false

[[fields]]
meaning = "number_system"
name = "番号体系"
width = 2
type = "digits"
required = true

[[fields]]
meaning = "local_address_number"
name = "宛名番号"
width = 15
type = "digits"
required = true

[[fields]]
meaning = "affair_code"
name = "事務コード"
width = 16
type = "affair"
required = true

[[fields]]
meaning = "procedure_code"
name = "事務手続コード"
width = 16
type = "procedure"
required = true

[[fields]]
meaning = "provider_code"
name = "照会先"
width = 16
type = "provider"
required = true

[[fields]]
meaning = "information_code"
name = "特定個人情報名コード"
width = 16
type = "information"
required = true
"""
_OWN_RESULT: Final = """\
kind = "result"
name = "our-result"
title = "税務システムの照会結果"
like = "2024"
input = "our_input.toml"
encoding = "cp932"
"""


def profiles() -> str:
    """Say how profiles are written."""
    shipped, _ = read_profile("input", "p640r110")
    called = {field["meaning"]: field["name"] for field in shipped["fields"]}
    meanings = ((code(each), called[each], "yes" if each in NEEDED else "") for each in MEANINGS)
    types = ((code(kind), rule_text(rule.replace("WIDTH", "12")).english) for kind, (_, rule) in INPUT_TYPES.items())
    contents = ((code(each), PLACES.get(each, "the inquiry's fields, as sent")) for each in COLUMNS)
    names = ", ".join(code(name) for name in profile_names("result"))
    intro = (
        f"`--profile` names a result profile: {names}, or a TOML file, which names the input profile it goes with. "
        "The shipped files are described in [inquiry and result files](inquiry_files.md). Names that end in `.toml` "
        "are paths, seen from the file they stand in. These two, in one folder, read tab-separated files of six "
        "fields and write results in CP932: `chukan adapter inquire --profile our_result.toml …`"
    )
    messages = "copy `messages.toml` of the shipped profiles; a reason it does not name is told by the reason table."
    return "\n\n".join(
        (
            "## Profiles",
            intro,
            f"`our_input.toml`:\n\n```toml\n{_OWN_INPUT}```",
            f"`our_result.toml`:\n\n```toml\n{_OWN_RESULT}```",
            "An input profile:",
            table(("key", "meaning"), ((code(key), meaning) for key, meaning in _INPUT.items())),
            "`[[fields]]`:",
            table(("key", "meaning"), ((code(key), meaning) for key, meaning in _FIELD.items())),
            table(("meaning", "in the shipped file", "needed"), meanings),
            f"Types (a width of 12 is taken where it matters):\n\n{table(('type', 'a value'), types)}",
            "A result profile:",
            table(("key", "meaning"), ((code(key), meaning) for key, meaning in _RESULT.items())),
            f"Contents of `[columns]`:\n\n{table(('content', 'what'), contents)}",
            f"Row messages by reason: {messages}",
        )
    )
