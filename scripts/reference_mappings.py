# SPDX-License-Identifier: Apache-2.0
"""The reference page of extracts and mapping files, from the shipped mappings, the transforms and the readers."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from reference_page import code, page, table
from reference_profiles import profiles

from chukan.adapter.mapping.extracts import DATA_SET_KEYS, EXTRACT_KEYS, NIL_KEYS
from chukan.adapter.mapping.people import FIELDS, FLAGS, OTHER, PEOPLE_KEYS
from chukan.adapter.mapping.reading import EXPRESSION_KEYS
from chukan.adapter.mapping.transforms import transform, transform_names
from chukan.people import columns
from chukan.standard.layouts import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["mappings"]

_FOLDER: Final = "adapter/chukan/adapter/mapping/data"
_EXPRESSION: Final = "*expression*"
_OF_A_FILE: Final = {
    "title": "name shown, in Japanese",
    "title_english": "the same in English; `title` if it is not there",
    "information": "information code (特定個人情報名コード), TM + 14",
    "edition": "edition of the layout (版番号); a load takes the mapping of the edition in force, or of `--edition`",
    "files": "names of the files it reads, with `*`. A file of another name is told by its columns",
    "local_number": f"{_EXPRESSION}: 宛名番号, 15 digits",
    "number_system": "番号体系 of these numbers, 2 digits; `01`, the resident register, if it is not there",
    "business_id": "業務ID of these numbers; none if it is not there",
    "data_set_column": "column that names the data set; needed where there are several",
    "data_sets": "the data sets (データセット), one `[[data_sets]]` each",
}
_OF_A_DATA_SET: Final = {
    "code": "code of the data set in the [layout](layouts.md)",
    "record_key": f"{_EXPRESSION}: the record key (データセットレコードキー), the value of the layout's key item",
    "parent_key": f"{_EXPRESSION}: record key of the parent; needed where the layout has a parent, else not allowed",
    "start": f"{_EXPRESSION}: first day of publication, yyyyMMdd",
    "end": f"{_EXPRESSION}: last day of publication; empty or not there: open",
    "items": f"`[data_sets.items]`: {_EXPRESSION} by item code; every required item of the layout must be there",
    "nil_when": "list of rules that say why empty items of a row are nil; the first that fits counts",
}
_OF_NIL: Final = {
    "column": "column that is looked at",
    "is": "list of its values for which the rule holds",
    "reason": "[reason for nil](layouts.md#reasons-for-nil-値なし理由)",
}
_OF_PEOPLE: Final = {
    "files": "names of the files it reads, with `*`",
    "number_system": "番号体系, 2 digits: `01` residents, `02` non-residents; lower ones are loaded first",
    "local_number": f"{_EXPRESSION}: 宛名番号, 15 digits",
    "business_id": f"{_EXPRESSION}: 業務ID, where every business has numbers of its own",
    "protective_measures_set": "flags that protective measures (支援措置) set besides: nondisclosure, "
    "self_information_disabled",
    "fields": f"`[people.fields]`: {_EXPRESSION} by field; `names` and `birth_dates` are needed. Without "
    "`individual_numbers` and `resident_record_codes` nobody gets a linkage code (符号), so nobody can be asked about",
    "flags": f"`[people.flags]`: {_EXPRESSION} by flag, which must become `1` or `0`. A flag that is not there leaves "
    "what stands as it is",
}
_OF_AN_EXPRESSION: Final = {
    "column": "column of the file; this or `constant`",
    "constant": "the same value in every row",
    "transforms": "list of transforms, applied in order; an empty value stays empty",
    "table": "value of the file → value sent, after the transforms; `*` is every other value. A value that is not "
    "there is refused",
    "empty": "items only: the reason for nil of an empty value. Without it, an empty value is no value",
}
_FLAGS: Final = {
    "protective_measures": "支援措置",
    "nondisclosure": "不開示該当",
    "self_information_disabled": "自己情報提供不可",
    "closed": "消除: no longer on the register; takes effect once the linkage code is there",
}
_CODES: Final = (
    "`resident_kinds` are `1` 日本人, `2` 外国人, `3` 住登外, `4` 法人; "
    "`resident_states` are `1` 住民, `2` 転出予定, `3` 転出, `4` 死亡, `5` 職権消除."
)
_TRANSFORMS: Final = {
    "characters": ("checks that the text may travel (文字要件), and substitutes what has a substitute", "髙木　一郎"),
    "date": ("a date, with or without separators, to yyyyMMdd", "2026/4/1"),
    "era_date": ("a date, of an era (元号) or not, to yyyyMMdd", "令和8年4月1日"),
    "era_year": ("a year, of an era or not, to yyyy", "令和8年度"),
    "first_of_fiscal_year": ("the first day of a fiscal year", "令和8年度"),
    "first_of_month": ("the first day of a month", "2026年4月"),
    "flag": ("有, 該当, 〇, 1 … to `1`; 無, 非該当, ×, 0 … to `0`", "該当"),
    "half_width": ("full-width digits, letters and signs to half-width ones", "１２３－Ａ"),
    "last_of_fiscal_year": ("the last day of a fiscal year", "令和8年度"),
    "number": ("a whole number without separators, 円 and +; ▲ is minus", "▲1,234円"),
    "trim": ("blanks before and after go", " 12 "),
    "year_month": ("a month to yyyyMM", "2026年4月"),
    "zero_fill": ("zeros before, to the width written after the colon", "123"),
}
_WIDTH: Final = ":15"
_EXTRACTS: Final = (
    ("residents", "residents.csv", columns.RESIDENTS),
    ("non_residents", "non_residents.csv", columns.NON_RESIDENTS),
    ("resident_record_0801", "extracts/resident_record.csv", columns.RESIDENT_RECORD),
    ("local_tax_0801", "extracts/local_tax.csv", columns.LOCAL_TAX),
    ("child_allowance_0801", "extracts/child_allowance.csv", columns.CHILD_ALLOWANCE),
    ("long_term_care_0801", "extracts/long_term_care.csv", columns.LONG_TERM_CARE),
)
_EXAMPLE: Final = """\
title = "児童手当"
title_english = "child allowance"
information = "TM00000000000010"
edition = "0801"
files = ["JTEATE_*.csv"]
local_number = { column = "宛名CD", transforms = ["half_width", "zero_fill:15"] }

