# SPDX-License-Identifier: Apache-2.0
"""Rules of the cases themselves: each names a clause that is written down, and each of its checks can fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chukan.conformance.catalogue import Entry, read_cases
from chukan.conformance.checks import MISSING, broken_rule
from chukan.conformance.examiner.catalogue import read_client_cases
from chukan.standard.reasons import all_reasons
from tests.conformance.broken_clients import BROKEN_CLIENTS
from tests.conformance.mutants import MUTANTS

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "docs" / "spec"
PROTOS = ROOT / "protos" / "chukan" / "v1"
ROW = re.compile(r"^\| ([A-Z]{3}-[0-9]+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
CLAUSES = {match[0]: match for path in sorted(SPEC.glob("*.md")) for match in ROW.findall(path.read_text("utf-8"))}
ENTRIES = read_cases()
CLIENT_ENTRIES = read_client_cases()


def test_every_case_names_a_clause_and_every_clause_has_a_case() -> None:
    assert {entry.clause for entry in (*ENTRIES, *CLIENT_ENTRIES)} == set(CLAUSES)


def test_every_clause_says_where_it_is_from_and_how_sure_it_is() -> None:
    unsure = [row[0] for row in CLAUSES.values() if not re.match(r"own|public|law", row[3])]

    assert unsure == []


@pytest.mark.parametrize("entry", [*ENTRIES, *CLIENT_ENTRIES], ids=lambda entry: entry.case.id)
def test_a_case_can_fail_in_every_check(entry: Entry) -> None:
    """A check that holds of nothing at all, and of something quite different, is none."""
    script = entry.case.script
    wholes = (*entry.case.steps, *script.written)
    checks = [check for whole in wholes for check in whole.checks]
    checks += [check for demand in script.demands for check in (*demand.each, *demand.later)]
    for check in checks:
        value = str(getattr(check, str(check.WhichOneof("rule"))))
        wrong = (MISSING, "quite different", ["quite different", "a list"], f"shows {value}", [])
        assert any(broken_rule(check, found, lambda name: name) for found in wrong), check


def test_every_reason_the_contract_names_is_provoked_or_said_not_to_be() -> None:
    """Of the services that have cases."""
    files = {entry.file.service.rpartition(".")[2] for entry in ENTRIES}
    names = [re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() for name in sorted(files)]
    contract = " ".join((PROTOS / f"{name}.proto").read_text("utf-8") for name in names)
    cases = " ".join(str(entry.case) for entry in ENTRIES)
    listed = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+|OVERLOADED)`", (SPEC / "README.md").read_text("utf-8")))

    named = {row.code for row in all_reasons() if re.search(rf"\b{row.code}\b", contract)}
    provoked = {code for code in named if re.search(rf"\b{code}\b", cases)}

    assert named - provoked - {"NO_REPLICA"} == listed


def test_every_reason_a_client_is_given_is_one_of_the_contract_but_the_one_that_shall_not_be() -> None:
    texts = [str(each) for entry in CLIENT_ENTRIES for each in (entry.case, entry.file)]
    given = {code for text in texts for code in re.findall(r'reason(?:\\")?: \\?"([A-Z_]+)\\?"', text)}

    assert len(given) > 10
    assert given - {row.code for row in all_reasons()} == {"REASON_OF_ANOTHER_VERSION"}


def test_every_group_of_cases_has_a_mutant() -> None:
    assert {entry.file.group for entry in ENTRIES} == {mutant.group for mutant in MUTANTS}


def test_columns_that_cases_look_at_are_documented() -> None:
    page = (SPEC / "README.md").read_text("utf-8")
    paths = [check.path for entry in CLIENT_ENTRIES for file in entry.case.script.written for check in file.checks]
    columns = {name for path in paths for name in re.search(r"\[(\w+)=.*\]\.(\w+)$", path).groups()}  # type: ignore[union-attr]

    assert {name for name in columns if f"`{name}`" not in page} == set()


def test_mutants_name_cases_that_exist() -> None:
    named = {case for mutant in MUTANTS for case in mutant.kills}

    assert named - {entry.case.id for entry in ENTRIES} == set()


def test_every_case_for_clients_has_a_broken_client() -> None:
    named = {case for mutant in BROKEN_CLIENTS for case in mutant.kills}

    assert named == {entry.case.id for entry in CLIENT_ENTRIES}


def test_an_individual_number_never_stands_in_a_case() -> None:
    """Cases take dummies from the run; a literal one could be somebody's."""
    texts = [str(each) for entry in (*ENTRIES, *CLIENT_ENTRIES) for each in (entry.case, entry.file)]

    assert [text[:40] for text in texts if re.search(r"(?<![0-9])[0-9]{12}(?![0-9])", text)] == []
