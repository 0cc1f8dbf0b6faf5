# SPDX-License-Identifier: Apache-2.0
"""Permits (提供許可証): who gets one, who is refused and why, and that both are recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from chukan.server.domain.exchange import NETWORK, Mode, Outcome, OutcomeCommitment, PermitLeaf, Statement, digest
from chukan.server.domain.permits import check_all_leaves
from chukan.server.network import delivery, permits, records
from chukan.server.network.upkeep import run_upkeep
from chukan.standard.reasons import ChukanError

from .conftest import CHIYODA, LIBRARY, SETAGAYA, SHINJUKU, Network

if TYPE_CHECKING:
    from chukan.durable.outbox import Item


@pytest.fixture
def code(network: Network) -> bytes:
    """世田谷区's code of a person 新宿区 has a code for as well."""
    network.notify(1)
    network.acquire(SHINJUKU, 1)
    return network.acquire(SETAGAYA, 1)[0]


def _waiting(network: Network, provider: str = SHINJUKU) -> list[Item]:
    with network.core.environment.database.read() as connection:
        outbox = network.foundation.outbox
        return outbox.due(connection, provider, permits.DELIVER_INQUIRIES, most=100, most_bytes=1 << 20)[0]


def _reason(network: Network, code: bytes, **changed: object) -> str:
    response = permits.request_permits(network.core, SETAGAYA, network.request([network.leaf(code, **changed)]))
    return response.refusals.get(0, "")


def _permit(network: Network, leaf: bytes) -> PermitLeaf:
    return network.foundation.codec.decode(PermitLeaf, leaf)


def test_a_permit_bears_the_providers_code_never_the_inquirers(network: Network, code: bytes) -> None:
    own = network.acquire(SHINJUKU, 1)[0]

    response = permits.request_permits(network.core, SETAGAYA, network.request([network.leaf(code)]))

    (permit,) = response.permits
    assert _permit(network, permit).linkage_code == own
    assert code not in permit
    assert _permit(network, permit).permission_row_id


def test_permits_are_signed_by_the_network_over_the_request(network: Network, code: bytes) -> None:
    request = network.request([network.leaf(code), network.leaf(code)])
    network.members.learn(network.core.keys.member_keys(NETWORK))

    response = permits.request_permits(network.core, SETAGAYA, request)

    assert response.statement is not None
    payload = network.members.verify(NETWORK, response.statement.payload_type, response.statement)  # type: ignore[arg-type]
    statement = network.foundation.codec.decode(Statement, payload)
    assert statement.header.answers_digest == digest(request.statement.payload)
    check_all_leaves(statement, response.permits)


def test_a_provider_without_a_code_still_gets_a_permit_with_no_code(network: Network) -> None:
    network.notify(1)
    (code,) = network.acquire(SETAGAYA, 1)

    response = permits.request_permits(network.core, SETAGAYA, network.request([network.leaf(code)]))

    assert _permit(network, response.permits[0]).linkage_code == b""


def test_the_same_leaf_brings_back_the_same_permit_under_any_statement(network: Network, code: bytes) -> None:
    leaf = network.leaf(code)
    first = permits.request_permits(network.core, SETAGAYA, network.request([leaf]))
    again = permits.request_permits(network.core, SETAGAYA, network.request([network.leaf(code), leaf]))

    assert first.permits[0] == again.permits[1]
    assert len(records.list_records(network.core, SETAGAYA).records) == 2


def test_a_refusal_is_recorded_and_repeated(network: Network, code: bytes) -> None:
    leaf = network.leaf(code, procedure="JT01000000000000")
    first = permits.request_permits(network.core, SETAGAYA, network.request([leaf]))
    again = permits.request_permits(network.core, SETAGAYA, network.request([leaf]))

    (record,) = records.list_records(network.core, SETAGAYA).records
    assert first == again
    assert first.statement is None
    assert (record.outcome, record.reason) == (Outcome.REFUSED, first.refusals[0])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"information": "TM00000000000082"}, "NOT_PERMITTED_INFORMATION"),
        ({"procedure": "JT01000000000000"}, "NOT_PERMITTED_PROCEDURE"),
        ({"affair": "JM09000000000000"}, "AFFAIR_MISMATCH"),
        ({"provider": "9999999999999999"}, "PROVIDER_UNKNOWN"),
        ({"provider": "1419900000002200"}, "NOT_PERMITTED_PROVIDER"),
        ({"affair": "JM99000000007400", "procedure": "JT99000000007409"}, "NO_LONGER_IN_FORCE"),
        ({"affair": "JM99000000011600", "procedure": "JT99000000011609"}, "NOT_YET_IN_FORCE"),
        ({"provider": SETAGAYA}, "PROVIDER_IS_INQUIRER"),
        ({"provider": "0220101100201700"}, "ORGANIZATION_NOT_CONNECTED"),
        ({"linkage_code": b"x" * 32}, "LINKAGE_CODE_UNKNOWN"),
        ({"linkage_code": b""}, "LINKAGE_CODE_UNKNOWN"),
        ({"expire_time_ms": 1}, "STATEMENT_EXPIRED"),
        ({"inquirer_delegator": CHIYODA}, "DELEGATION_NOT_REGISTERED"),
    ],
)
def test_what_may_not_be_asked_is_refused_with_its_reason(
    network: Network, code: bytes, changed: dict[str, object], reason: str
) -> None:
    assert _reason(network, code, **changed) == reason
    assert _waiting(network) == []


