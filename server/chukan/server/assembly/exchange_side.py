# SPDX-License-Identifier: Apache-2.0
"""Builds the exchange of the middle servers served here: inquiries, provisions, records, their steps and timer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chukan.durable.timer import Timer
from chukan.edge.service import Service
from chukan.network.v1.member_service_pb2_grpc import add_MemberServiceServicer_to_server
from chukan.server.dispatch.exchange import ExchangeSteps
from chukan.server.middle.answers import Answers
from chukan.server.middle.exchange_records import ExchangeRecordDesk
from chukan.server.middle.inquiries import InquiryDesk
from chukan.server.middle.inquiry_acceptance import InquiryAcceptance
from chukan.server.middle.inquiry_judgement import InquiryJudge
from chukan.server.middle.inquiry_timers import InquiryTimers
from chukan.server.middle.manual_provisions import ProvisionDesk
from chukan.server.middle.permission_check import PermissionCheck
from chukan.server.middle.permit_requests import PermitRequests
from chukan.server.middle.provision_content import ProvisionContent
from chukan.server.middle.provisions import AutomaticProvisions
from chukan.server.middle.record_comparison import RecordComparison
from chukan.server.middle.sealed_answers import AnswerSealer
from chukan.server.middle.statements import Statements
from chukan.server.rpc.exchange_record_service import ExchangeRecordServicer
from chukan.server.rpc.inquiry_service import InquiryServicer
from chukan.server.rpc.member_service import MemberServicer
from chukan.server.rpc.provision_service import ProvisionServicer
from chukan.server.rpc.resuming import Positions
from chukan.server.rpc.security_service import SecurityServicer
from chukan.server.storage.exchange_records import ExchangeRecordStore
from chukan.server.storage.inquiries import InquiryStore
from chukan.server.storage.provisions import ProvisionStore
from chukan.v1.exchange_record_service_pb2_grpc import add_ExchangeRecordServiceServicer_to_server
from chukan.v1.inquiry_service_pb2_grpc import add_InquiryServiceServicer_to_server
from chukan.v1.provision_service_pb2_grpc import add_ProvisionServiceServicer_to_server
from chukan.v1.security_service_pb2_grpc import add_SecurityServiceServicer_to_server

if TYPE_CHECKING:
    from chukan.server.crypto.exchange_keys import RingKeys
    from chukan.server.middle.code_acquisition import CodeAcquisition
    from chukan.server.ports import Environment, Outbox
    from chukan.server.ports.exchange import Codec, ExchangeNetwork
    from chukan.server.ports.exchange_stores import AddresseeFinder, AnswerableReplicas

__all__ = ["ExchangeSide", "build_exchange_side"]


@dataclass(frozen=True, slots=True)
class ExchangeSide:
    """What the middle servers serve and carry on about exchanges."""

    services: tuple[Service, ...]
    """InquiryService, ProvisionService, ExchangeRecordService, SecurityService."""
    steps: ExchangeSteps
    """handlers() and gave_up() for the dispatcher."""
    timer: Timer
    acceptance: InquiryAcceptance
    desk: InquiryDesk
    provision_desk: ProvisionDesk
    records: ExchangeRecordDesk
    comparison: RecordComparison
    answers: Answers
    provisions: AutomaticProvisions
    inquiries: InquiryStore
    """For the figures: counts(connection) by state."""

    def member_service(self, codes: CodeAcquisition) -> Service:
        """Return MemberService, which the network calls."""
        return Service(
            MemberServicer(codes, self.provisions, self.answers),
            add_MemberServiceServicer_to_server,
            "chukan.network.v1.MemberService",
            pool="member",
        )


def build_exchange_side(
    environment: Environment,
    *,
    outbox: Outbox,
    codec: Codec,
    keys: RingKeys,
    network: ExchangeNetwork,
    addressees: AddresseeFinder,
    replicas: AnswerableReplicas,
) -> ExchangeSide:
    """Build it over the stores of addressees and replicas."""
    inquiries, records, provisions = InquiryStore(), ExchangeRecordStore(), ProvisionStore()
    statements = Statements(environment, codec, keys)
    sealer = AnswerSealer(codec, keys, statements)
    acceptance = InquiryAcceptance(
        environment,
        inquiries=inquiries,
        records=records,
        outbox=outbox,
        judge=InquiryJudge(environment, addressees=addressees, codec=codec, keys=keys),
    )
    desk = InquiryDesk(environment, inquiries=inquiries, records=records, outbox=outbox, codec=codec)
    provision_desk = ProvisionDesk(
        environment,
        provisions=provisions,
        records=records,
        addressees=addressees,
        outbox=outbox,
        codec=codec,
        sealer=sealer,
        network=network,
    )
    record_desk = ExchangeRecordDesk(environment, records=records, addressees=addressees)
    comparison = RecordComparison(environment, desk=record_desk, records=records, outbox=outbox, network=network)
    timers = InquiryTimers(
        environment,
        inquiries=inquiries,
        records=records,
        provisions=provisions,
        outbox=outbox,
        network=network,
    )
    permits = PermitRequests(
        environment,
        inquiries=inquiries,
        records=records,
        outbox=outbox,
        codec=codec,
        keys=keys,
        statements=statements,
        network=network,
    )
    positions = Positions(environment)
    return ExchangeSide(
        services=(
            Service(
                InquiryServicer(acceptance, desk, PermissionCheck(environment), positions),
                add_InquiryServiceServicer_to_server,
                "chukan.v1.InquiryService",
                pools={"CreateInquiries": "bulk", "WatchInquiries": "watch"},
            ),
            Service(
                ProvisionServicer(provision_desk, positions),
                add_ProvisionServiceServicer_to_server,
                "chukan.v1.ProvisionService",
                pools={"WatchProvisions": "watch"},
            ),
            Service(
                ExchangeRecordServicer(record_desk, comparison),
                add_ExchangeRecordServiceServicer_to_server,
                "chukan.v1.ExchangeRecordService",
                pools={"ExportExchangeRecords": "bulk"},
            ),
            Service(
                SecurityServicer(environment.master, keys),
                add_SecurityServiceServicer_to_server,
                "chukan.v1.SecurityService",
            ),
        ),
        steps=ExchangeSteps(
            permits=permits,
            timers=timers,
            provisions=provision_desk,
            comparison=comparison,
            database=environment.database,
            outbox=outbox,
        ),
        timer=Timer("look_after_inquiries", timers.run_due, next_due=timers.next_due),
        acceptance=acceptance,
        desk=desk,
        provision_desk=provision_desk,
        records=record_desk,
        comparison=comparison,
        answers=Answers(
            environment,
            inquiries=inquiries,
            records=records,
            codec=codec,
            keys=keys,
            statements=statements,
        ),
        provisions=AutomaticProvisions(
            environment,
            provisions=provisions,
            records=records,
            content=ProvisionContent(environment, addressees, replicas),
            sealer=sealer,
            codec=codec,
            keys=keys,
            statements=statements,
        ),
        inquiries=inquiries,
    )
