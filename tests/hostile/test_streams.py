# SPDX-License-Identifier: Apache-2.0
"""Streams that end before they begin, go on after an error, break in the middle, or come twice at once."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import grpc
import pytest

from chukan.address.v1 import address_service_pb2 as address
from chukan.address.v1.address_service_pb2_grpc import AddressServiceStub
from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as inquiries
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import replica_service_pb2 as replicas
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub
from chukan.v1.linkage_code_service_pb2_grpc import LinkageCodeServiceStub
from chukan.v1.replica_service_pb2_grpc import ReplicaServiceStub
from tests.builders import TAX, address_number, fresh_serial
from tests.hostile.test_people import batch as people
from tests.hostile.world import SECONDS, disagreements, outcome, rpcs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.builders import Body
    from tests.hostile.conftest import Stage

STREAMS: Final = [rpc for rpc in rpcs() if rpc.method.client_streaming]
AT_ONCE: Final = 12


def addressees(batch_id: str, *numbers: str) -> linkage.RegisterAddresseesRequest:
    return linkage.RegisterAddresseesRequest(batch_id=batch_id, integrated_address_numbers=numbers)


def register(stage: Stage, requests: Iterator[Any], timeout: float = SECONDS) -> Any:
    stub = LinkageCodeServiceStub(stage.channel)
    return stub.RegisterAddressees(requests, metadata=stage.shinjuku.metadata, timeout=timeout)


def is_known(stage: Stage, number: str) -> bool:
    stub = LinkageCodeServiceStub(stage.channel)
    request = linkage.GetAddresseeRequest(integrated_address_number=number)
    return outcome(lambda: stub.GetAddressee(request, metadata=stage.shinjuku.metadata)) == "OK"


@pytest.mark.parametrize("name", [rpc.path.rpartition("/")[2] for rpc in STREAMS])
def test_a_stream_that_ends_before_its_first_message_ends_well(stage: Stage, name: str) -> None:
    rpc = next(each for each in STREAMS if each.path.endswith(f"/{name}"))

    assert stage.world.call(rpc, [], stage.shinjuku.metadata) in {"OK", "UNIMPLEMENTED FEATURE_NOT_AVAILABLE"}


@pytest.mark.parametrize("name", [rpc.path.rpartition("/")[2] for rpc in STREAMS])
def test_a_stream_that_says_nothing_ends_at_its_deadline(stage: Stage, name: str) -> None:
    rpc = next(each for each in STREAMS if each.path.endswith(f"/{name}"))
    silence: queue.Queue[bytes] = queue.Queue()
    begun = time.monotonic()

    def wait() -> Iterator[bytes]:
        yield silence.get(timeout=2)

    end = stage.world.call(rpc, wait(), stage.shinjuku.metadata, timeout=0.3)

    assert end.split()[0] in {"DEADLINE_EXCEEDED", "UNIMPLEMENTED"}
    assert time.monotonic() - begun < 5


def test_an_error_ends_the_stream_and_keeps_what_was_answered_before(stage: Stage) -> None:
    before, after = address_number(fresh_serial()), address_number(fresh_serial())
    requests = [addressees(f"b-{before}", before), addressees("", before), addressees(f"b-{after}", after)]
    answers: list[str] = []

    def read() -> Any:
        for answer in register(stage, iter(requests)):
            answers.append(answer.batch_id)  # noqa: PERF401  # what came before the error is kept
        return None

    assert outcome(read) == "INVALID_ARGUMENT INVALID_FIELD"
    assert answers == [f"b-{before}"]
    assert is_known(stage, before)
    assert not is_known(stage, after)


def test_noise_in_the_middle_of_a_stream_ends_it_and_keeps_what_was_answered(stage: Stage) -> None:
    rpc = next(each for each in STREAMS if each.path.endswith("/RegisterAddressees"))
    number = address_number(fresh_serial())
    good = addressees(f"b-{number}", number).SerializeToString()

    end = stage.world.call(rpc, [good, b"\xff\xff", good], stage.shinjuku.metadata)

    assert end == "INVALID_ARGUMENT REQUEST_UNREADABLE"
    assert is_known(stage, number)


def test_the_same_batch_id_with_another_body_is_a_conflict_and_changes_nothing(stage: Stage) -> None:
    one, two = address_number(fresh_serial()), address_number(fresh_serial())
    assert outcome(lambda: register(stage, iter([addressees(f"b-{one}", one)]))) == "OK"

    end = outcome(lambda: register(stage, iter([addressees(f"b-{one}", two)])))

    assert end.startswith("ABORTED IDEMPOTENCY_CONFLICT")
    assert not is_known(stage, two)


def test_a_batch_id_is_its_organizations_own(stage: Stage) -> None:
    one, two = address_number(fresh_serial()), address_number(fresh_serial())
    stage.shinjuku.register([one], batch_id=f"b-{one}")

    answer = stage.setagaya.register([two], batch_id=f"b-{one}")

    assert not answer.repeated_batch


def test_a_stream_cancelled_in_the_middle_leaves_whole_batches_only(stage: Stage) -> None:
    batches = [[address_number(fresh_serial()) for _ in range(50)] for _ in range(6)]
    gate = threading.Event()

    def send() -> Iterator[Any]:
        for at, numbers in enumerate(batches):
            if at == 3:
                gate.wait(5)
            yield addressees(f"b-{numbers[0]}", *numbers)

    call = register(stage, send())
    answered = [next(call).batch_id for _ in range(2)]
    call.cancel()
    gate.set()
    time.sleep(0.1)

    known = [[is_known(stage, number) for number in numbers] for numbers in batches]
    assert answered == [f"b-{numbers[0]}" for numbers in batches[:2]]
    assert all(known[0])
    assert all(known[1])
    assert all(len(set(each)) == 1 for each in known)


def test_a_caller_who_reads_nothing_blocks_nobody(stage: Stage) -> None:
    stub = ReplicaServiceStub(stage.channel)
    request = replicas.ExportReplicasRequest(information_code=TAX)
    unread = [stub.ExportReplicas(request, metadata=stage.shinjuku.metadata) for _ in range(4)]

    assert is_known(stage, stage.provided[0])
    for call in unread:
        call.cancel()


def test_connections_that_break_leave_the_others_alone(stage: Stage) -> None:
    for _ in range(20):
        with grpc.insecure_channel(stage.world.target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            call = InquiryServiceStub(channel).WatchInquiries(
                inquiries.WatchInquiriesRequest(from_now=True), metadata=stage.shinjuku.metadata
            )
            next(call)

    assert is_known(stage, stage.provided[0])


def at_once(send: Callable[[int], Any]) -> list[Any]:
    """Return what as many threads got who began in the same moment."""
    begin = threading.Barrier(AT_ONCE)

    def one(at: int) -> Any:
        begin.wait(10)
        return send(at)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_one_batch_of_addressees_sent_many_times_at_once_has_one_effect(stage: Stage) -> None:
    numbers = [address_number(fresh_serial()) for _ in range(20)]

    answers = at_once(lambda _: next(register(stage, iter([addressees(f"b-{numbers[0]}", *numbers)]))))

    assert sum(not answer.repeated_batch for answer in answers) == 1
    assert {tuple(answer.outcomes) for answer in answers} == {(1,) * 20}


def test_one_addressee_in_many_batches_at_once_is_registered_once(stage: Stage) -> None:
    number = address_number(fresh_serial())

    answers = at_once(lambda at: next(register(stage, iter([addressees(f"b-{number}-{at}", number)]))))

    assert sorted(answer.outcomes[0] for answer in answers) == [1] + [2] * (AT_ONCE - 1)


def test_bodies_at_once_under_one_batch_id_have_one_effect_and_conflicts(stage: Stage) -> None:
    numbers = [address_number(fresh_serial()) for _ in range(AT_ONCE)]

    ends = at_once(lambda at: outcome(lambda: register(stage, iter([addressees(f"b-{numbers[0]}", numbers[at])]))))

    assert sorted(end.split()[0] for end in ends) == ["ABORTED"] * (AT_ONCE - 1) + ["OK"]
    assert sum(is_known(stage, number) for number in numbers) == 1


def test_one_batch_of_inquiries_sent_many_times_at_once_asks_once(stage: Stage) -> None:
    specs = [stage.setagaya.spec(stage.asked[0]) for _ in range(5)]
    request = inquiries.CreateInquiriesRequest(batch_id=f"i-{specs[0].record_id}", inquiries=specs)
    stub = InquiryServiceStub(stage.channel)

    answers = at_once(
        lambda _: next(stub.CreateInquiries(iter([request]), metadata=stage.setagaya.metadata, timeout=SECONDS))
    )

    assert len({tuple(answer.receipt_numbers) for answer in answers}) == 1
    assert sum(not answer.repeated_batch for answer in answers) == 1


def test_one_record_id_in_many_batches_and_calls_at_once_is_one_inquiry(stage: Stage) -> None:
    spec = stage.setagaya.spec(stage.asked[0])
    stub, metadata = InquiryServiceStub(stage.channel), stage.setagaya.metadata

    def send(at: int) -> str:
        if at % 2:
            one = stub.CreateInquiry(inquiries.CreateInquiryRequest(inquiry=spec), metadata=metadata, timeout=SECONDS)
            return str(one.inquiry.receipt_number)
        request = inquiries.CreateInquiriesRequest(batch_id=f"i-{spec.record_id}-{at}", inquiries=[spec])
        return str(next(stub.CreateInquiries(iter([request]), metadata=metadata, timeout=SECONDS)).receipt_numbers[0])

    assert len(set(at_once(send))) == 1


def test_one_record_id_at_once_for_two_questions_is_one_of_them(stage: Stage) -> None:
    record = f"r-{fresh_serial()}"
    specs = [stage.setagaya.spec(stage.asked[at % 2], record_id=record) for at in range(AT_ONCE)]
    stub = InquiryServiceStub(stage.channel)

    def send(at: int) -> str:
        request = inquiries.CreateInquiryRequest(inquiry=specs[at])
        return outcome(lambda: stub.CreateInquiry(request, metadata=stage.setagaya.metadata, timeout=SECONDS))

    ends = at_once(send)

    assert sorted(end.split()[0] for end in ends) == ["ALREADY_EXISTS"] * (AT_ONCE // 2) + ["OK"] * (AT_ONCE // 2)


def test_one_batch_of_replicas_sent_many_times_at_once_is_written_once(stage: Stage) -> None:
    numbers = stage.fresh(rows=5)
    given = {"batch_id": f"p-{numbers[0]}", "record_ids": [f"p-{number}" for number in numbers]}
    lanes = _lanes(stage)

    answers = at_once(lambda _: stage.shinjuku.replicas(numbers, **given))

    assert sum(not answer.repeated_batch for answer in answers) == 1
    assert _lanes(stage) == lanes + 5


def test_records_of_one_key_at_once_become_versions_one_after_another(stage: Stage) -> None:
    (number,) = stage.fresh()
    lanes = _lanes(stage)

    answers = at_once(lambda _: stage.shinjuku.replicas([number]))

    key = common_pb2.ReplicaKey(information_code=TAX, data_set="0100", record_key="2026")
    request = replicas.ListReplicaVersionsRequest(integrated_address_number=number, key=key, page_size=100)
    versions = ReplicaServiceStub(stage.channel).ListReplicaVersions(request, metadata=stage.shinjuku.metadata).replicas
    assert all(list(answer.outcomes) == [1] for answer in answers)
    assert [each.version for each in versions] == list(range(AT_ONCE, 0, -1))
    assert _lanes(stage) == lanes + 1


def _lanes(stage: Stage) -> int:
    stub = ReplicaServiceStub(stage.channel)
    lanes = stub.ListLanes(replicas.ListLanesRequest(), metadata=stage.shinjuku.metadata).lanes
    return next((lane.replica_count for lane in lanes if lane.information_code == TAX), 0)


def test_one_batch_of_people_sent_many_times_at_once_numbers_everybody_once(stage: Stage) -> None:
    request = people(rows=5)
    stub = AddressServiceStub(stage.channel)

    answers = at_once(
        lambda _: next(stub.RegisterPeople(iter([request]), metadata=stage.shinjuku.metadata, timeout=SECONDS))
    )

    assert len({tuple(answer.integrated_address_numbers) for answer in answers}) == 1
    assert sum(not answer.repeated_batch for answer in answers) == 1


def test_the_same_people_in_many_batches_at_once_are_numbered_once(stage: Stage) -> None:
    first = people(rows=5)
    stub = AddressServiceStub(stage.channel)

    def send(at: int) -> Any:
        request = address.RegisterPeopleRequest()
        request.CopyFrom(first)
        request.batch_id = f"{first.batch_id}-{at}"
        return next(stub.RegisterPeople(iter([request]), metadata=stage.shinjuku.metadata, timeout=SECONDS))

    answers = at_once(send)

    assert len({tuple(answer.integrated_address_numbers) for answer in answers}) == 1


UNARY: Final[dict[str, Callable[[Stage], tuple[Any, str, Any]]]] = {
    "split": lambda stage: (
        LinkageCodeServiceStub(stage.channel),
        "SplitAddressee",
        linkage.SplitAddresseeRequest(
            integrated_address_number=stage.fresh()[0], new_integrated_address_number=address_number(fresh_serial())
        ),
    ),
    "non-resident": lambda stage: (
        AddressServiceStub(stage.channel),
        "IssueNonResidentNumber",
        address.IssueNonResidentNumberRequest(
            person=address.Person(name=f"外　{fresh_serial()}", birth_date="19990101", residential_address="大阪")
        ),
    ),
}


@pytest.mark.parametrize("name", UNARY)
def test_a_unary_change_sent_many_times_at_once_under_one_request_id_is_made_once(stage: Stage, name: str) -> None:
    stub, rpc, request = UNARY[name](stage)
    metadata = (*stage.shinjuku.metadata, ("chukan-request-id", f"q-{fresh_serial()}"))
    answers: list[str] = []

    def send(_: int) -> str:
        def call() -> Any:
            answer = getattr(stub, rpc)(request, metadata=metadata, timeout=SECONDS)
            answers.append(str(answer.new_addressee if name == "split" else answer.local_number))
            return answer

        return outcome(call)

    ends = at_once(send)

    assert {end.split()[0] for end in ends} <= {"OK", "ABORTED"}
    assert "OK" in ends
    assert len(set(answers)) == 1


def test_cancelling_many_times_at_once_cancels_once(stage: Stage) -> None:
    receipt = stage.setagaya.ask(stage.setagaya.spec(stage.asked[0])).receipt_numbers[0]
    stub = InquiryServiceStub(stage.channel)
    request = inquiries.CancelInquiryRequest(receipt_number=receipt)

    ends = set(
        at_once(lambda _: outcome(lambda: stub.CancelInquiry(request, metadata=stage.setagaya.metadata, timeout=5)))
    )

    assert ends in ({"INQUIRY_CANCELLED"}, {"FAILED_PRECONDITION INQUIRY_FINISHED"})


def test_acknowledging_many_times_at_once_counts_once(stage: Stage) -> None:
    done = stage.setagaya.answer(stage.asked[0])
    stub = InquiryServiceStub(stage.channel)
    request = inquiries.AcknowledgeResultsRequest(receipt_numbers=[done.receipt_number])

    answers = at_once(lambda _: stub.AcknowledgeResults(request, metadata=stage.setagaya.metadata, timeout=SECONDS))

    assert sum(answer.acknowledged_count for answer in answers) == 1


def test_after_all_of_it_the_records_agree_but_for_what_was_cancelled_while_it_was_answered(stage: Stage) -> None:
    """Provided there and cancelled here is a difference, and is told as one."""
    cancelled = inquiries.ListInquiriesRequest(states=[common_pb2.INQUIRY_STATE_CANCELLED], page_size=1000)
    metadata = stage.setagaya.metadata
    most = len(InquiryServiceStub(stage.channel).ListInquiries(cancelled, metadata=metadata).inquiries)

    by_cancelling = {
        "RECONCILIATION_STATE_DIFFERS outcome",
        "RECONCILIATION_STATE_DIFFERS provision_time outcome",  # the answer was on its way
        "RECONCILIATION_STATE_MISSING_AT_INQUIRER",
    }

    def others(body: Body) -> list[str]:
        """Return what comes from no cancellation, and is not under way."""
        told = [" ".join(each.split()[1:]) for each in disagreements(stage.channel, body.metadata)]
        found = [each for each in told if each != "RECONCILIATION_STATE_PENDING"]
        return [] if len(found) <= most and by_cancelling.issuperset(found) else found

    for body in (stage.shinjuku, stage.setagaya):
        until = time.monotonic() + 60
        while (left := others(body)) and time.monotonic() < until:
            time.sleep(0.2)  # each look has the network asked
        assert Counter(left) == {}
