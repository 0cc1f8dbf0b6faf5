# SPDX-License-Identifier: Apache-2.0
"""Deliberately broken clients: our adapter behind something that breaks one clause, each with the cases that must fail.

One of them leaves a file "changed" in the folder of the case as soon as the clause was really broken.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf.unknown_fields import UnknownFieldSet
from google.rpc import error_details_pb2

from chukan.command import main as chukan
from chukan.v1 import common_pb2 as common
from chukan.v1 import inquiry_service_pb2 as inquiry
from chukan.v1 import replica_service_pb2 as replicas
from tests.conformance import polling_client
from tests.conformance.breaker import Breaker, BrokenClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.proxy import Refusal

__all__ = ["BROKEN_CLIENTS", "CHANGED", "UNBROKEN", "UNBROKEN_POLLING", "run"]

CHANGED: Final = "changed"
_NUMBERS: Final = "individual_numbers"
_PORT: Final = "port"
_WORLDS: Final = ("CLR-2/2", "CLQ-9/1")
_STRANGE: Final = "REASON_OF_ANOTHER_VERSION"
_WATCHES: Final = ("/WatchLinkageStates", "/WatchInquiries")


def _sends(method: str | tuple[str, ...], change: Callable[[Any, dict[str, Any]], bool]) -> Callable[..., bool]:
    """Return a hook that changes the requests of a method."""
    return lambda name, message, _, memory: name.endswith(method) and change(message, memory)


def _reads(method: str | tuple[str, ...], change: Callable[[Any], bool]) -> Callable[..., bool]:
    """Return a hook that changes the answers of a method."""
    return lambda name, message, _: name.endswith(method) and change(message)


def _anonymous(_: str, __: Any, metadata: dict[str, str], ___: dict[str, Any]) -> bool:
    return metadata.pop("chukan-organization", None) is not None


def _tells_numbers(name: str, message: Any, metadata: dict[str, str], memory: dict[str, Any]) -> bool:
    if name.endswith("/RegisterPeople"):
        memory[_NUMBERS] = list(message.individual_numbers)
    if not (name.endswith("/RegisterAddressees") and memory.get(_NUMBERS)):
        return False
    metadata["chukan-user"] = memory[_NUMBERS][0]
    message.batch_id = memory[_NUMBERS][1]
    return True


def _tells_by(key: str) -> Callable[..., bool]:
    """Tell an individual number in metadata of the client's own; a key that ends in -bin takes bytes."""

    def hook(name: str, message: Any, metadata: dict[str, Any], memory: dict[str, Any]) -> bool:
        if name.endswith("/RegisterPeople"):
            memory[_NUMBERS] = list(message.individual_numbers)
        number = memory.get(_NUMBERS, [""])[0]
        if number:
            metadata[key] = number.encode() if key.endswith("-bin") else number
        return bool(number)

    return hook


def _chokes(name: str, message: Any, _: dict[str, Any]) -> bool:
    """Believe nothing of an answer with a field that is not known."""
    odd = name.endswith("/GetInquiryResults") and len(UnknownFieldSet(message)) > 0
    if odd:
        message.Clear()
    return odd


def _ends(message: Any) -> bool:
    odd = [each for each in message.inquiries if each.state not in common.InquiryState.values()]
    for each in odd:
        each.state = common.INQUIRY_STATE_REFUSED
    return bool(odd)


def _own_reason(message: Any) -> bool:
    odd = [each for each in message.inquiries if each.reason == _STRANGE]
    for each in odd:
        each.reason = "PEER_ANSWER_INVALID"
    return bool(odd)


def _is_strange(answer: Any) -> bool:
    """Whether an answer, or the ErrorInfo of a refusal, has the reason that no version has."""
    return _STRANGE in str(answer)


def _gives_up_strangers(_: str, refusal: Refusal, __: dict[str, Any]) -> None:
    """Take a reason that is not known for the end."""
    if _is_strange(refusal.info):
        refusal.status = grpc.StatusCode.PERMISSION_DENIED
        refusal.drop(error_details_pb2.RetryInfo)