def test_a_library_gets_no_permit_for_local_tax(network: Network) -> None:
    """Right procedure, right provider, a person it has a code of: whom no row names gets nothing from the network."""
    network.notify(1)
    network.acquire(SHINJUKU, 1)
    (code,) = network.acquire(LIBRARY, 1)
    leaf = network.leaf(code, inquirer=LIBRARY, provider=SETAGAYA)

    response = permits.request_permits(network.core, LIBRARY, network.request([leaf], signer=LIBRARY))

    assert (response.refusals, response.permits, response.statement) == ({0: "NOT_PERMITTED_INQUIRER"}, (), None)
    assert _waiting(network, SETAGAYA) == []
    (record,) = records.list_records(network.core, LIBRARY).records
    assert (record.outcome, record.reason) == (Outcome.REFUSED, "NOT_PERMITTED_INQUIRER")


def test_another_organizations_code_is_unknown(network: Network, code: bytes) -> None:
    del code
    assert _reason(network, network.acquire(SHINJUKU, 1)[0]) == "LINKAGE_CODE_UNKNOWN"


def test_a_leaf_of_another_inquirer_refuses_the_batch(network: Network, code: bytes) -> None:
    request = network.request([network.leaf(code, inquirer=SHINJUKU, provider=SETAGAYA)])

    with pytest.raises(ChukanError, match=r"SIGNATURE_INVALID.*rule=leaf"):
        permits.request_permits(network.core, SETAGAYA, request)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"world_generation": "another"}, "WORLD_MISMATCH"),
        ({"mode": Mode.PRODUCTION}, "MODE_MISMATCH"),
        ({"recipient": SHINJUKU}, "SIGNATURE_INVALID"),
        ({"issuer": SHINJUKU}, "SIGNATURE_INVALID"),
        ({"issue_time_ms": 1, "expire_time_ms": 2}, "MESSAGE_TOO_OLD"),
        ({"version": 2}, "SIGNATURE_INVALID"),
    ],
)
def test_a_statement_that_does_not_count_here_and_now_is_refused_whole(
    network: Network, code: bytes, changed: dict[str, object], reason: str
) -> None:
    with pytest.raises(ChukanError, match=reason):
        permits.request_permits(network.core, SETAGAYA, network.request([network.leaf(code)], **changed))
    assert records.list_records(network.core, SETAGAYA).records == []


def test_a_clock_up_to_a_minute_off_is_believed_and_no_more(network: Network, code: bytes) -> None:
    late = network.request([network.leaf(code)])
    network.clock.advance(timedelta(seconds=300 + 59))
    permits.request_permits(network.core, SETAGAYA, late)
    network.clock.advance(timedelta(seconds=2))

    with pytest.raises(ChukanError, match="MESSAGE_TOO_OLD"):
        permits.request_permits(network.core, SETAGAYA, late)


def test_another_members_signature_or_another_leaf_does_not_count(network: Network, code: bytes) -> None:
    forged = network.request([network.leaf(code)], signer=SHINJUKU, issuer=SETAGAYA)
    request = network.request([network.leaf(code)])
    swapped = type(request)(request.statement, (network.foundation.codec.encode(network.leaf(code)),))

    with pytest.raises(ChukanError, match="SIGNATURE_INVALID"):
        permits.request_permits(network.core, SETAGAYA, forged)
    with pytest.raises(ChukanError, match="INCLUSION_PROOF_INVALID"):
        permits.request_permits(network.core, SETAGAYA, swapped)


def test_who_never_announced_keys_is_refused(network: Network, code: bytes) -> None:
    with pytest.raises(ChukanError, match="KEY_UNKNOWN"):
        permits.request_permits(network.core, CHIYODA, network.request([network.leaf(code)], signer=CHIYODA))


def test_permits_are_delivered_whole_under_one_signature_per_provider(network: Network, code: bytes) -> None:
    permits.request_permits(network.core, SETAGAYA, network.request([network.leaf(code) for _ in range(3)]))

    (item,) = _waiting(network)
    prepared = delivery.prepare(network.core, item.payload)

    assert prepared.delivery is not None
    assert len(prepared.delivery.permits) == 3
    assert prepared.delivery.inquirer_keys == network.members.member_keys(SETAGAYA)


