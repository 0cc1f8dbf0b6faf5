# SPDX-License-Identifier: Apache-2.0
"""Two middle servers and the network core on one database, step by step: nothing runs unless a test lets it.

All parts are real; only the wires between them are played, so that they can be cut, and
what goes over them be kept or changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chukan.server.assembly.exchange_side import ExchangeSide, build_exchange_side
from chukan.server.assembly.foundation import Foundation, lay_foundation
from chukan.server.assembly.network_side import build_network_side
from chukan.server.assembly.rings import core_ring
from chukan.server.config import Config
from chukan.server.crypto.exchange_keys import RingKeys
from chukan.server.crypto.keyring import KeyRing
from chukan.server.dispatch.delivery import NetworkDeliveries
from chukan.server.domain.exchange import AnswerContent
from chukan.server.domain.inquiry import InquirySpec
from chukan.server.domain.linkage import AddresseeBatch, AddresseeState
from chukan.server.middle.code_acquisition import CodeAcquisition
from chukan.server.middle.linkage_codes import LinkageCodes
from chukan.server.middle.number_requests import ISSUE
from chukan.server.middle.replicas import Replicas
from chukan.server.network import (
    answers,
    delivery,
    linkage_codes,
    permits,
    processing_numbers,
    records,
    resident_network,
)
from chukan.server.storage.addressees import AddresseeStore
from chukan.server.storage.imports import ImportStore
from chukan.server.storage.replicas import ReplicaStore
from chukan.standard.clock import FixedClock
from chukan.standard.ids import SeededIds
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.organizations import by_municipality
from chukan.standard.reasons import ChukanError
from tests.storage.middle.samples import batch, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from chukan.server.domain.content import Column
    from chukan.server.domain.exchange import (
        AnswerBatch,
        AnswerReceipt,
        Delivery,
        NetworkRecord,
        OutcomeCommitment,
        PermitRequest,
        PermitResponse,
    )
    from chukan.server.network.core import Core

SHINJUKU = by_municipality("131041").code
SETAGAYA = by_municipality("131121").code
CHIYODA = by_municipality("131016").code
AFFAIR = "JM01000000121000"
PROCEDURE = "JT01010000000214"
TAX = "TM00000000000002"
NOON = datetime(2026, 7, 1, 3, tzinfo=UTC)


@dataclass
class Wires:
    """The wires: a named one can be cut before or after the call; `seen` keeps what went over it."""

    cut_before: set[str] = field(default_factory=set)
    cut_after: set[str] = field(default_factory=set)
    seen: dict[str, list[Any]] = field(default_factory=dict)
    change: dict[str, Callable[[Any], Any]] = field(default_factory=dict)

    def carry(self, name: str, sent: Any, call: Callable[[Any], Any]) -> Any:
        """Carry one call."""
        sent = self.change.get(name, lambda each: each)(sent)
        self.seen.setdefault(name, []).append(sent)
        if name in self.cut_before:
            raise ChukanError("PEER_UNREACHABLE", params={"wire": name})
        answer = call(sent)
        if name in self.cut_after:
            raise ChukanError("PEER_UNREACHABLE", params={"wire": name})
        return answer


class PlayedNetwork:
    """The core over the wires; its list comes in small pages, so that a test needs no thousand exchanges."""

    listed_at_once = 2

    def __init__(self, core: Core, wires: Wires) -> None:
        self._core, self._wires = core, wires

    def issue_processing_numbers(self, organization: str, tokens: Sequence[str]) -> tuple[list[str], int]:
        issued = processing_numbers.issue(self._core, organization, tokens)
        return list(issued.numbers), issued.expire_time_ms * 1000

    def request_permits(self, organization: str, request: PermitRequest) -> PermitResponse:
        return self._wires.carry(
            "request_permits", request, lambda sent: permits.request_permits(self._core, organization, sent)
        )

    def forward(self, organization: str, exchange_digests: Sequence[bytes]) -> int:
        return self._wires.carry(
            "forward", exchange_digests, lambda sent: delivery.forward(self._core, organization, sent)
        )

    def return_answers(self, organization: str, batch_: AnswerBatch) -> None:
        self._wires.carry("return_answers", batch_, lambda sent: answers.return_answers(self._core, organization, sent))

    def commit_records(self, organization: str, commitments: Sequence[OutcomeCommitment]) -> int:
        return self._wires.carry(
            "commit_records", commitments, lambda sent: records.commit_outcomes(self._core, organization, sent)
        )

    def network_records(self, organization: str, exchange_ids: Sequence[str]) -> list[NetworkRecord]:
        return self._wires.carry(
            "network_records",
            exchange_ids,
            lambda sent: records.list_records(self._core, organization, exchange_ids=sent, page_size=1000)[0],
        )

    def list_network_records(self, organization: str, page_token: str) -> tuple[list[NetworkRecord], str]:
        return self._wires.carry(
            "network_records",
            page_token,
            lambda sent: tuple(
                records.list_records(self._core, organization, page_size=self.listed_at_once, page_token=sent)
            ),
        )


class PlayedMember:
    """The middle servers over the wires."""

    def __init__(self, wires: Wires) -> None:
        self._wires = wires
        self.side: ExchangeSide | None = None
        self.codes: CodeAcquisition | None = None

    def deliver_codes(self, organization: str, deliveries: Sequence[Any]) -> Any:
        assert self.codes is not None
        return self.codes.deliver(organization, deliveries)

    def deliver_inquiries(self, organization: str, delivery_: Delivery) -> tuple[AnswerBatch, ...]:
        side = self.side
        assert side is not None
        return self._wires.carry(
            "deliver_inquiries", delivery_, lambda sent: side.provisions.deliver(organization, sent)
        )

    def deliver_answers(self, organization: str, batch_: AnswerBatch) -> AnswerReceipt:
        side = self.side
        assert side is not None
        return self._wires.carry("deliver_answers", batch_, lambda sent: side.answers.deliver(organization, sent))

    def acknowledge_answers(self, organization: str, digests: Sequence[bytes], statement: Any) -> None:
        """Nothing to do."""


@dataclass
class World:
    """Everything, and the hands to move it."""

    foundation: Foundation
    core: Core
    side: ExchangeSide
    codes: LinkageCodes
    acquisition: CodeAcquisition
    replicas: Replicas
    wires: Wires
    handlers: dict[str, Callable[[list[Any]], None]]
    keys: RingKeys
    clock: FixedClock
    serials: int = 0

    # --- moving on ---

    def step(self, *kinds: str) -> int:
        """Do what waits of these kinds (all, if none is named) once; return how many rows were handled."""
        outbox, database = self.foundation.outbox, self.foundation.database
        handled = 0
        with database.read() as connection:
            lanes = outbox.lanes(connection)
        for organization, kind, _ in lanes:
            if kinds and kind not in kinds:
                continue
            with database.read() as connection:
                items, _ = outbox.due(connection, organization, kind, most=1000, most_bytes=1 << 24)
            if items:
                self.handlers[kind](items)
                handled += len(items)
        return handled

    def run(self) -> None:
        """Do everything that is left to do."""
        while self.step():
            pass

    def waiting(self) -> list[str]:
        """Return the kinds of what is left to do."""
        with self.foundation.database.read() as connection:
            return sorted(kind for _, kind, _ in self.foundation.outbox.lanes(connection))

    # --- people ---

    def person(self, *organizations: str) -> str:
        """Let a new person be linked at these organizations under one number, and return it."""
        self.serials += 1
        serial, own = self.serials, number(self.serials)
        self.notify(serial)
        for organization in organizations:
            self.link(organization, own, serial)
        return own

    def link(self, organization: str, own: str, serial: int) -> None:
        """Register a number and acquire its code for the person with the individual number of this serial."""
        self.codes.register(organization, "test", f"p{own}", b"d", AddresseeBatch([own]))
        self.codes.request_code(organization, own)
        self._issue(organization)
        submitted = self.codes.get(organization, own).processing_number
        linkage_codes.submit(self.core, organization, [submitted], [dummy_individual_number(serial)])
        self.step("deliver_codes")

    def flag(self, organization: str, own: str, *, nondisclosure: bool = False, manual: str = "") -> None:
        """Mark a person as not to be disclosed, or an information as not to be answered automatically."""
        given = AddresseeBatch(
            [own],
            nondisclosure=frozenset({0} if nondisclosure else ()),
            auto_response_disabled={0: frozenset({manual})} if manual else {},
        )
        self.codes.register(organization, "test", f"f{own}", b"d", given)
        assert self.codes.get(organization, own).state is AddresseeState.ACTIVE

    def register(self, organization: str, *people: str, columns: Sequence[Column] = (), **given: object) -> None:
        """Register tax replicas of people; columns: beside those that must be."""
        self.serials += 1
        made = batch(people, **{"batch_id": f"r{self.serials}", **given})
        if columns:
            made = batch(people, **{"batch_id": f"r{self.serials}", **given, "columns": [*made.columns, *columns]})
        row, _ = self.replicas.register(organization, "test", made, b"d")
        assert not row.failures, row.failures

    def notify(self, serial: int, *, code_of: int = 0) -> None:
        """Let the resident network know a person; code_of: the serial whose 住民票コード the person has, if another."""
        columns = resident_network.ResidentColumns(
            individual_numbers=[dummy_individual_number(serial)],
            resident_record_codes=[f"999{code_of or serial:08d}"],
            names=[f"試験 {serial}"],
            birth_dates=["19800102"],
            sexes=["1"],
            residential_addresses=[f"東京都新宿区西新宿{serial}"],
        )
        resident_network.notify(self.core, SHINJUKU, columns)

    def _issue(self, organization: str) -> None:
        with self.foundation.database.read() as connection:
            items, _ = self.foundation.outbox.due(connection, organization, ISSUE, most=100, most_bytes=1 << 20)
        self.acquisition.issue(items)

    # --- inquiries ---

    def spec(self, own: str, **changed: Any) -> InquirySpec:
        """Return an inquiry of 世田谷区 to 新宿区 that the list permits; only what a test is about is said."""
        self.serials += 1
        fields: dict[str, Any] = {
            "record_id": f"R{self.serials:06d}",
            "number": own,
            "affair": AFFAIR,
            "procedure": PROCEDURE,
            "provider": SHINJUKU,
            "information": TAX,
            "consent": True,
        }
        return InquirySpec(**{**fields, **changed})

    def ask(self, own: str, organization: str = SETAGAYA, **changed: Any) -> str:
        """Accept one inquiry and return its receipt number."""
        number_ = self.side.acceptance.accept_one(organization, self.spec(own, **changed)).id
        return self.side.desk.by_id(organization, number_).receipt_number

    def inquiry(self, receipt: str, organization: str = SETAGAYA) -> Any:
        """Return where an inquiry stands."""
        return self.side.desk.by_receipt(organization, receipt)

    def results(self, receipts: Sequence[str], organization: str = SETAGAYA, *, most_bytes: int = 10**6) -> Any:
        """Return what can be read of answers."""
        return self.side.desk.results(organization, receipts, most_bytes=most_bytes)

    def result(self, receipt: str, organization: str = SETAGAYA) -> Any:
        """Return the opened answer, decoded."""
        read = self.results([receipt], organization)
        assert not read.unavailable, read.unavailable
        content = read.results[0].content
        return self.foundation.codec.decode(AnswerContent, content) if content else None

    def record(self, organization: str, side: int = 0) -> Any:
        """Return the organization's newest record."""
        return [record for _, record in self.side.records.page(organization, after=0, most=1000, side=side)][-1]


