# SPDX-License-Identifier: Apache-2.0
"""The simulated resident network (住基ネット): what it takes, and whom it finds by 4 or 3 attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chukan.server.domain.linkage import Outcome
from chukan.server.domain.resident import BasicAttributes
from chukan.server.network import resident_network
from chukan.server.network.resident_network import ResidentColumns
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError

from .conftest import SETAGAYA, SHINJUKU, Network

if TYPE_CHECKING:
    from collections.abc import Callable

ONE, TWO, THREE = map(dummy_individual_number, (1, 2, 3))
CODE = "99900000001"
PLACE = "東京都新宿区西新宿一丁目1番1号"


def _columns(numbers: list[str], *, names: list[str] | None = None, codes: list[str] | None = None) -> ResidentColumns:
    return ResidentColumns(
        individual_numbers=numbers,
        resident_record_codes=codes or [f"999{number[3:11]}" for number in numbers],
        names=names or ["架空　太郎"] * len(numbers),
        birth_dates=["19800102"] * len(numbers),
        sexes=["1"] * len(numbers),
        residential_addresses=[PLACE] * len(numbers),
    )


def _found(network: Network, name: str = "", birth: str = "", sex: str = "", place: str = "") -> list[str]:
    query = BasicAttributes.of(name, birth, sex, place)
    return [number for _, number in resident_network.search(network.core, [query])]


def test_a_notice_sent_again_changes_nothing_and_a_changed_one_replaces(network: Network) -> None:
    first = resident_network.notify(network.core, SHINJUKU, _columns([ONE, TWO]))
    again = resident_network.notify(network.core, SHINJUKU, _columns([ONE, TWO], names=["架空　太郎", "架空　次郎"]))

    assert list(first.outcomes) == [Outcome.COMMITTED, Outcome.COMMITTED]
    assert list(again.outcomes) == [Outcome.UNCHANGED, Outcome.COMMITTED]
    assert _found(network, "架空次郎", "19800102", "1", PLACE) == [TWO]


def test_rows_with_a_wrong_real_or_repeated_number_are_refused_and_the_others_go_on(network: Network) -> None:
    answer = resident_network.notify(network.core, SHINJUKU, _columns([ONE, "123", "123456789018", ONE, TWO]))

    assert [(each.row, each.reason) for each in answer.failures] == [
        (1, "NUMBER_MALFORMED"),
        (2, "INDIVIDUAL_NUMBER_NOT_DUMMY"),
        (3, "DUPLICATE_IN_BATCH"),
    ]
    assert [answer.outcomes[0], answer.outcomes[4]] == [Outcome.COMMITTED, Outcome.COMMITTED]


@pytest.mark.parametrize("code", ["abc", "1234567890", "999000000011", "９９９０００００００１"])
def test_a_resident_record_code_that_is_none_is_refused_by_row(network: Network, code: str) -> None:
    answer = resident_network.notify(network.core, SHINJUKU, _columns([ONE, TWO], codes=[code, ""]))

    assert [(each.row, each.reason, each.field) for each in answer.failures] == [
        (0, "NUMBER_MALFORMED", "resident_record_codes")
    ]
    assert list(answer.outcomes) == [Outcome.REFUSED, Outcome.COMMITTED]
    assert code not in repr(answer)


def test_a_new_individual_number_under_a_known_record_code_is_the_same_person(network: Network) -> None:
    """A changed 個人番号 leaves everything else as it is: one person is never two (番号法7条2項)."""
    resident_network.notify(network.core, SHINJUKU, _columns([ONE], codes=[CODE]))

    answer = resident_network.notify(network.core, SETAGAYA, _columns([TWO], codes=[CODE]))

    assert list(answer.outcomes) == [Outcome.COMMITTED]
    assert _found(network, "架空太郎", "19800102", "1", PLACE) == [TWO]


def test_a_notice_under_a_former_number_changes_nothing(network: Network) -> None:
    """A body that was not told of the change yet sends the old number again: it must not come back."""
    resident_network.notify(network.core, SHINJUKU, _columns([ONE], codes=[CODE]))
    resident_network.notify(network.core, SHINJUKU, _columns([TWO], codes=[CODE]))

    answer = resident_network.notify(network.core, SETAGAYA, _columns([ONE], codes=[CODE], names=["改名　太郎"]))

    assert list(answer.outcomes) == [Outcome.UNCHANGED]
    assert _found(network, "架空太郎", "19800102", "1", PLACE) == [TWO]


def test_a_changed_record_code_is_the_same_person_and_the_former_one_names_nobody(network: Network) -> None:
    """A resident may have the 住民票コード changed; the number leads on."""
    resident_network.notify(network.core, SHINJUKU, _columns([ONE], codes=[CODE]))

    changed = resident_network.notify(network.core, SHINJUKU, _columns([ONE], codes=["99900000099"]))
    other = resident_network.notify(network.core, SHINJUKU, _columns([TWO], codes=[CODE]))

    assert list(changed.outcomes) == list(other.outcomes) == [Outcome.COMMITTED]
    assert sorted(_found(network, "架空太郎", "19800102", "1", PLACE)) == sorted([ONE, TWO])


def test_two_known_people_never_share_a_record_code(network: Network) -> None:
    resident_network.notify(network.core, SHINJUKU, _columns([ONE, TWO], codes=[CODE, "99900000099"]))

    known = resident_network.notify(network.core, SHINJUKU, _columns([TWO], codes=[CODE]))
    batch = resident_network.notify(network.core, SHINJUKU, _columns([ONE, THREE], codes=[CODE, CODE]))

    assert [(each.row, each.reason) for each in known.failures] == [(0, "RESIDENT_RECORD_CODE_TAKEN")]
    assert [(each.row, each.reason) for each in batch.failures] == [(1, "DUPLICATE_IN_BATCH")]


@pytest.mark.parametrize("codes", [[], ["", "99900000002"]])
def test_a_notice_without_a_record_code_leaves_the_known_one(network: Network, codes: list[str]) -> None:
    """Silence takes nothing away, of a whole column or one row: else the next number would make a second person."""
    known = _columns([ONE, TWO], codes=[CODE, "99900000002"])
    resident_network.notify(network.core, SHINJUKU, known)
    told = known._replace(resident_record_codes=codes, names=["改名　太郎", "改名　太郎"])

    moved = resident_network.notify(network.core, SHINJUKU, told)
    again = resident_network.notify(network.core, SHINJUKU, told)
    renumbered = resident_network.notify(network.core, SHINJUKU, _columns([THREE], codes=[CODE], names=["改名　太郎"]))

    assert list(moved.outcomes) == [Outcome.COMMITTED, Outcome.COMMITTED]
    assert list(again.outcomes) == [Outcome.UNCHANGED, Outcome.UNCHANGED]
    assert list(renumbered.outcomes) == [Outcome.COMMITTED]
    assert sorted(_found(network, "改名太郎", "19800102", "1", PLACE)) == sorted([TWO, THREE])


def test_what_a_notice_says_nothing_of_stays_as_it_is_known(network: Network) -> None:
    """Attributes too, under the same number or a new one under the known record code."""
    resident_network.notify(network.core, SHINJUKU, _columns([ONE, THREE], codes=[CODE, "99900000003"]))

    new_name = _columns([ONE], codes=[""], names=["改名　太郎"])._replace(birth_dates=[], residential_addresses=["　"])
    resident_network.notify(network.core, SHINJUKU, new_name)
    resident_network.notify(network.core, SHINJUKU, ResidentColumns([TWO], [CODE], [], [], [], []))

    assert _found(network, "改名太郎", "19800102", "1", PLACE) == [TWO]


def test_what_is_learnt_while_a_notice_is_completed_is_not_lost(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident_network.notify(network.core, SHINJUKU, _columns([ONE], codes=[""]))
    database = network.foundation.database
    write = database.write

    def late(organization: str, step: Callable[[Any], Any]) -> Any:
        monkeypatch.undo()
        resident_network.notify(network.core, SETAGAYA, _columns([ONE], codes=[CODE]))
        return write(organization, step)

    monkeypatch.setattr(database, "write", late)
    resident_network.notify(network.core, SHINJUKU, _columns([ONE], codes=[""], names=["改名　太郎"]))
    resident_network.notify(network.core, SHINJUKU, _columns([TWO], codes=[CODE], names=["改名　太郎"]))

    assert _found(network, "改名太郎", "19800102", "1", PLACE) == [TWO]


def test_columns_of_unequal_length_are_refused(network: Network) -> None:
    with pytest.raises(ChukanError, match=r"COLUMNS_UNEQUAL.*field names"):
        resident_network.notify(network.core, SHINJUKU, _columns([ONE, TWO], names=["架空　太郎"]))


@pytest.mark.parametrize("missing", ["none", "name", "birth", "sex", "place"])
def test_any_three_attributes_find_who_has_them(network: Network, missing: str) -> None:
    resident_network.notify(network.core, SHINJUKU, _columns([ONE, TWO], names=["架空　太郎", "別人　花子"]))
    given = {"name": "架空太郎", "birth": "19800102", "sex": "1", "place": PLACE}
    given.pop(missing, None)

    found = _found(network, **given)

    assert ONE in found
    assert (TWO in found) is (missing == "name")


def test_a_search_compares_after_nfkc_and_without_white_space(network: Network) -> None:
    resident_network.notify(network.core, SHINJUKU, _columns([ONE]))

    assert _found(network, "架空 太郎", "１９８００１０２", "1", PLACE) == [ONE]
    assert _found(network, "架空太朗", "19800102", "1", PLACE) == []


def test_fewer_than_three_attributes_are_too_wide(network: Network) -> None:
    with pytest.raises(ChukanError, match="SEARCH_TOO_WIDE"):
        _found(network, "架空太郎", "19800102")
