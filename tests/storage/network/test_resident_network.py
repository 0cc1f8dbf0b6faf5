# SPDX-License-Identifier: Apache-2.0
"""The simulated resident network (住基ネット): what it takes, and whom it finds by 4 or 3 attributes."""

from __future__ import annotations

import pytest

from chukan.server.domain.linkage import Outcome
from chukan.server.domain.resident import BasicAttributes
from chukan.server.network import resident_network
from chukan.server.network.resident_network import ResidentColumns
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError

from .conftest import SHINJUKU, Network

ONE, TWO, THREE = map(dummy_individual_number, (1, 2, 3))
PLACE = "東京都新宿区西新宿一丁目1番1号"


def _columns(numbers: list[str], *, names: list[str] | None = None) -> ResidentColumns:
    return ResidentColumns(
        individual_numbers=numbers,
        resident_record_codes=["12345678901"] * len(numbers),
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