def build_world(path: Path | None) -> World:
    """Build a world in memory, or on files."""
    clock = FixedClock(NOON)
    foundation = lay_foundation(Config(data=path, synchronous="OFF"), clock=clock, ids=SeededIds(1))
    hosted = frozenset({SHINJUKU, SETAGAYA, CHIYODA})
    ring = (
        KeyRing.in_memory(clock, serves=hosted) if path is None else KeyRing.open(path / "keys", clock, serves=hosted)
    )
    masters = foundation.masters(foundation.world_generation(draw=True))
    core, directory = build_network_side(foundation, masters, RingKeys(core_ring(foundation, ring)), hosted=hosted)
    keys = RingKeys(ring)
    network_keys = core.keys.member_keys("network")
    keys.learn(network_keys)
    for organization in (SETAGAYA, SHINJUKU):
        directory.announce(keys.member_keys(organization), "")
    wires = Wires()
    network, member = PlayedNetwork(core, wires), PlayedMember(wires)
    environment = foundation.environment(masters)
    addressees, replicas = AddresseeStore(foundation.vault), ReplicaStore(foundation.vault)
    side = build_exchange_side(
        environment,
        outbox=foundation.outbox,
        codec=foundation.codec,
        keys=keys,
        network=network,  # type: ignore[arg-type]
        addressees=addressees,
        replicas=replicas,
    )
    acquisition = CodeAcquisition(environment, addressees, foundation.outbox, network)
    member.side, member.codes = side, acquisition
    deliveries = NetworkDeliveries(core, exchange_member=member, code_member=member)  # type: ignore[arg-type]
    return World(
        foundation=foundation,
        core=core,
        side=side,
        codes=LinkageCodes(environment, addressees, replicas, foundation.outbox),
        acquisition=acquisition,
        replicas=Replicas(environment, addressees, replicas, ImportStore(), send_cap=lambda *_: 10_000),
        wires=wires,
        handlers={**deliveries.handlers(), **side.steps.handlers()},  # type: ignore[dict-item]
        keys=keys,
        clock=clock,
    )
