# SPDX-License-Identifier: Apache-2.0
"""The information provision network as middle servers call it: the ports' networks over a transport.

Before an organization's first call it announces its keys and endpoint and learns the network's certificate and world
generation; when the network says it does not know the keys (it was made anew), that is done once more.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from chukan.edge.caller import Caller
from chukan.network.v1 import network_service_pb2 as wire
from chukan.server.domain.exchange import NETWORK, MemberKeys
from chukan.server.rpc.exchange_messages import (
    answer_batch_to_message,
    commitments_to_messages,
    keys_from_message,
    keys_to_message,
    permit_request_to_message,
    permit_response_from_message,
)
from chukan.server.rpc.record_messages import network_record_from_message
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from google.protobuf.message import Message

    from chukan.edge.transport import Transport
    from chukan.network.v1.statements_pb2 import MemberKeys as MemberKeysMessage
    from chukan.server.domain.exchange import (
        AnswerBatch,
        NetworkRecord,
        OutcomeCommitment,
        PermitRequest,
        PermitResponse,
    )
    from chukan.server.ports.exchange import ExchangeKeys

__all__ = ["NetworkClient"]

_SERVICE: Final = "/chukan.network.v1.NetworkService/"
_SYSTEM: Final = "middle-server"
_MICROS: Final = 1_000_000
_PAGE: Final = 1_000
_FORGOTTEN: Final = frozenset({"KEY_UNKNOWN", "ORGANIZATION_NOT_CONNECTED"})

_Answer = TypeVar("_Answer", bound="Message")


class NetworkClient:
    """Calls the network in the name of the organizations served here. Safe for threads.

    endpoint: where the MemberService of this process is reached, empty in one process with the network. learned: told
    the world generation at each announcement.
    """

    def __init__(
        self,
        transport: Transport,
        keys: ExchangeKeys,
        *,
        endpoint: Callable[[], str] = lambda: "",
        learned: Callable[[str], None] = lambda _generation: None,
    ) -> None:
        self._transport = transport
        self._keys = keys
        self._endpoint = endpoint
        self._learned = learned
        self._announced: set[str] = set()
        self._lock = threading.Lock()

    def announce(self, organization: str) -> None:
        """Tell the network this organization's keys and endpoint, learn who the network and the members are."""
        request = wire.PullMasterRequest(
            keys=keys_to_message(self._keys.member_keys(organization)), endpoint=self._endpoint()
        )
        response = self._call(organization, "PullMaster", request, wire.PullMasterResponse)
        self._keys.learn(MemberKeys(NETWORK, response.network_certificate, None))
        self._learn(response.members)
        token = response.next_page_token
        while token:
            further = wire.PullMasterRequest(page_token=token)
            page = self._call(organization, "PullMaster", further, wire.PullMasterResponse)
            self._learn(page.members)
            token = page.next_page_token
        self._learned(response.world_generation)
        self._announced.add(organization)

    def issue_processing_numbers(self, organization: str, tokens: Sequence[str]) -> tuple[list[str], int]:
        """Return a processing number per token, and when they expire (microseconds since 1970)."""
        request = wire.IssueProcessingNumbersRequest(tokens=tokens)
        response = self._known(organization, "IssueProcessingNumbers", request, wire.IssueProcessingNumbersResponse)
        expire = response.expire_time
        return list(response.processing_numbers), expire.seconds * _MICROS + expire.nanos // 1_000

    def request_permits(self, organization: str, request: PermitRequest) -> PermitResponse:
        """Ask for permits."""
        message = permit_request_to_message(request)
        response = self._known(organization, "RequestPermits", message, wire.RequestPermitsResponse)
        return permit_response_from_message(response)

    def forward(self, organization: str, exchange_digests: Sequence[bytes]) -> int:
        """Ask to deliver permits again whose answers did not come."""
        request = wire.ForwardRequest(exchange_digests=exchange_digests)
        return self._known(organization, "Forward", request, wire.ForwardResponse).forwarded_count

    def return_answers(self, organization: str, answers: AnswerBatch) -> None:
        """Return answers that waited for a person."""
        request = wire.ReturnAnswersRequest(answers=answer_batch_to_message(answers))
        self._known(organization, "ReturnAnswers", request, wire.ReturnAnswersResponse)

    def commit_records(self, organization: str, commitments: Sequence[OutcomeCommitment]) -> int:
        """Tell outcomes the network could not see."""
        request = wire.CommitRecordsRequest(commitments=commitments_to_messages(commitments))
        return self._known(organization, "CommitRecords", request, wire.CommitRecordsResponse).committed_count

    def network_records(self, organization: str, exchange_ids: Sequence[str]) -> list[NetworkRecord]:
        """Read the network's records of exchanges."""
        request = wire.ListNetworkRecordsRequest(exchange_ids=exchange_ids)
        response = self._known(organization, "ListNetworkRecords", request, wire.ListNetworkRecordsResponse)
        return [network_record_from_message(record) for record in response.records]

    def list_network_records(self, organization: str, page_token: str) -> tuple[list[NetworkRecord], str]:
        """Read a page of the network's records of the organization."""
        request = wire.ListNetworkRecordsRequest(page_size=_PAGE, page_token=page_token)
        response = self._known(organization, "ListNetworkRecords", request, wire.ListNetworkRecordsResponse)
        return [network_record_from_message(record) for record in response.records], response.next_page_token

    def _known(self, organization: str, method: str, request: Message, response_type: type[_Answer]) -> _Answer:
        """Call as an organization the network knows; one it forgot (it was made anew) announces itself once more."""
        for last in (False, True):
            self._ensure_announced(organization)
            try:
                return self._call(organization, method, request, response_type)
            except ChukanError as error:
                if error.code in _FORGOTTEN or error.code == "WORLD_MISMATCH":
                    self._announced.discard(organization)
                if last or error.code not in _FORGOTTEN:
                    raise
        raise AssertionError  # the second turn returns or raises

    def _ensure_announced(self, organization: str) -> None:
        if organization in self._announced:
            return
        with self._lock:
            if organization not in self._announced:
                self.announce(organization)

    def _call(self, organization: str, method: str, request: Message, response_type: type[_Answer]) -> _Answer:
        caller = Caller(organization=organization, system=_SYSTEM)
        return self._transport.call(f"{_SERVICE}{method}", request, response_type, caller=caller)

    def _learn(self, members: Iterable[MemberKeysMessage]) -> None:
        """Know members' keys as far as they can be verified; one who shows bad ones harms nobody else."""
        for message in members:
            with suppress(ChukanError):
                self._keys.learn(keys_from_message(message))
