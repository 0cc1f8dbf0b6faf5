# SPDX-License-Identifier: Apache-2.0
"""Fills an emulator over its own RPCs: dummy people known to two bodies, linked at both, with a replica at one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chukan.address.v1.address_service_pb2 import (
    RegisterPeopleRequest,
    ResidentKind,
    ResidentState,
    SubmitProcessingNumbersRequest,
)
from chukan.client.client import Client
from chukan.network.v1.resident_network_service_pb2 import NotifyResidentsRequest
from chukan.standard.layouts import layout
from chukan.standard.numbers import dummy_individual_number
from chukan.v1.common_pb2 import Mode, RowOutcome
from chukan.v1.linkage_code_service_pb2 import (
    BatchRequestCodesRequest,
    LinkageState,
    RegisterAddresseesRequest,
    WatchLinkageStatesRequest,
)
from chukan.v1.replica_service_pb2 import ImportState, ItemColumn, RegisterReplicasRequest, ReplicaBatchHeader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.client.tls import ClientTls
    from chukan.standard.items import Item

INQUIRER = "0220113112101700"
PROVIDER = "0220113104101700"
INFORMATION = "TM00000000000002"
AFFAIR = "JM01000000121000"
PROCEDURE = "JT01010000000214"
EDITION = "0801"
DATA_SET = "0100"
PERIOD = ("20260401", "20270331")
_PER_BATCH = 1_000
_LINKING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Seeded:
    """What can be asked: integrated address numbers at the inquirer, and item values expected of each."""

    numbers: tuple[str, ...]
    values: tuple[dict[str, str], ...]


def seed(target: str, count: int, *, tls: dict[str, ClientTls] | None = None) -> Seeded:
    """Make `count` people; every one can be inquired about by INQUIRER at PROVIDER."""
    with _client(target, PROVIDER, tls) as provider, _client(target, INQUIRER, tls) as inquirer:
        for start in range(0, count, _PER_BATCH):
            _notify(provider, range(start, min(count, start + _PER_BATCH)))
        held = _numbered(provider, count, "01")
        asked = _numbered(inquirer, count, "02")
        _link(provider, held)
        _link(inquirer, asked)
        return Seeded(tuple(asked), tuple(_register(provider, held)))


def _client(target: str, organization: str, tls: dict[str, ClientTls] | None) -> Client:
    return Client(target, organization=organization, tls=tls[organization] if tls else None, timeout=60)


def _notify(client: Client, people: Sequence[int]) -> None:
    request = NotifyResidentsRequest(
        batch_id=f"residents-{people[0]}",
        individual_numbers=[dummy_individual_number(person + 1) for person in people],
        resident_record_codes=[f"999{person:08d}" for person in people],
        **_attributes(people),
    )
    for response in client.resident_network.NotifyResidents(iter([request])):
        _all_committed(response.outcomes)


def _attributes(people: Sequence[int]) -> dict[str, Any]:
    return {
        "names": [f"試験　{_kanji(person)}" for person in people],
        "birth_dates": [f"{1930 + person % 80}{person % 12 + 1:02d}{person % 28 + 1:02d}" for person in people],
        "sexes": [str(person % 2 + 1) for person in people],
        "residential_addresses": [f"東京都新宿区歌舞伎町１丁目{_wide(person + 1)}番１号" for person in people],
    }


def _numbered(client: Client, count: int, prefix: str) -> list[str]:
    requests = [
        RegisterPeopleRequest(
            batch_id=f"people-{start}",
            number_system="01",
            local_address_numbers=[f"{prefix}{person:013d}" for person in people],
            individual_numbers=[dummy_individual_number(person + 1) for person in people],
            kana_names=["シケン　ハナコ"] * len(people),
            resident_kinds=[ResidentKind.RESIDENT_KIND_JAPANESE] * len(people),
            resident_states=[ResidentState.RESIDENT_STATE_RESIDENT] * len(people),
            **_attributes(people),
        )
        for start in range(0, count, _PER_BATCH)
        for people in [range(start, min(count, start + _PER_BATCH))]
    ]
    numbers: list[str] = []
    for response in client.address.RegisterPeople(iter(requests)):
        numbers += response.integrated_address_numbers
    if len(set(numbers)) != count or not all(numbers):
        raise AssertionError(f"got {len(set(numbers))} integrated address numbers, expected {count}")
    return numbers


def _link(client: Client, numbers: Sequence[str]) -> None:
    parts = [numbers[start : start + _PER_BATCH] for start in range(0, len(numbers), _PER_BATCH)]
    addressees = [
        RegisterAddresseesRequest(batch_id=f"addressees-{at}", integrated_address_numbers=part)
        for at, part in enumerate(parts)
    ]
    for registered in client.linkage_codes.RegisterAddressees(iter(addressees)):
        _all_committed(registered.outcomes)
    codes = [
        BatchRequestCodesRequest(batch_id=f"codes-{at}", integrated_address_numbers=part)
        for at, part in enumerate(parts)
    ]
    for requested in client.linkage_codes.BatchRequestCodes(iter(codes)):
        _all_committed(requested.outcomes)
    linked: set[str] = set()
    watch = client.linkage_codes.WatchLinkageStates(WatchLinkageStatesRequest(), timeout=_LINKING_SECONDS)
    for at, response in enumerate(watch):
        issued = [
            each
            for each in response.linkage_statuses
            if each.state == LinkageState.LINKAGE_STATE_PROCESSING_NUMBER_ISSUED and each.processing_number
        ]
        if issued:
            client.address.SubmitProcessingNumbers(
                SubmitProcessingNumbersRequest(
                    batch_id=f"submit-{at}",
                    integrated_address_numbers=[each.integrated_address_number for each in issued],
                    processing_numbers=[each.processing_number for each in issued],
                )
            )
        linked.update(
            each.integrated_address_number
            for each in response.linkage_statuses
            if each.state == LinkageState.LINKAGE_STATE_LINKED
        )
        if len(linked) == len(numbers):
            watch.cancel()
            return
    raise AssertionError(f"{len(linked)} of {len(numbers)} codes were acquired")


def _register(client: Client, numbers: Sequence[str]) -> list[dict[str, str]]:
    data_set = layout(INFORMATION, EDITION).data_set(DATA_SET)
    items = data_set.required_items
    values = [{item.code: _sample(item, person) for item in items} for person in range(len(numbers))]
    requests = []
    for start in range(0, len(numbers), _PER_BATCH):
        part = slice(start, start + _PER_BATCH)
        rows = range(start, min(len(numbers), start + _PER_BATCH))
        requests.append(
            RegisterReplicasRequest(
                batch_id=f"replicas-{start}",
                header=ReplicaBatchHeader(mode=Mode.MODE_TEST, source_system="bench"),
                information_code=INFORMATION,
                data_set=DATA_SET,
                edition=EDITION,
                record_ids=[f"bench-{row}" for row in rows],
                integrated_address_numbers=numbers[part],
                record_keys=[values[row].get(data_set.key_item or "", "2026") for row in rows],
                start_dates=[PERIOD[0]] * len(rows),
                end_dates=[PERIOD[1]] * len(rows),
                items=[
                    ItemColumn(item_code=item.code, values=[values[row][item.code] for row in rows]) for item in items
                ],
            )
        )
    for response in client.replicas.RegisterReplicas(iter(requests)):
        if response.state != ImportState.IMPORT_STATE_COMPLETED:
            raise AssertionError(f"replicas were refused: {response.failures[:1]}")
    return values


def _sample(item: Item, person: int) -> str:
    if item.values:
        return item.values[0]
    samples = {"date": "20260601", "year": "2026", "year_month": "202606", "flag": "0", "code": "1"}
    if item.type == "number":
        return str(person % 10 ** min(item.max_length, 7))
    return samples.get(item.type, "あ")


def _all_committed(outcomes: Sequence[int]) -> None:
    if any(outcome != RowOutcome.ROW_OUTCOME_COMMITTED for outcome in outcomes):
        raise AssertionError("a row was not committed")


def _kanji(person: int) -> str:
    return "".join("花太一二三四五六七八"[int(digit)] for digit in str(person))


def _wide(number: int) -> str:
    return str(number).translate({48 + digit: 0xFF10 + digit for digit in range(10)})
