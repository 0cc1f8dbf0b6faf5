# SPDX-License-Identifier: Apache-2.0
"""The reference page of inquiry and result files, from the profiles the adapter reads."""

from __future__ import annotations

from typing import Any, Final

from reference_page import code, page, table

from chukan.adapter.exchange.profile_files import read_profile

__all__ = ["PLACES", "inquiry_files"]

_FOLDER: Final = "adapter/chukan/adapter/exchange/profiles"
#: The columns of a result file that say how a row ended.
PLACES: Final = {
    "provider_code": "情報提供者機関コード, 16 digits",
    "provider_name": "情報提供者名",
    "record_id": "レコード識別番号",
    "receipt_number": "受付番号",
    "record_ordinal": "回答レコード連番, from 1",
    "row_status": "照会ステータス(明細単位)",
    "row_message": "照会処理結果メッセージ(明細単位)",
    "information_status": "照会ステータス(特定個人情報名単位)",
    "information_message": "照会処理結果メッセージ(特定個人情報名単位)",
    "answer_kind": "回答区分: 1 values, 2 no replica, blank not answered",
    "reason": "[reason code](reasons.md)",
    "data_set": "データセット",
    "edition": "版番号",
    "record_key": "データセットレコードキー",
    "parent_record_key": "親のデータセットレコードキー",
    "start_date": "公開開始日",
    "end_date": "公開終了日",
    "provision_time": "情報提供日時, yyyyMMddHHmmss",
    "expire_date": "照会結果の保存期限, yyyyMMdd",
    "record_count": "回答レコード件数",
}


_STATUSES: Final = """\
## Status codes

Success is `09` on the row level with `01` on the information level. The other codes are this project's own
([divergences](../divergences.md)): treat any other pair as "look at the message and
the reason", not as one of these codes.

| row level | meaning |
|---|---|
| `01` | accepted |
| `02` | asked |
| `03` | waits for a person |
| `09` | ended normally; on the information level `01` values, `02` no replica |
| `90` | refused |
| `91` | a number or code is wrong |
| `92` | the record identification number is wrong |
| `93` | not permitted |
| `94` | the provider could not answer |
| `95` | not answered in time |
| `96` | cancelled |
| `97` | the result is no longer held |"""


def inquiry_files() -> str:
    """List the fields of an inquiry file and the fixed columns of a result file."""
    asked, _ = read_profile("input", "p640r110")
    result, _ = read_profile("result", "2024")
    return page(
        "Inquiry and result files (照会依頼・照会結果ファイル)",
        f"`{_FOLDER}/p640r110.toml`, `2024.toml`",
        "What `chukan adapter inquire --file IN --out OUT` reads and writes. `chukan people generate --linked` writes "
        "inquiry files to copy from. A file of another shape is a profile of one's own: copy one of those named above.",
        f"## Inquiry file\n\n{_form(asked)}\n\n{_fields(asked)}",
        f"## Result file\n\n{_columns(result)}",
        _STATUSES,
    )


def _form(asked: dict[str, Any]) -> str:
    return (
        f"No header; {len(asked['fields'])} fields joined by `{asked['delimiter']}`; {asked['encoding'].upper()}; "
        f"{asked['line_end'].upper()} after every row; at most {asked['rows_per_file']:,} rows. A field that is not "
        "required may be empty or spaces; without an integrated address number the local one is converted. Types: "
        "instant is yyyyMMddHHmmssSSS, date yyyyMMdd, provider a code of 5, 6 or 16 digits, the other codes as in "
        "[layouts](layouts.md) and [permission list](permission_list.md)."
    )


def _fields(asked: dict[str, Any]) -> str:
    rows = (
        (place, field["name"], field["width"], field["type"], "yes" if field.get("required") else "")
        for place, field in enumerate(asked["fields"], start=1)
    )
    return table(("field", "name", "width", "type", "required"), rows)


def _columns(result: dict[str, Any]) -> str:
    items = result["items"]
    intro = (
        f"No header; {result['width']} columns, counted from 0; {result['encoding'].upper()}; "
        f"{result['line_end'].upper()}. The inquiry's own fields come first. Items of the answer stand in every second "
        f"column from {items['first']} to {items['last']}, each followed by the "
        "[reason for nil](layouts.md#reasons-for-nil-値なし理由). One answer of several records is several rows."
    )
    named = sorted((place, name) for name, place in result["columns"].items() if name in PLACES)
    at = [
        (place, f"{code(item)} of {code(information)}")
        for information, places in items["at"].items()
        for item, place in sorted(places.items(), key=lambda each: int(each[1]))
    ]
    return f"{intro}\n\n{table(('column', 'content'), [*((place, PLACES[name]) for place, name in named), *at])}"