def _takes_strangers_in(message: Any) -> bool:
    """Take a row, or an inquiry, that was refused for a reason that is not known for a good one."""
    odd = [each for each in getattr(message, "failures", ()) if each.reason == _STRANGE]
    for each in odd:
        message.outcomes[each.row] = common.ROW_OUTCOME_COMMITTED
        message.failures.remove(each)
    ended = [each for each in getattr(message, "inquiries", ()) if each.reason == _STRANGE]
    for each in ended:
        each.state, each.answer_kind, each.reason = common.INQUIRY_STATE_ANSWERED, common.ANSWER_KIND_VALUES, ""
    return bool(odd or ended)


def _new_batch(message: Any, memory: dict[str, Any]) -> bool:
    """Give the second batch of the same content another id."""
    before = memory.setdefault(type(message).__name__, message.batch_id)
    seen = memory.setdefault(f"{type(message).__name__} seen", set())
    again = before == message.batch_id and bool(seen)
    seen.add(message.batch_id)
    if again:
        message.batch_id = f"{message.batch_id[:40]}-anew"
    return again


def _new_records(message: Any, _: dict[str, Any]) -> bool:
    """Let a client that is started again number its records anew."""
    rows = list(message.record_ids)
    del message.record_ids[:]
    message.record_ids.extend(f"{each[:40]}-{os.getpid()}" for each in rows)
    return True


def _new_inquiries(message: Any, _: dict[str, Any]) -> bool:
    for spec in message.inquiries:
        spec.record_id = f"{spec.record_id[:40]}-{os.getpid()}"
    return True


def _new_inquiry(message: Any, _: dict[str, Any]) -> bool:
    message.inquiry.record_id = f"{message.inquiry.record_id[:40]}-{os.getpid()}"
    return True


def _new_name(message: Any, memory: dict[str, Any]) -> bool:
    """Give the second request of the same content another record id."""
    again = message.inquiry.record_id in memory
    memory[message.inquiry.record_id] = True
    if again:
        message.inquiry.record_id = f"{message.inquiry.record_id[:40]}-anew"
    return again


def _forgets(folder: Path) -> bool:
    held = any(folder.iterdir())
    for each in folder.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    return held


def _one_world(message: Any) -> bool:
    other = message.world_generation != "world-1"
    message.world_generation = "world-1"
    return other


def _impatient(_: str, refusal: Refusal, __: dict[str, Any]) -> None:
    refusal.drop(error_details_pb2.RetryInfo)