def test_a_permit_that_ran_out_is_not_delivered(network: Network, code: bytes) -> None:
    permits.request_permits(network.core, SETAGAYA, network.request([network.leaf(code)]))
    (item,) = _waiting(network)
    network.clock.advance(timedelta(hours=2))

    prepared = delivery.prepare(network.core, item.payload)

    assert prepared.delivery is None
    assert len(prepared.expired) == 1


def test_forward_delivers_the_same_permit_again_for_its_inquirer_only(network: Network, code: bytes) -> None:
    response = permits.request_permits(network.core, SETAGAYA, network.request([network.leaf(code)]))
    exchange = _permit(network, response.permits[0]).exchange_digest

    assert delivery.forward(network.core, SHINJUKU, [exchange]) == 0
    assert delivery.forward(network.core, SETAGAYA, [exchange, exchange, b"unknown"]) == 1

    again = delivery.prepare(network.core, _waiting(network)[-1].payload)
    assert again.delivery is not None
    assert again.delivery.permits[0] == response.permits[0]


def test_what_waits_to_be_delivered_is_not_added_once_more(network: Network, code: bytes) -> None:
    """Asked for again and again while the provider is away, permits wait once; in a day it was thirty times."""
    response = permits.request_permits(network.core, SETAGAYA, network.request([network.leaf(code) for _ in range(3)]))
    exchanges = [_permit(network, permit).exchange_digest for permit in response.permits]
    (item,) = _waiting(network)

    again = [delivery.forward(network.core, SETAGAYA, asked) for asked in (exchanges, exchanges[::-1], exchanges)]
    assert again == [3, 3, 3]
    assert [each.id for each in _waiting(network)] == [item.id]

    part = [delivery.forward(network.core, SETAGAYA, exchanges[:1]) for _ in range(2)]
    assert part == [1, 1]
    assert len(_waiting(network)) == 2  # what was asked for may be what the other row doesn't bring any more

    network.core.environment.database.write(
        "", lambda connection: network.foundation.outbox.done(connection, [item.id])
    )
    delivery.forward(network.core, SETAGAYA, exchanges)
    assert len(_waiting(network)) == 2


def test_permits_lie_sealed_in_the_database(network: Network, code: bytes) -> None:
    response = permits.request_permits(network.core, SETAGAYA, network.request([network.leaf(code)]))
    secret = _permit(network, response.permits[0]).linkage_code

    with network.core.environment.database.read() as connection:
        values = [
            value
            for table in network.foundation.database.metadata.sorted_tables
            for row in connection.execute(table.select())
            for value in row
            if isinstance(value, bytes)
        ]

    assert not any(secret in value or code in value for value in values)


def test_records_are_seen_by_both_sides_only_and_paged_in_order(network: Network, code: bytes) -> None:
    permits.request_permits(network.core, SETAGAYA, network.request([network.leaf(code) for _ in range(5)]))

    first = records.list_records(network.core, SHINJUKU, page_size=3)
    rest = records.list_records(network.core, SHINJUKU, page_size=3, page_token=first.next_token)
    named = records.list_records(network.core, CHIYODA, exchange_ids=[first.records[0].exchange_id])

    assert [len(first.records), len(rest.records), rest.next_token] == [3, 2, ""]
    assert len({each.exchange_id for each in (*first.records, *rest.records)}) == 5
    assert named.records == []


def test_an_inquirer_can_end_its_own_open_exchanges_once(network: Network, code: bytes) -> None:
    permits.request_permits(network.core, SETAGAYA, network.request([network.leaf(code)]))
    (record,) = records.list_records(network.core, SETAGAYA).records
    ended = [OutcomeCommitment(bytes.fromhex(record.exchange_id), Outcome.CANCELLED, "INQUIRY_CANCELLED")]

    assert records.commit_outcomes(network.core, SHINJUKU, ended) == 0
    assert records.commit_outcomes(network.core, SETAGAYA, ended) == 1
    assert records.commit_outcomes(network.core, SETAGAYA, ended) == 0
    (after,) = records.list_records(network.core, SETAGAYA).records
    assert (after.outcome, after.reason) == (Outcome.CANCELLED, "INQUIRY_CANCELLED")


def test_a_permit_that_ran_out_is_deleted_after_a_day_and_its_record_stays(network: Network, code: bytes) -> None:
    leaf = network.leaf(code)
    response = permits.request_permits(network.core, SETAGAYA, network.request([leaf]))
    exchange = _permit(network, response.permits[0]).exchange_digest
    network.clock.advance(timedelta(days=2))

    assert run_upkeep(network.core) == 1

    with network.core.environment.database.read() as connection:
        (found,) = network.core.exchanges.by_digests(connection, [exchange]).values()
        assert network.core.exchanges.permit_leaves(connection, [found.id]) == {}
    assert len(records.list_records(network.core, SETAGAYA).records) == 1
    again = permits.request_permits(network.core, SETAGAYA, network.request([leaf]))
    assert again.refusals[0] == "PERMIT_EXPIRED"
