# SPDX-License-Identifier: Apache-2.0
"""One table of reasons: what code raises and protos name is in it, and every row is used by somebody."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

from chukan.standard.reasons import RECORD, all_reasons
from chukan.standard.rules import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CODE = ("protos/python", "server", "adapter", "clients/python", "monitoring")
TABLE = {row.code: row.status for row in all_reasons()}
STATUSES = {status for status in TABLE.values() if status != RECORD} | {"UNKNOWN", "DATA_LOSS"}
WORD = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
COMMENT = re.compile(r"(?:^[ ]*//.*\n)+", re.MULTILINE)

OTHER_VOCABULARIES = {
    "UPPER_SNAKE",
    "AES_256_GCM",
    "HKDF_SHA256",
    # kinds of faults (EmulatorService)
    "ANSWER_LOST",
    "HALF_EXCHANGE",
    "NETWORK_CUT",
    "STALE_LIST",
    # rules of the audit (OperationService)
    "OUT_OF_HOURS",
    "MANY_PEOPLE",
    "NO_CASE",
    "REPEATED_PERSON",
    "PROTECTED_PERSON",
}
"""Words of the contract's comments that are neither reasons nor enum values nor statuses."""


def _protos() -> list[Path]:
    return sorted((ROOT / "protos/chukan").rglob("*.proto"))


def _comments(path: Path) -> Iterator[str]:
    for block in COMMENT.findall(path.read_text("utf-8")):
        yield " ".join(line.strip().removeprefix("//").strip() for line in block.splitlines())


def _enum_words() -> set[str]:
    words = set()
    for path in _protos():
        for name, body in re.findall(
            r"^\s*enum (\w+) \{(.*?)^\s*\}", path.read_text("utf-8"), re.MULTILINE | re.DOTALL
        ):
            prefix = re.sub(r"(?<!^)([A-Z])", r"_\1", name).upper() + "_"
            values = re.findall(r"^\s+([A-Z][A-Z0-9_]+) = ", body, re.MULTILINE)
            words |= {*values, *(value.removeprefix(prefix) for value in values)}
    return words


def _strings(path: Path) -> set[str]:
    """Return every constant text of a module that may be a reason."""
    tree = ast.parse(path.read_text("utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if WORD.fullmatch(text)}


def _raised(path: Path) -> set[str]:
    """Return the codes given to ChukanError as constants."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == "ChukanError"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def _named_in_protos() -> set[str]:
    return {word for path in _protos() for comment in _comments(path) for word in WORD.findall(comment)}


def test_every_reason_raised_is_in_the_table() -> None:
    modules = [path for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    unknown = {str(path.relative_to(ROOT)): raised for path in modules if (raised := _raised(path) - TABLE.keys())}

    assert unknown == {}


def test_every_reason_the_contract_names_is_in_the_table() -> None:
    composed = {word for word in _named_in_protos() if "_" in word}

    assert composed - TABLE.keys() - STATUSES - _enum_words() - OTHER_VOCABULARIES == set()


def test_every_row_of_the_table_is_used() -> None:
    used = _named_in_protos()
    for folder in CODE:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix == ".py":
                used |= _strings(path)
            elif path.suffix == ".toml" and path.name != "reasons.toml":
                used |= set(WORD.findall(path.read_text("utf-8")))

    assert sorted(TABLE.keys() - used) == []


def test_the_contract_gives_each_reason_the_tables_status() -> None:
    wrong = []
    for path in _protos():
        for comment in _comments(path):
            for status, code in _stated(comment):
                right = TABLE[code] if TABLE[code] != RECORD else "FAILED_PRECONDITION"
                if status != right:
                    wrong.append((path.name, code, status, right))

    assert wrong == []


def _rules() -> Iterator[tuple[str, str]]:
    """Yield (module, rule) of the rules the server names as constants, beside a reason or as `rule=`."""
    for path in (ROOT / "server").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "rule" and isinstance(node.value, ast.Constant):
                yield path.name, str(node.value.value)
            if isinstance(node, ast.Tuple) and all(isinstance(each, ast.Constant) for each in node.elts):
                values = [str(each.value) for each in node.elts if isinstance(each, ast.Constant)]
                if len(values) == len(("reason", "field", "rule")) and values[0] in TABLE:
                    yield path.name, values[2]


def test_every_rule_a_refusal_names_is_in_the_table_of_rules() -> None:
    known = {row.name for row in all_rules()} | {""}

    assert sorted({found for found in _rules() if found[1] not in known}) == []


def _stated(comment: str) -> Iterator[tuple[str, str]]:
    """Yield (status, reason) of the lists of errors: a status counts for the reasons after it, up to the full stop."""
    for errors in re.findall(r"Errors[^:]*:(.*?)(?=Row refusals|Refused|$)", comment):
        status = ""
        for word in re.findall(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*|\.(?= |$)", errors):
            if word == ".":
                status = ""
            elif word in STATUSES:
                status = word
            elif word in TABLE and "_" in word:
                yield status, word