def _soon(_: str, refusal: Refusal, __: dict[str, Any]) -> None:
    """Wait, but half as long as is asked for."""
    delay = refusal.packed(error_details_pb2.RetryInfo())
    if delay.HasField("retry_delay"):
        delay.retry_delay.FromMilliseconds(delay.retry_delay.ToMilliseconds() // 2)
        refusal.replace(delay)


def _takes_for_lost(status: grpc.StatusCode) -> Callable[..., None]:
    """Take the first refusal of a status for a broken connection, and so repeat it."""

    def hook(_: str, refusal: Refusal, memory: dict[str, Any]) -> None:
        if refusal.status is status and not memory.setdefault("taken", False):
            memory["taken"] = True
            refusal.status = grpc.StatusCode.UNAVAILABLE
            del refusal.details.details[:]

    return hook


def _gives_up(_: str, refusal: Refusal, __: dict[str, Any]) -> None:
    """Take "later" for "never"."""
    if refusal.packed(error_details_pb2.RetryInfo()).HasField("retry_delay"):
        refusal.status = grpc.StatusCode.PERMISSION_DENIED
        refusal.drop(error_details_pb2.RetryInfo)


def _puts_too(name: str, message: Any) -> tuple[str, Any] | None:
    """Try every row by the other method as well."""
    if not name.endswith("/RegisterReplicas"):
        return None
    row = replicas.Replica(
        record_id=message.record_ids[0],
        record_key=message.record_keys[0],
        integrated_address_number=message.integrated_address_numbers[0],
        information_code=message.information_code,
    )
    return "chukan.v1.ReplicaService/PutReplica", replicas.PutReplicaRequest(replica=row)


def _takes_refused_people(message: Any) -> bool:
    refused = bool(message.failures)
    del message.failures[:]
    for row, number in enumerate(message.integrated_address_numbers):
        if not number:
            message.integrated_address_numbers[row] = "900000000000102"
            message.outcomes[row] = 1
    return refused


def _another_row(message: Any) -> bool:
    for failure in message.failures:
        message.outcomes[failure.row] = common.ROW_OUTCOME_COMMITTED
        failure.row = (failure.row + 1) % len(message.outcomes)
        message.outcomes[failure.row] = common.ROW_OUTCOME_REFUSED
    return bool(message.failures)


def _hammers(method: str, times: int) -> Callable[[str, Any], int]:
    return lambda name, answer: times if name.endswith(method) and getattr(answer, "state", 3) == 3 else 0


def _sends_refused_again(name: str, answer: Any) -> int:
    refused = name.endswith(("/RegisterReplicas", "/CreateInquiries")) and len(answer.failures) > 0
    return int(refused)


def _cuts_token(message: Any, _: dict[str, Any]) -> bool:
    token = message.page_token
    message.page_token = token.split("/")[0]
    return bool(message.page_token != token)


def _stops_at_empty(message: Any) -> bool:
    stops = bool(message.next_page_token) and not message.people
    if stops:
        message.next_page_token = ""
    return stops


def _swaps(message: Any, _: dict[str, Any]) -> bool:
    message.processing_numbers[0] = "700000000000000000000999"
    return True


def _no_token(message: Any, _: dict[str, Any]) -> bool:
    held = bool(message.resume_token)
    message.resume_token = ""
    return held


def _old_token(message: Any, memory: dict[str, Any]) -> bool:
    """Stick to a token that was good once."""
    old = memory.get("token", "")
    memory["token"] = message.resume_token or old
    if message.resume_token or not old:
        return False
    message.resume_token, message.from_now = old, False
    return True


def _acknowledges_first(name: str, message: Any) -> tuple[str, Any] | None:
    if not name.endswith("/GetInquiryResults"):
        return None
    request = inquiry.AcknowledgeResultsRequest(receipt_numbers=message.receipt_numbers)
    return "chukan.v1.InquiryService/AcknowledgeResults", request


def _never(method: str, **answer: Any) -> Callable[[str], dict[str, Any] | None]:
    """Make no call of a method, and go on as if it had been answered."""
    return lambda name: answer if name.endswith(method) else None


def _unwrites(_: Any, __: dict[str, Any]) -> bool:
    """Let an acknowledgement come when there is a result file, but with no row yet."""
    results = Path("output/results.csv")
    head = results.read_text("utf-8").splitlines(keepends=True)[:1]
    results.write_text("".join(head), "utf-8")
    return True


def _content(name: str, refusal: Refusal, _: dict[str, Any]) -> Any:
    lost = name.endswith("/AcknowledgeResults") and refusal.status is grpc.StatusCode.UNAVAILABLE
    return refusal.answer() if lost else None


def _drops_remaining(message: Any) -> bool:
    held = bool(message.remaining_receipt_numbers)
    del message.remaining_receipt_numbers[:]
    return held


def _invents_results(message: Any) -> bool:
    for each in message.unavailable:
        message.results.add(receipt_number=each.receipt_number, answer_kind=common.ANSWER_KIND_VALUES)
    held = bool(message.unavailable)
    del message.unavailable[:]
    return held


def _drops_failures(message: Any) -> bool:
    held = bool(message.failures)
    del message.failures[:]
    return held


def _one_status(message: Any) -> bool:
    for each in message.results:
        each.status.information_status = "01"
    return bool(message.results)


def _zero_for_nil(message: Any) -> bool:
    items = [item for each in message.results for record in each.records for item in record.items]
    nil = [item for item in items if item.nil_reason]
    for item in nil:
        item.value = "0"
    return bool(nil)


UNBROKEN: Final = BrokenClient("unbroken", ())
UNBROKEN_POLLING: Final = BrokenClient("unbroken, polling", (), client="polling")
BROKEN_CLIENTS: Final = (
    BrokenClient("names no organization", ("CLC-1/1", "CLC-1/2", "CLC-1/3"), request=_anonymous),
    BrokenClient("waits without end", ("CLC-2/1", "CLC-2/2", "CLC-2/3", "CLC-2/4", "CLC-2/5"), deadlines=False),
    BrokenClient("tells individual numbers", ("CLC-3/1",), request=_tells_numbers),
    BrokenClient("tells numbers by a name of its own", ("CLC-3/1",), request=_tells_by("x-person")),
    BrokenClient("tells numbers in bytes", ("CLC-3/1",), request=_tells_by("person-bin")),
    BrokenClient("chokes on a field it does not know", ("CLC-4/1",), answer=_chokes),
    BrokenClient("takes any state for an end", ("CLC-4/2",), answer=_reads("/WatchInquiries", _ends)),
    BrokenClient(
        "takes any state in a list for an end",
        ("CLC-4/2",),
        answer=_reads("/ListInquiries", _ends),
        client="polling",
        ways="list",
    ),
    BrokenClient("changes reasons", ("CLC-4/3",), answer=_reads("/WatchInquiries", _own_reason)),
    BrokenClient("breaks down over unknown reasons", ("CLC-4/3", "CLC-4/4", "CLC-4/5", "CLC-4/6"), dies=_is_strange),
    BrokenClient("gives up over unknown reasons", ("CLC-4/4",), refusal=_gives_up_strangers),
    BrokenClient(
        "takes unknown reasons for success",
        ("CLC-4/3", "CLC-4/5", "CLC-4/6"),
        answer=_reads(("/WatchInquiries", "/CreateInquiries", "/RegisterReplicas"), _takes_strangers_in),
    ),
    BrokenClient("renames people's batches", ("CLR-1/1",), request=_sends("/RegisterPeople", _new_batch)),
    BrokenClient("renames batches of replicas", ("CLR-1/2",), request=_sends("/RegisterReplicas", _new_batch)),
    BrokenClient("numbers records anew", ("CLR-1/3",), request=_sends("/RegisterReplicas", _new_records)),
    BrokenClient("forgets what it did", ("CLR-2/1", "CLQ-3/3"), state=_forgets),
    BrokenClient("overlooks another world", ("CLR-2/2", "CLQ-9/1"), answer=_reads("/GetStatus", _one_world)),
    BrokenClient("is impatient", ("CLR-3/1", "CLR-3/4"), refusal=_impatient),
    BrokenClient("waits half as long", ("CLC-4/4", "CLR-3/1", "CLR-3/4", "CLQ-4/1"), refusal=_soon),
    BrokenClient("gives up what is to come later", ("CLR-3/1", "CLR-3/4", "CLQ-4/1", "CLQ-4/3"), refusal=_gives_up),
    BrokenClient("asks again at once", ("CLQ-4/1", "CLQ-4/3", "CLQ-4/4"), refusal=_impatient),
    BrokenClient("gives one up", ("CLQ-4/2",), refusal=_gives_up, client="polling"),
    BrokenClient("tries by another method", ("CLR-3/2", "CLR-3/3", "CLR-4/2"), aside=_puts_too),
    BrokenClient(
        "insists without a right", ("CLR-3/2", "CLQ-5/2"), refusal=_takes_for_lost(grpc.StatusCode.PERMISSION_DENIED)
    ),
    BrokenClient("insists on its mode", ("CLR-3/3",), refusal=_takes_for_lost(grpc.StatusCode.FAILED_PRECONDITION)),
    BrokenClient("insists on its fault", ("CLQ-5/1",), refusal=_takes_for_lost(grpc.StatusCode.INVALID_ARGUMENT)),
    BrokenClient("goes on with who was refused", ("CLR-4/1",), answer=_reads("/RegisterPeople", _takes_refused_people)),
    BrokenClient("mixes up refused rows", ("CLR-4/2",), answer=_reads("/RegisterReplicas", _another_row)),
    BrokenClient("sends refused rows again", ("CLR-4/2", "CLQ-6/1"), again=_sends_refused_again),
    BrokenClient("hammers", ("CLR-5/1", "CLR-5/2"), again=_hammers("/RegisterReplicas", 3)),
    BrokenClient("cuts page tokens", ("CLR-6/1",), request=_sends("/ListUnnumbered", _cuts_token)),
    BrokenClient("stops at an empty page", ("CLR-6/1",), answer=_reads("/ListUnnumbered", _stops_at_empty)),
    BrokenClient("mixes up processing numbers", ("CLF-1/1",), request=_sends("/SubmitProcessingNumbers", _swaps)),
    BrokenClient("renames submissions", ("CLF-1/2",), request=_sends("/SubmitProcessingNumbers", _new_batch)),
    BrokenClient("polls without a pause", ("CLF-2/1",), again=_hammers("/ListLinkageStates", 30)),
    BrokenClient("watches from the beginning", ("CLF-3/1", "CLQ-7/1"), request=_sends(_WATCHES, _no_token)),
    BrokenClient("sticks to a token", ("CLF-3/2",), request=_sends("/WatchLinkageStates", _old_token)),
    BrokenClient("sticks to a token of inquiries", ("CLQ-7/2",), request=_sends("/WatchInquiries", _old_token)),
    BrokenClient("acknowledges before it reads", ("CLQ-1/1",), aside=_acknowledges_first),
    BrokenClient(
        "acknowledges before it writes",
        ("CLQ-1/1",),
        request=_sends("/AcknowledgeResults", _unwrites),
        client="polling",
    ),
    BrokenClient("never acknowledges", ("CLQ-1/1", "CLQ-1/2"), instead=_never("/AcknowledgeResults")),
    BrokenClient("asks for no generation", _WORLDS, instead=_never("/GetStatus", world_generation="world-1")),
    BrokenClient("acknowledges twice", ("CLQ-1/1",), again=_hammers("/AcknowledgeResults", 1)),
    BrokenClient("takes an acknowledgement for done", ("CLQ-1/2",), refusal=_content),
    BrokenClient("leaves the rest", ("CLQ-2/1",), answer=_reads("/GetInquiryResults", _drops_remaining)),
    BrokenClient("invents results", ("CLQ-2/2",), answer=_reads("/GetInquiryResults", _invents_results)),
    BrokenClient("renames batches of inquiries", ("CLQ-3/1",), request=_sends("/CreateInquiries", _new_batch)),
    BrokenClient("asks anew after a break", ("CLQ-3/2",), request=_sends("/CreateInquiries", _new_inquiries)),
    BrokenClient("renames an inquiry", ("CLQ-3/4",), request=_sends("/CreateInquiry", _new_name), client="polling"),
    BrokenClient(
        "asks one anew after a break", ("CLQ-3/5",), request=_sends("/CreateInquiry", _new_inquiry), client="polling"
    ),
    BrokenClient("asks one again too soon", ("CLQ-4/2",), refusal=_soon, client="polling"),
    BrokenClient(
        "insists on one fault",
        ("CLQ-5/3",),
        refusal=_takes_for_lost(grpc.StatusCode.INVALID_ARGUMENT),
        client="polling",
    ),
    BrokenClient("loses reasons", ("CLQ-6/1",), answer=_reads("/CreateInquiries", _drops_failures)),
    BrokenClient("knows one status", ("CLQ-8/1",), answer=_reads("/GetInquiryResults", _one_status)),
    BrokenClient("writes zero for nil", ("CLQ-8/2",), answer=_reads("/GetInquiryResults", _zero_for_nil)),
)
"""At least one per case."""


def _adapter(words: list[str]) -> int:
    sys.argv = ["chukan", *words]
    chukan()
    return 0


def run(name: str, folder: str, *arguments: str) -> int:
    """Be the client of this name."""
    mutant = next(each for each in (UNBROKEN, UNBROKEN_POLLING, *BROKEN_CLIENTS) if each.name == name)
    changed = Path(folder) / CHANGED
    words = list(arguments)
    state = Path(words[words.index("--state") + 1])
    if mutant.state and mutant.state(state):
        changed.touch()
    at = words.index("--target") + 1
    port = Path(folder) / _PORT  # the same in all tasks of a case: what a client remembers goes by its target
    breaker = Breaker(words[at], mutant, changed.touch, int(port.read_text("ascii")) if port.exists() else 0)
    port.write_text(str(breaker.port), "ascii")
    words[at] = breaker.target
    try:
        return polling_client.main(words) if mutant.client == "polling" else _adapter(words)
    finally:
        breaker.close()