[[data_sets]]
code = "0100"
record_key = { column = "認定NO", transforms = ["trim"] }
start = { column = "認定年月日", transforms = ["era_date"] }
end = { column = "消滅年月日", transforms = ["era_date"] }
nil_when = [{ column = "未申告", is = ["1"], reason = "01" }]

[data_sets.items]
TK90010010000001 = { column = "認定NO", transforms = ["trim"] }
TK90010010000002 = { column = "受給者", table = { "被用者" = "1", "*" = "2" } }
TK90010010000003 = { column = "認定年月日", transforms = ["era_date"] }
TK90010010000004 = { column = "開始", transforms = ["year_month"] }
TK90010010000006 = { column = "手当月額", transforms = ["number"], empty = "05" }
TK90010010000007 = "児童数"
TK90010010000016 = { constant = "0" }
"""
_EXAMPLE_ROWS: Final = """\
宛名CD,認定NO,認定年月日,消滅年月日,未申告,受給者,開始,手当月額,児童数
1234,A1,令和8年4月1日,,0,被用者,2026年4月,"15,000円",2
1235,A2,R8.4.1,,1,公務員,202604,,1
"""
_PEOPLE_EXAMPLE: Final = """\
title = "住民"

[people]
files = ["JUMIN_*.csv"]
number_system = "01"
local_number = { column = "宛名CD", transforms = ["half_width", "zero_fill:15"] }

[people.fields]
individual_numbers = "個人番号"
resident_record_codes = "住民票コード"
names = "氏名"
kana_names = "カナ"
birth_dates = { column = "生年月日", transforms = ["era_date"] }
sexes = { column = "性別", table = { "男" = "1", "女" = "2" } }
residential_addresses = "住所"
resident_kinds = { constant = "1" }
resident_states = { column = "異動", table = { "転出" = "3", "死亡" = "4", "*" = "1" } }

