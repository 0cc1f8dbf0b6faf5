# SPDX-License-Identifier: Apache-2.0
"""Deliberately broken servers: each breaks one clause, and names the cases that must fail for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.rpc import error_details_pb2

from chukan.v1 import (
    common_pb2,
    exchange_record_service_pb2,
    inquiry_service_pb2,
    linkage_code_service_pb2,
    provision_service_pb2,
    replica_service_pb2,
    security_service_pb2,
)
from tests.conformance.proxy import Mutant

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc

    from tests.conformance.proxy import Refusal

__all__ = ["MUTANTS", "silent"]


def _on(*methods: str) -> Callable[[Callable[[Any], bool]], Callable[[str, Any], bool]]:
    """Make a hook of a function that changes the answers of these methods."""

    def hook(change: Callable[[Any], bool]) -> Callable[[str, Any], bool]:
        return lambda method, message: method.rpartition("/")[2] in methods and change(message)

    return hook


def _setting(*methods: str, **values: Any) -> Callable[[str, Any], bool]:
    """Return a hook that sets fields of the answer, dotted by two underscores."""

    def change(message: Any) -> bool:
        for path, value in values.items():
            *parents, last = path.split("__")
            for parent in parents:
                message = getattr(message, parent)
            setattr(message, last, value)
        return True

    return _on(*methods)(change)


def _clearing(*methods_and_field: str) -> Callable[[str, Any], bool]:
    *methods, field = methods_and_field

    def change(message: Any) -> bool:
        *parents, last = field.split(".")
        for parent in parents:
            message = getattr(message, parent)
        held = bool(getattr(message, last))
        message.ClearField(last)
        return held

    return _on(*methods)(change)


def _reason(old: str, new: str, status: grpc.StatusCode | None = None) -> Callable[[str, Refusal], None]:
    """Return a hook that gives another reason."""

    def change(_: str, refusal: Refusal) -> None:
        info = refusal.info
        if info.reason == old:
            info.reason = new
            refusal.replace(info)
            refusal.status = status or refusal.status

    return change


def _answering(reason: str, answer: Any) -> Callable[[str, Refusal], Any]:
    """Return a hook that says yes instead of refusing."""
    return lambda _, refusal: answer if refusal.info.reason == reason else None


# --- caller ---


def _bare(_: str, refusal: Refusal) -> None:
    refusal.drop(error_details_pb2.LocalizedMessage)


def _no_paths(_: str, refusal: Refusal) -> None:
    refusal.drop(error_details_pb2.BadRequest)


def _anybody(_: str, __: Any, metadata: dict[str, str]) -> bool:
    missing = "chukan-organization" not in metadata
    metadata.setdefault("chukan-organization", "0220113112101700")
    return missing


def _echo_metadata(_: str, refusal: Refusal) -> None:
    if refusal.info.reason in ("CALLER_METADATA_INVALID", "INDIVIDUAL_NUMBER_REFUSED"):
        refusal.text = f"got {' '.join(_LAST_USER)}"


_LAST_USER: Final[list[str]] = []


def _remember_user(_: str, __: Any, metadata: dict[str, str]) -> bool:
    _LAST_USER[:] = [metadata.get("chukan-user", "")]
    return False


def _cut_long(_: str, __: Any, metadata: dict[str, str]) -> bool:
    long = [key for key, value in metadata.items() if len(value) > 128]
    metadata.update({key: metadata[key][:128] for key in long})
    return bool(long)


# --- rows ---


def _no_failures(message: Any) -> bool:
    held = bool(message.failures)
    del message.failures[:]
    return held


def _all_committed(message: Any) -> bool:
    refused = common_pb2.ROW_OUTCOME_REFUSED in message.outcomes
    message.outcomes[:] = [common_pb2.ROW_OUTCOME_COMMITTED] * len(message.outcomes)
    return refused


def _row_reason(old: str, new: str) -> Callable[[Any], bool]:
    def change(message: Any) -> bool:
        found = [failure for failure in message.failures if failure.reason == old]
        for failure in found:
            failure.reason = new
        return bool(found)

    return change


def _no_japanese(message: Any) -> bool:
    for failure in message.failures:
        failure.message_ja = ""
    return bool(message.failures)


def _fresh_batch_ids() -> Callable[[str, Any, dict[str, str]], bool]:
    """Lose idempotency: every batch is a new one."""
    count = iter(range(10**6))

    def change(_: str, message: Any, __: dict[str, str]) -> bool:
        if not getattr(message, "batch_id", ""):
            return False
        message.batch_id = f"{message.batch_id[:50]}.{next(count)}"
        return True

    return change


def _everyones(_: str, __: Any, metadata: dict[str, str]) -> bool:
    """Mix the organizations up: a bystander reads as the provider."""
    other = metadata.get("chukan-organization") == "0220113101601700"
    if other:
        metadata["chukan-organization"] = "0220113104101700"
    return other


# --- values ---


def _zero_for_nil(items: Any) -> bool:
    nil = [item for item in items if item.WhichOneof("content") == "nil_reason"]
    for item in nil:
        item.value = "0"
    return bool(nil)


def _nil_for_zero(items: Any) -> bool:
    zeros = [item for item in items if item.value == "0"]
    for item in zeros:
        item.nil_reason = "02"
    return bool(zeros)


def _records(change: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda message: bool(sum(change(record.items) for result in message.results for record in result.records))


def _empty_values(message: Any) -> bool:
    """Answer no replica as an empty record."""
    found = [each for each in message.results if each.answer_kind == common_pb2.ANSWER_KIND_NO_REPLICA]
    for each in found:
        each.answer_kind = common_pb2.ANSWER_KIND_VALUES
        each.records.add()
    return bool(found)


def _backwards(field: str) -> Callable[[Any], bool]:
    def change(message: Any) -> bool:
        rows = list(getattr(message, field))[::-1]
        message.ClearField(field)
        getattr(message, field).extend(rows)
        return len(rows) > 1

    return change


def _unpermitted(message: Any) -> bool:
    refused = not message.permitted
    message.permitted = True
    return refused


def _forbidden(message: Any) -> bool:
    permitted = message.permitted
    message.permitted = False
    return permitted


def _no_side(message: Any) -> bool:
    for record in message.records:
        record.side = exchange_record_service_pb2.RECORD_SIDE_NETWORK
    return bool(message.records)


def _no_records(message: Any) -> bool:
    held = bool(message.records)
    del message.records[:]
    return held


def _differing(message: Any) -> bool:
    for each in message.reconciliations:
        each.state = exchange_record_service_pb2.RECONCILIATION_STATE_DIFFERS
    return bool(message.reconciliations)


_NOBODY = linkage_code_service_pb2.GetAddresseeResponse()
_AGAIN = inquiry_service_pb2.CancelInquiryResponse()
_GRANTED = linkage_code_service_pb2.RequestCodeResponse()
_KEYS = security_service_pb2.ListKeysResponse()
_LIST = security_service_pb2.GetPermissionListResponse()
_ACCEPTED = inquiry_service_pb2.CreateInquiryResponse()

MUTANTS: Final = (
    Mutant("lets anybody in", "caller", ("CAL-1/1",), request=_anybody),
    Mutant("drops the sentences of errors", "caller", ("CAL-4/1",), refusal=_bare),
    Mutant("drops the paths of errors", "caller", ("CAL-4/2",), refusal=_no_paths),
    Mutant("gives another reason", "caller", ("CAL-5/1",), refusal=_reason("PAGE_TOKEN_INVALID", "INVALID_FIELD")),
    Mutant("cuts what is too long", "caller", ("CAL-2/1",), request=_cut_long),
    Mutant("echoes the metadata it refuses", "caller", ("CAL-2/3",), request=_remember_user, refusal=_echo_metadata),
    Mutant("takes any page token", "caller", ("CAL-5/1",), refusal=_answering("PAGE_TOKEN_INVALID", _KEYS)),
    Mutant("lists rows in no order", "security", ("SCM-1/1",), answer=_on("GetPermissionList")(_backwards("rows"))),
    Mutant(
        "answers an unknown version", "security", ("SCM-1/2",), refusal=_answering("PERMISSION_LIST_UNKNOWN", _LIST)
    ),
    Mutant("forgets a version it has", "security", ("SCM-2/1",), answer=_clearing("ListPermissionLists", "versions")),
    Mutant("shows no keys", "security", ("SCM-3/1", "SCM-3/2"), answer=_clearing("ListKeys", "keys")),
    Mutant(
        "loses idempotency", "linkage_codes", ("FGU-2/1", "FGU-2/2", "DBM-2/1", "SKI-2/3"), request=_fresh_batch_ids()
    ),
    Mutant(
        "drops the reasons of rows",
        "linkage_codes",
        ("FGU-3/1", "FGU-3/2", "FGU-3/3"),
        answer=_on("RegisterAddressees")(_no_failures),
    ),
    Mutant(
        "commits what it refuses",
        "linkage_codes",
        ("FGU-3/1", "FGU-7/3"),
        answer=_on("RegisterAddressees", "BatchRequestCodes")(_all_committed),
    ),
    Mutant("has no Japanese for rows", "linkage_codes", ("FGU-3/4",), answer=_on("RegisterAddressees")(_no_japanese)),
    Mutant(
        "invents an addressee",
        "linkage_codes",
        ("FGU-5/1", "FGU-5/2"),
        refusal=_answering("ADDRESSEE_UNKNOWN", _NOBODY),
    ),
    Mutant("mixes the organizations up", "linkage_codes", ("FGU-5/2", "DBM-7/2", "TKM-2/2"), request=_everyones),
    Mutant(
        "gives a closed addressee a code",
        "linkage_codes",
        ("FGU-6/1",),
        refusal=_answering("ADDRESSEE_CLOSED", _GRANTED),
    ),
    Mutant(
        "keeps the processing number",
        "linkage_codes",
        ("FGU-7/2",),
        answer=_setting("GetLinkageState", linkage_status__processing_number="1" * 24),
    ),
    Mutant(
        "forgets where a watch stands",
        "linkage_codes",
        ("FGU-8/1",),
        answer=_clearing("WatchLinkageStates", "resume_token"),
    ),
    Mutant(
        "skips what changed", "linkage_codes", ("FGU-8/3",), answer=_clearing("WatchLinkageStates", "linkage_statuses")
    ),
    Mutant(
        "loses the survivor", "linkage_codes", ("FGU-9/1",), answer=_clearing("GetAddressee", "addressee.merged_into")
    ),
    Mutant(
        "answers zero for nil",
        "replicas",
        ("DBM-1/2",),
        answer=_on("GetReplica")(lambda message: _zero_for_nil(message.replica.items)),
    ),
    Mutant(
        "answers nil for zero",
        "replicas",
        ("DBM-1/1", "DBM-1/2"),
        answer=_on("GetReplica")(lambda message: _nil_for_zero(message.replica.items)),
    ),
    Mutant("keeps no history", "replicas", ("DBM-3/1",), answer=_on("ListReplicaVersions")(_backwards("replicas"))),
    Mutant(
        "drops the reasons of replicas",
        "replicas",
        ("DBM-4/1", "DBM-4/3", "DBM-4/5", "DBM-5/1"),
        answer=_on("RegisterReplicas")(_no_failures),
    ),
    Mutant(
        "names the wrong rule",
        "replicas",
        ("DBM-4/3",),
        answer=_on("RegisterReplicas")(_row_reason("ITEM_VALUE_INVALID", "ITEM_REQUIRED")),
    ),
    Mutant(
        "calls a refused batch completed",
        "replicas",
        ("DBM-5/1", "DBM-5/2", "DBM-6/1"),
        answer=_setting("RegisterReplicas", state=replica_service_pb2.IMPORT_STATE_COMPLETED),
    ),
    Mutant("exports nothing", "replicas", ("DBM-8/1",), answer=_clearing("ExportReplicas", "record_ids")),
    Mutant("compares nothing", "replicas", ("DBM-8/3",), answer=_clearing("CompareReplicas", "differences")),
    Mutant(
        "lets one person decide alone",
        "provisions",
        ("TKY-2/2",),
        refusal=_answering("SECOND_PERSON_REQUIRED", provision_service_pb2.ConfirmProvisionResponse()),
    ),
    Mutant(
        "confirms what is over",
        "provisions",
        ("TKY-2/4",),
        refusal=_answering("PROVISION_NOT_WAITING", provision_service_pb2.ConfirmProvisionResponse()),
    ),
    Mutant(
        "overlooks what changed",
        "provisions",
        ("TKY-2/3",),
        refusal=_answering("CONCURRENT_CHANGE", provision_service_pb2.ApproveProvisionResponse()),
    ),
    Mutant(
        "shows a provision to anybody",
        "provisions",
        ("TKY-5/2",),
        refusal=_answering("PROVISION_UNKNOWN", provision_service_pb2.GetProvisionContentResponse()),
    ),
    Mutant("says not who refused", "provisions", ("TKY-3/1",), answer=_clearing("GetInquiry", "inquiry.reason")),
    Mutant(
        "answers zero for nil to others",
        "inquiries",
        ("SKI-1/3",),
        answer=_on("GetInquiryResults")(_records(_zero_for_nil)),
    ),
    Mutant(
        "answers an empty record for none", "inquiries", ("SKI-1/4",), answer=_on("GetInquiryResults")(_empty_values)
    ),
    Mutant(
        "has statuses of its own",
        "inquiries",
        ("SKI-1/2",),
        answer=_setting("GetInquiry", inquiry__status__row_status="00"),
    ),
    Mutant(
        "gives a receipt twice over",
        "inquiries",
        ("SKI-2/1",),
        answer=_on("CreateInquiry")(lambda message: _renumbered(message.inquiry)),
    ),
    Mutant("overlooks a conflict", "inquiries", ("SKI-2/2",), refusal=_answering("RECORD_ID_EXISTS", _ACCEPTED)),
    Mutant(
        "drops the reasons of refusals",
        "inquiries",
        ("SKI-3/1", "SKI-3/6", "SKI-3/10"),
        answer=_clearing("CreateInquiry", "inquiry.reason"),
    ),
    Mutant("echoes an individual number", "inquiries", ("SKI-4/1",), refusal=lambda _, refusal: _echo(refusal)),
    Mutant("hides what it can't give", "inquiries", ("SKI-5/3",), answer=_clearing("GetInquiryResults", "unavailable")),
    Mutant("cancels what is finished", "inquiries", ("SKI-6/2",), refusal=_answering("INQUIRY_FINISHED", _AGAIN)),
    Mutant("sends no inquiries", "inquiries", ("SKI-7/1",), answer=_clearing("WatchInquiries", "inquiries")),
    Mutant(
        "permits everything",
        "permission",
        ("PRM-2/1", "PRM-2/6", "PRM-4/1"),
        answer=_on("CheckPermission")(_unpermitted),
    ),
    Mutant(
        "permits nothing", "permission", ("PRM-1/1", "PRM-3/1", "PRM-3/2"), answer=_on("CheckPermission")(_forbidden)
    ),
    Mutant("gives no reason", "permission", ("PRM-2/3", "PRM-2/7"), answer=_clearing("CheckPermission", "reason")),
    Mutant("names no legal basis", "permission", ("PRM-1/1",), answer=_clearing("CheckPermission", "legal_basis")),
    Mutant("asks for no consent", "permission", ("PRM-1/2",), answer=_clearing("CheckPermission", "consent_required")),
    Mutant(
        "mixes up the sides", "exchange_records", ("TKM-1/1", "TKM-1/2"), answer=_on("ListExchangeRecords")(_no_side)
    ),
    Mutant("records nothing", "exchange_records", ("TKM-1/5",), answer=_on("ListExchangeRecords")(_no_records)),
    Mutant("never agrees", "exchange_records", ("TKM-1/3",), answer=_on("ReconcileExchangeRecords")(_differing)),
    Mutant("knows no receiver", "exchange_records", ("TKM-3/1",), answer=_on("TraceProvision")(_no_records)),
)
"""At least one per group of cases."""


def _renumbered(inquiry: Any) -> bool:
    inquiry.receipt_number = f"{next(_RECEIPTS):020d}"
    return True


_RECEIPTS: Final = iter(range(1, 10**6))


def _echo(refusal: Refusal) -> None:
    if refusal.info.reason == "INDIVIDUAL_NUMBER_REFUSED":
        refusal.text = f"got {refusal.sent.inquiry.integrated_address_number}"  # type: ignore[union-attr]


def silent(kills: tuple[str, ...]) -> Mutant:
    """Return the server that says yes to everything and nothing else: no case may be content with it."""

    def clear(_: str, message: Any) -> bool:
        held = message.ByteSize() > 0
        message.Clear()
        return held

    def accept(_: str, refusal: Refusal) -> Any:
        return refusal.answer()

    return Mutant("says yes and nothing else", "", kills, answer=clear, refusal=accept)
