# SPDX-License-Identifier: Apache-2.0
"""Provisions (情報提供) that wait for people, decided about wrongly, twice, or by the wrong person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from chukan.v1 import common_pb2
from chukan.v1 import provision_service_pb2 as pb
from chukan.v1.linkage_code_service_pb2 import AutoResponseDisabledRows, AutoResponseDisabledSet
from chukan.v1.provision_service_pb2_grpc import ProvisionServiceStub
from tests.builders import EDITION, TAX, eventually, fresh_serial
from tests.hostile.world import CANARY, SECONDS, outcome

if TYPE_CHECKING:
    from tests.hostile.conftest import Stage

LEVY: Final = "TK90002010000003"


def waiting(stage: Stage, **given: Any) -> tuple[str, str]:
    """Return a provision that waits for people, and the receipt of its inquiry."""
    serial = fresh_serial()
    manual = AutoResponseDisabledSet(entries=[AutoResponseDisabledRows(information_code=TAX, rows=[0])])
    (provided,) = stage.shinjuku.link([serial], auto_response_disabled=manual)
    stage.shinjuku.replicas([provided])
    (asked,) = stage.setagaya.link([serial])
    receipt = stage.setagaya.ask(stage.setagaya.spec(asked, **given)).receipt_numbers[0]
    stub = ProvisionServiceStub(stage.channel)

    def find() -> str:
        request = pb.ListProvisionsRequest(states=[pb.PROVISION_STATE_WAITING], page_size=1000)
        found = stub.ListProvisions(request, metadata=stage.shinjuku.metadata).provisions
        return next((each.provision_id for each in found if each.integrated_address_number == provided), "")

    return eventually(find), receipt


def decide(stage: Stage, rpc: str, provision: str, *, user: str = "first", body: Any = None, **fields: Any) -> str:
    request = getattr(pb, f"{rpc}Request")(provision_id=provision, **fields)
    metadata = ((body or stage.shinjuku).metadata) + ((("chukan-user", user),) if user else ())
    stub = ProvisionServiceStub(stage.channel)
    return outcome(lambda: getattr(stub, rpc)(request, metadata=metadata, timeout=SECONDS))


REASONS: Final = {
    "CorrectProvision": {"correction_reason": "誤り", "no_replica": True},
    "RefuseProvision": {"refusal_reason": "調査中"},
}
WHYS: Final = {"CorrectProvision": "correction_reason", "RefuseProvision": "refusal_reason"}
RPCS: Final = ("GetProvision", "GetProvisionContent", "CorrectProvision", "ApproveProvision", "ConfirmProvision")


@pytest.mark.parametrize("rpc", [*RPCS, "RefuseProvision"])
@pytest.mark.parametrize("name", ["x", "0", "-1", "１", "9" * 30, "1.5", " 1", "0x1"])
def test_a_provision_there_is_none_of_is_unknown(stage: Stage, rpc: str, name: str) -> None:
    assert decide(stage, rpc, name, **REASONS.get(rpc, {})) == "NOT_FOUND PROVISION_UNKNOWN"


@pytest.mark.parametrize("rpc", ["CorrectProvision", "RefuseProvision"])
@pytest.mark.parametrize("why", ["", "あ" * 201])
def test_nobody_corrects_or_refuses_without_a_reason_that_can_be_kept(stage: Stage, rpc: str, why: str) -> None:
    assert decide(stage, rpc, "1", **{**REASONS[rpc], WHYS[rpc]: why}) == "INVALID_ARGUMENT INVALID_FIELD"


def test_one_person_in_the_wrong_order_or_from_elsewhere_decides_nothing(stage: Stage) -> None:
    provision, receipt = waiting(stage)

    assert decide(stage, "ConfirmProvision", provision) == "FAILED_PRECONDITION PROVISION_NOT_WAITING"
    assert decide(stage, "ApproveProvision", provision, body=stage.setagaya) == "NOT_FOUND PROVISION_UNKNOWN"
    assert decide(stage, "ApproveProvision", provision, user="") == "INVALID_ARGUMENT FIELD_REQUIRED chukan-user"
    assert decide(stage, "ApproveProvision", provision) == "OK"
    assert decide(stage, "ApproveProvision", provision, user="second") == "FAILED_PRECONDITION PROVISION_NOT_WAITING"
    assert decide(stage, "ConfirmProvision", provision) == "FAILED_PRECONDITION SECOND_PERSON_REQUIRED"
    assert decide(stage, "ConfirmProvision", provision, user="") == "FAILED_PRECONDITION SECOND_PERSON_REQUIRED"
    assert decide(stage, "ConfirmProvision", provision, body=stage.setagaya, user="s") == "NOT_FOUND PROVISION_UNKNOWN"
    assert stage.setagaya.inquiry(receipt).state != common_pb2.INQUIRY_STATE_ANSWERED
    assert decide(stage, "ConfirmProvision", provision, user="second") == "OK"
    assert stage.setagaya.finished(receipt).answer_kind == common_pb2.ANSWER_KIND_VALUES
    assert (
        decide(stage, "RefuseProvision", provision, refusal_reason="x") == "FAILED_PRECONDITION PROVISION_NOT_WAITING"
    )
    assert decide(stage, "ConfirmProvision", provision, user="third") == "FAILED_PRECONDITION PROVISION_NOT_WAITING"


def test_a_correction_takes_the_approval_back(stage: Stage) -> None:
    provision, _ = waiting(stage)
    decide(stage, "ApproveProvision", provision)

    assert decide(stage, "CorrectProvision", provision, **REASONS["CorrectProvision"]) == "OK"
    assert decide(stage, "ConfirmProvision", provision, user="second") == "FAILED_PRECONDITION PROVISION_NOT_WAITING"


def record(**given: Any) -> common_pb2.ResultRecord:
    items = given.pop("items", [{"item_code": LEVY, "value": "100"}])
    fields = {"data_set": "0100", "edition": EDITION, "record_key": "2026", "period": {"start_date": "20260601"}}
    return common_pb2.ResultRecord(**{**fields, **given}, items=items)


CORRECTIONS: Final[dict[str, tuple[common_pb2.ResultRecord, str]]] = {
    "as it should be": (record(), "OK"),
    "nil with a reason": (record(items=[{"item_code": LEVY, "nil_reason": "01"}]), "OK"),
    "an edition there is none of": (record(edition="9999"), "INVALID_ARGUMENT EDITION_UNKNOWN records[0].edition"),
    "a data set there is none of": (record(data_set="9999"), "INVALID_ARGUMENT DATA_SET_UNKNOWN records[0].data_set"),
    "an item there is none of": (
        record(items=[{"item_code": "TK99999999999999", "value": "1"}]),
        "INVALID_ARGUMENT ITEM_UNKNOWN records[0].items",
    ),
    "an item that was not asked for": (
        record(items=[{"item_code": LEVY, "value": "1"}, {"item_code": "TK90002010000004", "value": "1"}]),
        "FAILED_PRECONDITION NOT_PERMITTED_ITEMS records[0].items",
    ),
    "a value that is none": (
        record(items=[{"item_code": LEVY, "value": "千円"}]), "FAILED_PRECONDITION ITEM_VALUE_INVALID records[0].items",
    ),
    "a separator": (
        record(items=[{"item_code": LEVY, "value": "1\x1f2"}]),
        "FAILED_PRECONDITION ITEM_VALUE_INVALID records[0].items",
    ),
    "a nil reason there is none of": (
        record(items=[{"item_code": LEVY, "nil_reason": "77"}]),
        "FAILED_PRECONDITION NIL_REASON_INVALID records[0].items",
    ),
    "an individual number as key": (
        record(record_key=CANARY), "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED records[0].record_key",
    ),
    "a key no replica can have": (
        record(record_key="K" * 65), "FAILED_PRECONDITION RECORD_KEY_MISSING records[0].record_key",
    ),
    "a period that ends before it starts": (
        record(period={"start_date": "20260601", "end_date": "20260531"}),
        "INVALID_ARGUMENT PERIOD_INVALID records[0].period",
    ),
    "no item at all": (record(items=[]), "FAILED_PRECONDITION ITEM_REQUIRED records[0].items"),
    "a day that is none": (
        record(period={"start_date": "20250230"}), "INVALID_ARGUMENT DATE_INVALID records[0].period",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def corrected(stage: Stage) -> str:
    """Return a provision of one item that waits."""
    return waiting(stage, item_codes=[LEVY])[0]


@pytest.mark.parametrize("name", CORRECTIONS)
def test_what_is_put_in_the_place_of_an_answer_is_what_a_replica_could_be(
    stage: Stage, corrected: str, name: str
) -> None:
    """No correction provides what the list does not permit, or what no layout has."""
    given, expected = CORRECTIONS[name]

    assert decide(stage, "CorrectProvision", corrected, records=[given], correction_reason="誤り") == expected