[people.flags]
protective_measures = { column = "DV等支援", transforms = ["flag"] }
"""


def mappings() -> str:
    """Say what an extract looks like, how a mapping is written, and how a profile is."""
    return page(
        "Extracts, mappings and profiles (抽出ファイル・マッピング・プロファイル)",
        f"`{_FOLDER}`, `adapter/chukan/adapter/mapping`, `adapter/chukan/adapter/exchange`",
        "`chukan adapter load` reads extracts of business systems by mappings, `chukan adapter inquire` reads and "
        "writes files by [profiles](#profiles). Those shipped fit the dummy files; for other files, write your own.",
        _form(),
        _writing(),
        _keys(),
        f"## Transforms\n\n{_transform_table()}",
        f"## Columns of the shipped extracts\n\n{_shipped()}",
        profiles(),
    )


def _form() -> str:
    return (
        "## Form of an extract\n\n"
        "CSV with a header row, in UTF-8 (with or without BOM) or CP932, lines ended by CRLF or LF; columns are found "
        "by name, in any order, and columns nobody reads are passed over. A file that lacks a "
        "column its mapping reads is refused as a whole, and named with the column; other files go on. A file is all "
        "there is of its kind: a record "
        "that is no longer in it has vanished, and is deleted with `--delete-reason` only. People come before what "
        "refers to them. A row that is not taken stands in the dead-letter file with row, column and reason; the "
        "others go on."
    )


def _writing() -> str:
    return (
        "## Writing a mapping\n\n"
        f"Copy one of `{_FOLDER}`, or begin with this one; put it into a folder, and name that: "
        "`chukan adapter load --mappings DIR --extracts … --dry-run` reads and checks everything and sends nothing. A "
        "mapping of a shipped one's file name replaces it. A mistake is refused with file and key: "
        "`MAPPING_INVALID`.\n\n"
        f"```toml\n{_EXAMPLE}```\n\nIt reads a file such as `JTEATE_202604.csv`:\n\n```csv\n{_EXAMPLE_ROWS}```\n\n"
        f"People are mapped to the address system's registration:\n\n```toml\n{_PEOPLE_EXAMPLE}```"
    )


def _keys() -> str:
    names = ", ".join(code(each) for each in (*FIELDS, *OTHER))
    fields = f"Fields of `people.fields`, as in `RegisterPeopleRequest`: {names}.\n\n{_CODES}"
    flags = table(("flag", "meaning"), ((code(each), _FLAGS[each]) for each in FLAGS))
    return "\n\n".join(
        (
            "## Keys",
            f"Where the tables say {_EXPRESSION}, a column's name may stand, or a table of these keys:",
            _table(_OF_AN_EXPRESSION, sorted(EXPRESSION_KEYS, key=list(_OF_AN_EXPRESSION).index)),
            "A mapping of an extract:",
            _table(_OF_A_FILE, EXTRACT_KEYS),
            "`[[data_sets]]`:",
            _table(_OF_A_DATA_SET, DATA_SET_KEYS),
            "`nil_when`:",
            _table(_OF_NIL, NIL_KEYS),
            "A mapping of people has `title`, `title_english` and `[people]`:",
            _table(_OF_PEOPLE, PEOPLE_KEYS),
            fields,
            flags,
        )
    )


def _table(meanings: Mapping[str, str], keys: Sequence[str]) -> str:
    if set(meanings) != set(keys):
        message = f"got meanings of {sorted(meanings)}, expected those of {sorted(keys)}"
        raise ValueError(message)
    return table(("key", "meaning"), ((code(key), meanings[key]) for key in keys))


def _transform_table() -> str:
    def rows() -> Iterator[tuple[str, str, str, str]]:
        for name in transform_names():
            meaning, example = _TRANSFORMS[name]
            written = name + _WIDTH if name == "zero_fill" else name
            yield code(written), meaning, f"`{example}`", code(transform(written).one(example))

    return table(("transform", "meaning", "example", "becomes"), rows())


def _shipped() -> str:
    intro = (
        "As `chukan people generate` writes them. A column without a destination is not read by the mapping. Edition "
        "0801 is shown; the mappings of 0701 read the same columns as far as that edition has the items."
    )
    return "\n\n".join([intro, *(_extract(*each) for each in _EXTRACTS)])


def _extract(name: str, file: str, names: Sequence[str]) -> str:
    data = tomllib.loads(files("chukan.adapter.mapping").joinpath("data", f"{name}.toml").read_text("utf-8"))
    uses: dict[str, list[tuple[str, Any]]] = {each: [] for each in names}
    for what, expression in _uses(data):
        column = expression if isinstance(expression, str) else expression.get("column", "")
        if column:
            uses[column].append((what, expression))
    rows = ((each, ", ".join(what for what, _ in uses[each]), _how(one for _, one in uses[each])) for each in names)
    return f"### {file}\n\n`{name}.toml`: {data['title']}.\n\n{table(('column', 'becomes', 'through'), rows)}"


def _uses(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what is made of which expression."""
    people = data.get("people")
    if people is not None:
        yield from ((key, people[key]) for key in ("local_number", "business_id") if key in people)
        for group in ("fields", "flags"):
            yield from ((code(key), expression) for key, expression in people.get(group, {}).items())
        return
    yield "local_number", data["local_number"]
    if "data_set_column" in data:
        yield "data set", data["data_set_column"]
    names = layout(data["information"], data["edition"])
    several = len(data["data_sets"]) > 1
    for each in data["data_sets"]:
        tail = f" ({each['code']})" if several else ""
        yield from ((f"{key}{tail}", each[key]) for key in ("record_key", "parent_key", "start", "end") if key in each)
        yield from ((f"reason for nil{tail}", rule["column"]) for rule in each.get("nil_when", ()))
        items = names.data_set(each["code"]).by_code
        yield from ((f"{code(key)} {items[key].name}", expression) for key, expression in each["items"].items())


def _how(expressions: Iterable[Any]) -> str:
    """Say what is done to the values of a column, each way once."""
    every = [each for each in expressions if isinstance(each, dict)]
    ways = dict.fromkeys(" ".join(each.get("transforms", ())) for each in every)
    tables = [" ".join(f"{given}→{sent}" for given, sent in each["table"].items()) for each in every if "table" in each]
    nils = dict.fromkeys(f"empty: nil {each['empty']}" for each in every if "empty" in each)
    return "; ".join(each for each in [*(code(way) for way in ways), *tables, *nils] if each)
