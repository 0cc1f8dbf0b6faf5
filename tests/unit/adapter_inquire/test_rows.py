# SPDX-License-Identifier: Apache-2.0
"""Rows of an inquiry file: what is right is read as it is, what is wrong is named by row, column and rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chukan.adapter.exchange.input_profile import INPUT_TYPES, InputField, input_profile
from chukan.adapter.exchange.lines import Line, read_lines, take_file
from chukan.adapter.exchange.rows import RowReader
from chukan.adapter.exchange.rule_texts import rule_text
from chukan.standard.numbers import dummy_individual_number

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.adapter.exchange.rows import Row

PROFILE = input_profile("p640r110")
CALLER = "0220113112101700"
GOOD = (
    "01", "000000000000001", "", "20260615090000000", "131120101", "DUMMY0001", CALLER, "1", "JM01000000121000",
    "JT01010000000214", "", "", "13104", "TM00000000000002", "0", "0", "20260601", "20270531",
)  # fmt: skip


def read(raw: bytes, *, row: int = 2) -> Row:
    reader = RowReader(PROFILE, "a.DAT", caller=CALLER)
    return reader.read(Line(row, 0, len(raw), raw[: PROFILE.longest_row]))


def line(*fields: str, end: str = "\r\n") -> bytes:
    return (",".join(fields) + end).encode()


def changed(position: int, value: str) -> bytes:
    return line(*GOOD[: position - 1], value, *GOOD[position:])


def _digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


def _padded(strategy: st.SearchStrategy[str], width: int) -> st.SearchStrategy[str]:
    return st.tuples(strategy, st.booleans()).map(lambda pair: pair[0].ljust(width) if pair[1] else pair[0])


def _maybe(strategy: st.SearchStrategy[str], width: int) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), st.just(" " * width), strategy)


DATES = st.dates().map(lambda day: day.strftime("%Y%m%d").zfill(8))
NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabc-_./", min_size=1, max_size=20)
LAST_ENDS = st.sampled_from([b"", b"\n"])
ROWS = st.tuples(
    _digits(2),
    _digits(15),
    _maybe(_digits(15), 15),
    _maybe(DATES.map(lambda day: day + "235959999"), 17),
    _maybe(_padded(NAMES, 20), 20),
    _maybe(_padded(NAMES, 20), 20),
    st.just(CALLER),
    _maybe(_digits(1), 1),
    _digits(14).map("JM".__add__),
    _digits(14).map("JT".__add__),
    _maybe(st.just("0220113104101700"), 16),
    _maybe(st.just("0220113104101700"), 16),
    _padded(st.sampled_from(["13104", "131041", "0220113104101700", "01101", "1419900000002200"]), 16),
    st.sampled_from(["TM00000000000002", "TM00000000000089"]),
    _maybe(_digits(1), 1),
    _maybe(_digits(1), 1),
    _maybe(DATES, 8),
    st.just(""),
)


@given(ROWS)
def test_every_row_in_good_form_is_read_as_it_is_padded_or_not(fields: tuple[str, ...]) -> None:
    row = read(line(*fields))

    assert row.problems == ()
    assert row.fields == fields
    assert row.values == tuple(field.rstrip(" ") for field in fields)


@given(ROWS, st.integers(1, 18), st.text("0123456789JMT Z,", max_size=24))
def test_a_row_is_either_read_or_a_problem_names_its_column(fields: tuple[str, ...], position: int, value: str) -> None:
    row = read(line(*fields[: position - 1], value, *fields[position:]))

    if row.problems:
        assert all(problem.rule and problem.row == 2 for problem in row.problems)
        assert "," in value or position in [problem.column for problem in row.problems] or position in (17, 18)
    else:
        assert row.fields is not None


@given(st.binary(max_size=2000).filter(lambda raw: b"\n" not in raw[:-1]))
def test_whatever_bytes_come_the_row_is_judged_without_an_exception(raw: bytes) -> None:
    row = read(raw + b"\r\n")

    assert row.problems


@pytest.mark.parametrize(
    ("raw", "column", "reason"),
    [
        (line(*GOOD[:17]), 18, "ROW_SHORT"),
        (line(*GOOD, "1"), 19, "ROW_LONG"),
        (line(*GOOD, end="\n"), 0, "FILE_LINE_END"),
        (line(*GOOD, end=""), 0, "FILE_LINE_END"),
        (line("あ", *GOOD[1:]), 1, "FILE_ENCODING"),
        (line(*GOOD[:4], "部", *GOOD[5:]), 5, "FILE_ENCODING"),
        (line(*GOOD[:4], "A\x1bB", *GOOD[5:]), 5, "FILE_BINARY"),
        (line(*GOOD[:5], "A\0B", *GOOD[6:]), 6, "FILE_BINARY"),
        (b"\r\n", 2, "ROW_SHORT"),
        (b"x" * 5000 + b"\r\n", 0, "ROW_TOO_LARGE"),
        (changed(6, dummy_individual_number(7)), 6, "INDIVIDUAL_NUMBER_REFUSED"),
        (changed(2, dummy_individual_number(7)), 2, "INDIVIDUAL_NUMBER_REFUSED"),
    ],
)
def test_what_is_no_row_goes_back_as_it_came(raw: bytes, column: int, reason: str) -> None:
    row = read(raw)

    assert row.fields is None
    assert [(problem.column, problem.reason) for problem in row.problems] == [(column, reason)]


@pytest.mark.parametrize(
    ("position", "value", "reason", "rule"),
    [
        (1, "", "VALUE_REQUIRED", "required"),
        (2, "1" * 16, "VALUE_TOO_LONG", "width=15"),
        (2, "12345", "VALUE_FORMAT", "digits=15"),
        (4, "20260230090000000", "DATE_INVALID", "a date that exists"),
        (4, "20260615250000000", "VALUE_FORMAT", "yyyyMMddHHmmssSSS"),
        (7, "0220113104101700", "ORGANIZATION_MISMATCH", "the organization that asks"),
        (9, "JT01000000121000", "VALUE_FORMAT", "JM+14"),
        (11, "9999999999999999", "ORGANIZATION_UNKNOWN", "an organization that exists"),
        (13, "", "PROVIDER_BLANK", "required"),
        (13, "                ", "PROVIDER_BLANK", "required"),
        (13, "99999", "PROVIDER_UNKNOWN", "an organization that exists"),
        (13, "131042", "PROVIDER_UNKNOWN", "an organization that exists"),
        (13, "1310", "VALUE_FORMAT", "digits=5|6|16"),
        (14, "TM99999999999999", "INFORMATION_UNKNOWN", "an information that exists"),
        (15, "A", "VALUE_FORMAT", "digit"),
        (17, "20270601", "PERIOD_INVALID", "start<=end"),
        (18, "20261301", "DATE_INVALID", "a date that exists"),
    ],
)
def test_a_wrong_value_is_named_and_the_row_stays_a_row(position: int, value: str, reason: str, rule: str) -> None:
    row = read(changed(position, value))

    assert row.fields is not None
    problem = row.problems[0]
    assert (problem.file, problem.row, problem.reason, problem.rule) == ("a.DAT", 2, reason, rule)
    assert problem.column == (18 if reason == "PERIOD_INVALID" else position)
    assert problem.name == PROFILE.fields[problem.column - 1].name


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_a_byte_order_mark_is_named_at_the_first_row(mark: bytes) -> None:
    row = read(mark + line(*GOOD), row=1)

    assert [(each.column, each.rule) for each in row.problems] == [(1, "no byte order mark")]


def test_rows_beyond_the_limit_of_a_file_are_named() -> None:
    row = read(line(*GOOD), row=10_001)

    assert row.problems[0].reason == "FILE_TOO_MANY_ROWS"


def test_a_problem_never_bears_the_value() -> None:
    number = dummy_individual_number(7)

    problems = read(changed(2, number)).problems

    assert number not in repr(problems)


@settings(max_examples=40)
@given(
    st.lists(st.binary(max_size=3000).map(lambda raw: raw.replace(b"\n", b"")), max_size=6),
    st.sampled_from([b"", b"\n"]),
)
def test_lines_put_together_again_are_the_file(
    tmp_path_factory: pytest.TempPathFactory, raw: list[bytes], end: bytes
) -> None:
    content = b"\n".join(raw) + end
    path = tmp_path_factory.mktemp("lines") / "a.DAT"
    path.write_bytes(content)
    file = take_file(path)

    lines = list(read_lines(file, 1024))

    assert b"".join(content[each.offset : each.offset + each.length] for each in lines) == content
    assert [each.row for each in lines] == list(range(1, file.rows + 1))
    assert all(content[each.offset :].startswith(each.raw) for each in lines)


def test_fixed_widths_without_a_delimiter_are_a_profile_of_their_own(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        """kind = "input"
name = "own"
encoding = "cp932"
line_end = "lf"
delimiter = ""
rows_per_file = 5
longest_row = 100
files = "*.TXT"
business_ids = [""]
time_out_hours = 1
consent = true
fields = [
  { meaning = "information_code", name = "情報", width = 16, type = "information", required = true },
  { name = "担当", width = 6, type = "text" },
  { meaning = "number_system", name = "体系", width = 2, type = "digits", required = true },
  { meaning = "local_address_number", name = "番号", width = 15, type = "digits", required = true },
  { meaning = "affair_code", name = "事務", width = 16, type = "affair", required = true },
  { meaning = "procedure_code", name = "手続", width = 16, type = "procedure", required = true },
  { meaning = "provider_code", name = "相手", width = 16, type = "provider", required = true },
]
""",
        encoding="utf-8",
    )
    profile = input_profile(str(own))
    text = f"TM00000000000002{'税務':<6}01{1:015d}JM01000000121000JT01010000000214{'13104':<16}"
    raw = text.encode("cp932") + b"\n"

    row = RowReader(profile, "a.TXT", caller=CALLER).read(Line(1, 0, len(raw), raw))

    assert row.problems == ()
    assert row.values[1] == "税務"
    assert row.values[-1] == "13104"


@pytest.mark.parametrize("kind", INPUT_TYPES)
def test_every_type_of_a_field_says_its_rule_as_a_sentence_in_both_languages(kind: str) -> None:
    each = InputField(1, "", "", 4, kind, required=False, pattern=re.compile(""))

    english, japanese = rule_text(each.rule)

    assert english.isascii()
    assert not japanese.isascii()
    assert "文字コード" not in japanese, "the rule is not taken for the name of an encoding"
