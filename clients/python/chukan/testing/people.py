# SPDX-License-Identifier: Apache-2.0
"""Dummy people, seen to be dummies at a glance, and their way to linkage codes (docs/calling.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chukan.address.v1 import address_service_pb2 as address
from chukan.network.v1 import resident_network_service_pb2 as residents
from chukan.standard.numbers import dummy_individual_number
from chukan.testing.stage import StageError, expect_taken, organization_of
from chukan.v1 import linkage_code_service_pb2 as linkage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chukan.testing.bare_world import BareWorld

__all__ = ["Addressee", "introduce"]

__tracebackhide__ = True  # a failure is shown at the line of the test

_FIRST_SERIAL: Final = 99_600_000
"""From here on `chukan people generate` gives no numbers; its resident record codes begin with 999."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """A person nobody is: 見本 (specimen) by name, with an individual number of the dummy prefix.

    numbers: integrated address numbers (団体内統合宛名番号), by the 16 digits of each organization that knows them.
    """

    name: str
    kana_name: str
    birth_date: str
    sex: str
    residential_address: str
    individual_number: str
    resident_record_code: str
    local_address_number: str
    numbers: Mapping[str, str]

    def number(self, organization: str) -> str:
        """Return the integrated address number at an organization; LookupError where the person is not known."""
        code = organization_of(organization).code
        if code in self.numbers:
            return self.numbers[code]
        known = ", ".join(self.numbers)
        raise LookupError(
            f"{self.name} is not known at {code}; known at {known}; "
            f'name it too where the person is made: world.addressee("{code}", …)\n'
            f"{self.name} は {code} では未登録です(登録先: {known})。addressee に {code} も指定してください。"
        )


def introduce(
    world: BareWorld, serial: int, organizations: Sequence[str], numbers: Mapping[str, str], *, link: bool
) -> Addressee:
    """Make one more person known to organizations; see `World.addressee`."""
    given = {organization_of(each).code: number for each, number in numbers.items()}
    codes = list(dict.fromkeys([*(organization_of(each).code for each in organizations), *given]))
    if not codes:
        raise StageError(
            "no organization was named that is to know the addressee; name one or more, "
            'as in world.addressee("131121", "131041")',
            "宛名を登録する機関が指定されていません。"
            'world.addressee("131121", "131041") のように一つ以上指定してください。',
        )
    known = dict(given)
    unused = _FIRST_SERIAL + serial
    person = Addressee(
        name=f"見本　{serial}",
        kana_name=f"ミホン　{serial}",
        birth_date=f"{1940 + serial % 60}{1 + serial % 12:02d}{1 + serial % 28:02d}",
        sex=str(1 + serial % 2),
        residential_address=f"東京都見本町{serial}番地",
        individual_number=dummy_individual_number(unused),
        resident_record_code=f"998{serial:08d}",
        local_address_number=f"{serial:015d}",
        numbers=known,
    )
    _notify(world, codes[0], person)
    for code in codes:
        if code not in given:
            known[code] = _number(world, code, person)
        _register(world, code, known[code], link=link)
    if link:
        _link(world, person, given)
    return person


def _notify(world: BareWorld, organization: str, person: Addressee) -> None:
    """Let the simulated resident network (住基ネット) know the person."""
    request = residents.NotifyResidentsRequest(
        batch_id=world.next_id("batch"),
        individual_numbers=[person.individual_number],
        resident_record_codes=[person.resident_record_code],
        names=[person.name],
        birth_dates=[person.birth_date],
        sexes=[person.sex],
        residential_addresses=[person.residential_address],
    )
    (answer,) = world.own_client(organization).resident_network.NotifyResidents(iter([request]))
    expect_taken(f"{person.name} at the resident network", answer.failures)


def _number(world: BareWorld, organization: str, person: Addressee) -> str:
    """Let the emulator's address system of an organization number the person."""
    request = address.RegisterPeopleRequest(
        batch_id=world.next_id("batch"),
        number_system="01",
        local_address_numbers=[person.local_address_number],
        individual_numbers=[person.individual_number],
        names=[person.name],
        kana_names=[person.kana_name],
        birth_dates=[person.birth_date],
        sexes=[person.sex],
        residential_addresses=[person.residential_address],
        resident_kinds=[address.RESIDENT_KIND_JAPANESE],
        resident_states=[address.RESIDENT_STATE_RESIDENT],
        movement_dates=[person.birth_date],
    )
    (answer,) = world.own_client(organization).address.RegisterPeople(iter([request]))
    expect_taken(f"{person.name} at the address system of {organization}", answer.failures)
    number = answer.integrated_address_numbers[0]
    if not number:
        outcome = address.LinkOutcome.Name(answer.outcomes[0])
        raise StageError(f"{person.name} at the address system of {organization}: got {outcome}, expected a number")
    return number


def _register(world: BareWorld, organization: str, number: str, *, link: bool) -> None:
    """Tell the middle server of the addressee, and ask for the code in the same step."""
    request = linkage.RegisterAddresseesRequest(
        batch_id=world.next_id("batch"), integrated_address_numbers=[number], code_rows=[0] if link else []
    )
    (answer,) = world.own_client(organization).linkage_codes.RegisterAddressees(iter([request]))
    expect_taken(f"addressee {number} at {organization}", answer.failures)


def _link(world: BareWorld, person: Addressee, given: Mapping[str, str]) -> None:
    """Hand on the processing numbers (処理通番), as the address system of each organization does."""
    world.await_idle()
    for code, number in person.numbers.items():
        issued = _status(world, code, number, linkage.LINKAGE_STATE_PROCESSING_NUMBER_ISSUED).processing_number
        if code in given:
            _submit_as_own_system(world, code, person, issued)
        else:
            request = address.SubmitProcessingNumbersRequest(
                batch_id=world.next_id("batch"), integrated_address_numbers=[number], processing_numbers=[issued]
            )
            answer = world.own_client(code).address.SubmitProcessingNumbers(request)
            expect_taken(f"the processing number at {code}", answer.failures)
    world.await_idle()
    for code, number in person.numbers.items():
        _status(world, code, number, linkage.LINKAGE_STATE_LINKED)


def _submit_as_own_system(world: BareWorld, organization: str, person: Addressee, issued: str) -> None:
    request = residents.SubmitProcessingNumbersRequest(
        batch_id=world.next_id("batch"),
        processing_numbers=[issued],
        individual_numbers=[person.individual_number],
    )
    answer = world.own_client(organization).resident_network.SubmitProcessingNumbers(request)
    expect_taken(f"the processing number at {organization}", answer.failures)


def _status(
    world: BareWorld, organization: str, number: str, expected: linkage.LinkageState.ValueType
) -> linkage.LinkageStatus:
    """Return how far the code is, which must be as far as expected."""
    request = linkage.GetLinkageStateRequest(integrated_address_number=number)
    status = world.own_client(organization).linkage_codes.GetLinkageState(request).linkage_status
    if status.state != expected:
        got, wanted = linkage.LinkageState.Name(status.state), linkage.LinkageState.Name(expected)
        why = f" ({status.failure_reason})" if status.failure_reason else ""
        raise StageError(f"addressee {number} at {organization}: got {got}{why}, expected {wanted}")
    return status
