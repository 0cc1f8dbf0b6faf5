# SPDX-License-Identifier: Apache-2.0
"""Pages and places: sizes that make no sense, tokens of another listing, another organization, another time."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from chukan.address.v1 import address_service_pb2 as address
from chukan.address.v1.address_service_pb2_grpc import AddressServiceStub
from chukan.v1 import exchange_record_service_pb2 as records
from chukan.v1 import inquiry_service_pb2 as inquiries
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import provision_service_pb2 as provisions
from chukan.v1 import replica_service_pb2 as replicas
from chukan.v1.exchange_record_service_pb2_grpc import ExchangeRecordServiceStub
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub
from chukan.v1.linkage_code_service_pb2_grpc import LinkageCodeServiceStub
from chukan.v1.provision_service_pb2_grpc import ProvisionServiceStub
from chukan.v1.replica_service_pb2_grpc import ReplicaServiceStub
from tests.builders import TAX
from tests.hostile.world import SECONDS, outcome

if TYPE_CHECKING:
    from tests.hostile.conftest import Stage

KEY: Final = {"information_code": TAX, "data_set": "0100", "record_key": "2026"}

#: name → (stub, RPC, request, fields of the request)
LISTINGS: Final[dict[str, tuple[Any, str, Any, dict[str, Any]]]] = {
    "inquiries": (InquiryServiceStub, "ListInquiries", inquiries.ListInquiriesRequest, {}),
    "linkage_states": (LinkageCodeServiceStub, "ListLinkageStates", linkage.ListLinkageStatesRequest, {}),
    "replicas": (ReplicaServiceStub, "ListReplicas", replicas.ListReplicasRequest, {"integrated_address_number": ""}),
    "versions": (
        ReplicaServiceStub,
        "ListReplicaVersions",
        replicas.ListReplicaVersionsRequest,
        {"integrated_address_number": "", "key": KEY},
    ),
    "imports": (ReplicaServiceStub, "ListImports", replicas.ListImportsRequest, {}),
    "provisions": (ProvisionServiceStub, "ListProvisions", provisions.ListProvisionsRequest, {}),
    "records": (ExchangeRecordServiceStub, "ListExchangeRecords", records.ListExchangeRecordsRequest, {}),
    "unnumbered": (AddressServiceStub, "ListUnnumbered", address.ListUnnumberedRequest, {}),
    "mismatches": (AddressServiceStub, "ListMismatches", address.ListMismatchesRequest, {}),
    "people": (
        AddressServiceStub,
        "FindPeople",
        address.FindPeopleRequest,
        {"name": "試験", "sex": "1", "partial": True},
    ),
}


def read(stage: Stage, listing: str, body: Any = None, **given: Any) -> Any:
    stub, rpc, request, fields = LISTINGS[listing]
    fields = {name: value or stage.provided[0] for name, value in fields.items()}
    caller = body or stage.shinjuku
    return getattr(stub(stage.channel), rpc)(request(**fields, **given), metadata=caller.metadata, timeout=SECONDS)


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("size", [-1, -(2**31), 1_001, 2**31 - 1])
def test_a_page_of_a_size_that_makes_no_sense_is_refused(stage: Stage, listing: str, size: int) -> None:
    assert outcome(lambda: read(stage, listing, page_size=size)) == "INVALID_ARGUMENT INVALID_FIELD"


def _token(*place: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


MADE_UP: Final = {
    "text": "next",
    "space": " ",
    "NUL": "\0",
    "not ASCII": "次",
    "empty list": _token(),
    "another listing": _token("nobody", 1),
    "no list": base64.urlsafe_b64encode(b'{"a":1}').decode(),
    "a number": base64.urlsafe_b64encode(b"1").decode(),
    "deep": base64.urlsafe_b64encode(b"[" * 300).decode(),
    "very long": "A" * 100_000,
    "padding": "====",
}


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_token_somebody_made_up_or_brought_from_elsewhere_is_refused(stage: Stage, listing: str) -> None:
    others = [name for name in LISTINGS if name != listing]
    tokens = [*MADE_UP.values(), *(_token(name, 1) for name in others), *(_token(name, "", "", "") for name in others)]
    places: list[tuple[object, ...]] = [(-1,), (2**63,), (1.5,), (True,), (None,), ("1",), ([],), (1, 1), ("", ""), ()]
    tokens += [_token(listing, *place) for place in places]

    ends = {token: outcome(lambda token=token: read(stage, listing, page_token=token)) for token in tokens}  # type: ignore[misc]

    assert set(ends.values()) == {"INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token"}, ends


@pytest.mark.parametrize("listing", ["inquiries", "linkage_states", "imports", "records"])
def test_a_token_of_another_organization_is_none(stage: Stage, listing: str) -> None:
    here, there = stage.shinjuku, stage.setagaya
    for asked in stage.asked:
        there.ask(there.spec(asked))  # two rows of each list at least, at one of the two
    given = {body.organization: read(stage, listing, body, page_size=1).next_page_token for body in (here, there)}
    tokens = [(given[mine.organization], other) for mine, other in ((here, there), (there, here))]

    ends = {
        outcome(lambda token=token, other=other: read(stage, listing, other, page_token=token))  # type: ignore[misc]
        for token, other in tokens
        if token
    }

    assert ends == {"INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token"}


def _rows(page: Any) -> Any:
    return next((value for field, value in page.ListFields() if field.is_repeated), ())


WATCHES: Final[dict[str, tuple[Any, str, Any]]] = {
    "inquiries": (InquiryServiceStub, "WatchInquiries", inquiries.WatchInquiriesRequest),
    "linkage": (LinkageCodeServiceStub, "WatchLinkageStates", linkage.WatchLinkageStatesRequest),
    "provisions": (ProvisionServiceStub, "WatchProvisions", provisions.WatchProvisionsRequest),
}


@pytest.mark.parametrize("watch", WATCHES)
def test_a_watch_goes_on_only_from_a_place_of_its_own(stage: Stage, watch: str) -> None:
    stub, rpc, request = WATCHES[watch]

    def begin(token: str) -> str:
        call = getattr(stub(stage.channel), rpc)(
            request(resume_token=token), metadata=stage.shinjuku.metadata, timeout=SECONDS
        )
        return outcome(lambda: call)

    own = [_token("inquiries", "", 1), _token("changes", 1), _token("changes", "", -1)]
    wrong = {token: begin(token) for token in [*MADE_UP.values(), *own]}
    later = {begin(_token("changes", "another", place)) for place in (0, 10**12, 2**63 - 1)}

    assert set(wrong.values()) == {"INVALID_ARGUMENT RESUME_TOKEN_INVALID resume_token"}, wrong
    assert later == {"OUT_OF_RANGE RESUME_TOKEN_EXPIRED resume_token"}


@pytest.mark.parametrize("watch", WATCHES)
def test_many_watches_left_at_once_hold_nothing(stage: Stage, watch: str) -> None:
    stub, rpc, request = WATCHES[watch]
    for _ in range(3):
        calls = [
            getattr(stub(stage.channel), rpc)(request(from_now=True), metadata=stage.shinjuku.metadata)
            for _ in range(10)
        ]
        ends = {outcome(lambda call=call: (next(call), call.cancel())) for call in calls}  # type: ignore[misc]
        # Those left a moment ago are noticed within a second; until then a new one may find no room.
        assert ends <= {"OK", "RESOURCE_EXHAUSTED WATCHES_EXHAUSTED"}

    assert outcome(lambda: read(stage, "inquiries")) == "OK"


@pytest.mark.parametrize("states", [[99], [-1], [2**31 - 1], [0], [1, 1, 1, 99]])
@pytest.mark.parametrize("listing", ["inquiries", "linkage_states", "provisions"])
def test_a_state_there_is_none_of_finds_nothing_else(stage: Stage, listing: str, states: list[int]) -> None:
    """It is refused, or nothing is in it: never is the filter left out."""
    found: list[Any] = []

    end = outcome(lambda: found.append(read(stage, listing, states=states)))

    assert end in {"OK", "INVALID_ARGUMENT INVALID_FIELD"}
    assert not [each for page in found for each in _rows(page) if each.state not in states]


@pytest.mark.parametrize("information", ["TM99999999999999", "", "TM", "tm00000000000002", f"{TAX} "])
def test_an_export_of_an_information_there_is_none_of_is_refused(stage: Stage, information: str) -> None:
    request = replicas.ExportReplicasRequest(information_code=information)
    stub = ReplicaServiceStub(stage.channel)

    end = outcome(lambda: stub.ExportReplicas(request, metadata=stage.shinjuku.metadata, timeout=SECONDS))

    assert end in {"NOT_FOUND INFORMATION_UNKNOWN information_code", "INVALID_ARGUMENT INVALID_FIELD"}


def test_an_export_of_a_data_set_there_is_none_of_is_empty_or_refused(stage: Stage) -> None:
    stub = ReplicaServiceStub(stage.channel)
    request = replicas.ExportReplicasRequest(information_code=TAX, data_set="9999")

    end = outcome(lambda: stub.ExportReplicas(request, metadata=stage.shinjuku.metadata, timeout=SECONDS))

    assert end in {"OK", "INVALID_ARGUMENT DATA_SET_UNKNOWN data_set"}
