# SPDX-License-Identifier: Apache-2.0
"""Processing numbers and linkage codes at the network: the good way and every bad case (符号取得)."""

from __future__ import annotations

from datetime import timedelta

from chukan.server.domain.linkage import Outcome
from chukan.server.network import linkage_codes, processing_numbers
from chukan.server.network.upkeep import run_upkeep
from chukan.standard.numbers import dummy_individual_number

from .conftest import SETAGAYA, SHINJUKU, Network, record_code

ONE = dummy_individual_number(1)
TWO = dummy_individual_number(2)


def _submit(network: Network, number: str, person: str, organization: str = SHINJUKU) -> str:
    answer = linkage_codes.submit(network.core, organization, [number], [person])
    return answer.failures[0].reason if answer.failures else Outcome(answer.outcomes[0]).name


def _number(network: Network, name: str = "t1", organization: str = SHINJUKU) -> str:
    return processing_numbers.issue(network.core, organization, [name]).numbers[0]


def test_processing_numbers_have_24_digits_and_one_token_always_gets_the_same(network: Network) -> None:
    first = processing_numbers.issue(network.core, SHINJUKU, ["a", "b", "a"])
    again = processing_numbers.issue(network.core, SHINJUKU, ["b", "c"])

    assert all(len(number) == 24 and number.isdigit() for number in first.numbers)
    assert first.numbers[0] == first.numbers[2] != first.numbers[1]
    assert again.numbers[0] == first.numbers[1]
    assert len({*first.numbers, *again.numbers}) == 3


def test_the_same_token_of_another_organization_is_another_acquisition(network: Network) -> None:
    assert _number(network) != _number(network, organization=SETAGAYA)


def test_a_code_has_32_bytes_is_stable_for_the_pair_and_differs_per_organization(network: Network) -> None:
    network.notify(1, 2)

    shinjuku = network.acquire(SHINJUKU, 1, 2)
    again = network.acquire(SHINJUKU, 1)
    setagaya = network.acquire(SETAGAYA, 1)

    assert {len(code) for code in (*shinjuku, *setagaya)} == {32}
    assert again == shinjuku[:1]
    assert len({*shinjuku, *setagaya}) == 3


def test_submitting_the_same_pair_again_changes_nothing(network: Network) -> None:
    network.notify(1)
    number = _number(network)

    assert _submit(network, number, ONE) == "COMMITTED"
    assert _submit(network, number, ONE) == "UNCHANGED"


def test_a_used_number_is_refused_for_another_person(network: Network) -> None:
    network.notify(1, 2)
    number = _number(network)
    _submit(network, number, ONE)

    assert _submit(network, number, TWO) == "PROCESSING_NUMBER_REUSED"


def test_two_pairs_on_one_number_in_one_batch_settle_the_first_only(network: Network) -> None:
    network.notify(1, 2)
    number = _number(network)

    answer = linkage_codes.submit(network.core, SHINJUKU, [number, number], [ONE, TWO])

    assert list(answer.outcomes) == [Outcome.COMMITTED, Outcome.REFUSED]
    assert [failure.reason for failure in answer.failures] == ["PROCESSING_NUMBER_REUSED"]


def test_an_unknown_number_is_refused_whatever_its_shape(network: Network) -> None:
    network.notify(1)
    known = _number(network)
    wrong = known[:-1] + str((int(known[-1]) + 1) % 10)

    assert {_submit(network, number, ONE) for number in ("", "1" * 24, "x" * 24, wrong)} == {
        "PROCESSING_NUMBER_UNKNOWN"
    }


def test_another_organizations_number_behaves_as_unknown(network: Network) -> None:
    network.notify(1)

    assert _submit(network, _number(network), ONE, SETAGAYA) == "PROCESSING_NUMBER_UNKNOWN"


def test_an_expired_number_ends_the_acquisition_and_the_middle_server_is_told(network: Network) -> None:
    network.notify(1)
    number = _number(network)
    network.clock.advance(timedelta(days=8))

    assert _submit(network, number, ONE) == "PROCESSING_NUMBER_EXPIRED"

    told, _ = linkage_codes.deliveries(network.core, SHINJUKU, [int(number[:12])])
    assert [(each.reason, each.linkage_code) for each in told] == [("PROCESSING_NUMBER_EXPIRED", b"")]


def test_who_has_no_resident_record_code_gets_no_code(network: Network) -> None:
    network.notify(2, code="")

    assert _submit(network, _number(network, "a"), ONE) == "NO_RESIDENT_RECORD_CODE"
    assert _submit(network, _number(network, "b"), TWO) == "NO_RESIDENT_RECORD_CODE"


def test_a_real_or_malformed_individual_number_is_refused_in_test_mode(network: Network) -> None:
    number = _number(network)

    assert _submit(network, number, "123456789018") == "INDIVIDUAL_NUMBER_NOT_DUMMY"
    assert _submit(network, number, "123456789012") == "NUMBER_MALFORMED"


def test_a_changed_individual_number_leads_to_the_same_code(network: Network) -> None:
    """The number changes, the code stays (domain facts §3g), under whichever number an organization asks."""
    network.notify(1)
    (before,) = network.acquire(SHINJUKU, 1)

    network.notify(2, code=record_code(1))

    assert network.acquire(SHINJUKU, 2) == [before]
    assert network.acquire(SHINJUKU, 1) == [before]
    assert network.acquire(SETAGAYA, 2) == network.acquire(SETAGAYA, 1)


def test_a_delivered_number_is_purged_and_can_not_be_told_again(network: Network) -> None:
    network.notify(1)
    number = _number(network)
    _submit(network, number, ONE)
    told, rows = linkage_codes.deliveries(network.core, SHINJUKU, [int(number[:12])])
    network.core.environment.database.write(
        SHINJUKU, lambda connection: network.core.processing_numbers.purge(connection, rows)
    )

    assert told[0].processing_number == number
    assert linkage_codes.deliveries(network.core, SHINJUKU, rows) == ([], [])
    assert processing_numbers.issue(network.core, SHINJUKU, ["t1"]).numbers == [""]
    assert _submit(network, number, TWO) == "PROCESSING_NUMBER_REUSED"


def test_no_code_number_or_name_lies_open_in_the_database(network: Network) -> None:
    network.notify(1)
    (code,) = network.acquire(SHINJUKU, 1)

    with network.core.environment.database.read() as connection:
        rows = [
            repr(tuple(row))
            for table in network.foundation.database.metadata.sorted_tables
            for row in connection.execute(table.select())
        ]

    stored = "".join(rows)
    assert ONE not in stored
    assert "試験" not in stored
    assert repr(code)[2:-1] not in stored


def test_a_number_nobody_used_is_forgotten_one_lifetime_after_it_expired(network: Network) -> None:
    network.notify(1)
    number = _number(network)
    network.clock.advance(timedelta(days=13))

    assert run_upkeep(network.core) == 0

    network.clock.advance(timedelta(days=2))
    assert run_upkeep(network.core) == 1
    assert run_upkeep(network.core) == 0
    assert processing_numbers.issue(network.core, SHINJUKU, ["t1"]).numbers == [""]
    assert _submit(network, number, ONE) == "PROCESSING_NUMBER_EXPIRED"
