# SPDX-License-Identifier: Apache-2.0
"""Server and adapter killed (kill -9) at random moments, round after round: `make chaos` (ROUNDS=20 SEED=1).

A sender in a process of its own keeps a ledger of what was acknowledged, an adapter works through an inquiry file. In
the end: everything acknowledged is there, nothing is doubled, every inquiry is answered, the three records of every
exchange agree, and the adapter's result has each row of its file once. A seed names the moments, as far as the machine
keeps time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc

from chukan.address.v1 import address_service_pb2 as address
from chukan.address.v1.address_service_pb2_grpc import AddressServiceStub
from chukan.command.demo.stage import ServerProcess
from chukan.standard.numbers import dummy_individual_number
from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as inquiries
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import replica_service_pb2 as replicas
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub
from chukan.v1.linkage_code_service_pb2_grpc import LinkageCodeServiceStub
from chukan.v1.replica_service_pb2_grpc import ReplicaServiceStub
from tests.builders import SETAGAYA, SHINJUKU, TAX, Body, eventually
from tests.hostile.world import disagreements, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE: Final = 10
ROWS: Final = 200
LONGEST_RUN: Final = 120.0


@dataclass
class Chaos:
    """One play of several rounds in a folder."""

    folder: Path
    seed: int
    rounds: int
    kills: Counter[str] = field(default_factory=Counter)

    def play(self) -> str:
        """Play it and return what was checked, in a sentence; an AssertionError says what was lost or doubled."""
        moment = random.Random(self.seed)
        server = ServerProcess(self.folder)
        target, ledger = server.target, self.folder / "ledger"
        sender = None
        try:
            with grpc.insecure_channel(target) as channel:
                asked = self._prepare(channel)
            sender = subprocess.Popen(
                [sys.executable, "-m", "tests.hostile.sender", target, str(ledger), *asked], env=_environment()
            )
            for turn in range(self.rounds):
                adapter = self._adapter(target, turn)
                time.sleep(moment.uniform(0.3, 1.2))
                first, second = moment.sample(["server", "adapter"], 2)
                for victim in (first, second):
                    if victim == "server":
                        server.kill()
                        self.kills["server"] += 1
                        server = ServerProcess(self.folder, options=("--listen", target))
                    else:
                        self.kills["adapter"] += adapter.poll() is None
                        adapter.kill()
                        adapter.wait()
                    time.sleep(moment.uniform(0.0, 0.4))
            for turn in range(self.rounds):
                assert self._adapter(target, turn).wait(LONGEST_RUN) == 0, "the adapter did not come to its end"
            ledger.with_name("ledger.stop").touch()
            assert sender.wait(LONGEST_RUN) == 0, "the sender was refused"
            with grpc.insecure_channel(target) as channel:
                return self._check(channel, _acknowledged(ledger))
        finally:
            if sender is not None and sender.poll() is None:
                sender.kill()
            server.stop()

    def _prepare(self, channel: grpc.Channel) -> list[str]:
        """Let both bodies know the people, 新宿区 hold their replicas, 世田谷区 their local numbers."""
        shinjuku, setagaya = Body(SHINJUKU, channel), Body(SETAGAYA, channel)
        serials = [70_000_000 + at for at in range(PEOPLE)]
        shinjuku.replicas(shinjuku.link(serials))
        request = address.RegisterPeopleRequest(
            batch_id="chaos",
            number_system="01",
            local_address_numbers=[f"{serial:015d}" for serial in serials],
            individual_numbers=[dummy_individual_number(serial) for serial in serials],
            names=[f"試験 {serial}" for serial in serials],
            birth_dates=["19800102"] * PEOPLE,
            sexes=["1"] * PEOPLE,
            residential_addresses=[f"東京都世田谷区世田谷{serial}" for serial in serials],
        )
        stub = AddressServiceStub(channel)
        answer = next(stub.RegisterPeople(iter([request]), metadata=setagaya.metadata))
        numbers = list(answer.integrated_address_numbers)
        setagaya.register(numbers)
        setagaya.submit(setagaya.request_codes(numbers), serials)
        for number in numbers:
            eventually(lambda number=number: setagaya.linkage(number).state == linkage.LINKAGE_STATE_LINKED)
        for turn in range(self.rounds):
            rows = [_row(serials[at % PEOPLE], turn, at) for at in range(ROWS)]
            (self.folder / f"in-{turn}.DAT").write_bytes(b"".join(rows))
        return numbers

    def _adapter(self, target: str, turn: int) -> subprocess.Popen[bytes]:
        """Start, or start again, the run of one file."""
        files = ("--file", f"in-{turn}.DAT", "--out", f"out-{turn}.csv", "--state", "state", "--wait")
        place = ("--target", target, "--organization", SETAGAYA)
        return subprocess.Popen(
            [sys.executable, "-m", "chukan.command", "adapter", "inquire", *files, *place],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "adapter.log").open("ab"),
            env=_environment(),
        )

    def _check(self, channel: grpc.Channel, told: dict[str, list[Any]]) -> str:
        shinjuku, setagaya = Body(SHINJUKU, channel), Body(SETAGAYA, channel)
        held = Counter(_addressees(channel, shinjuku))
        assert not [number for number, count in held.items() if count > 1], "an addressee is there twice"
        assert not [number for number in told["addressees"] if number not in held], "an addressee is lost"
        records = _replicas(channel, shinjuku)
        assert max(Counter(number for _, number in records).values()) == 1, "a replica is there twice"
        assert not set(map(tuple, told["replicas"])) - set(records), "a replica is lost"
        assert _lane(channel, shinjuku) == len(records), "the lane counts other replicas than there are"
        eventually(lambda: not _open(channel, setagaya), seconds=60)
        asked = list(_inquiries(channel, setagaya))
        assert max(Counter(each.spec.record_id for each in asked).values()) == 1, "an inquiry is there twice"
        known = {each.spec.record_id: each for each in asked}
        lost = [record for record, receipt in told["inquiries"] if known[record].receipt_number != receipt]
        assert not lost, "an inquiry has another receipt number than was told"
        assert {each.answer_kind for each in asked} == {common_pb2.ANSWER_KIND_VALUES}, "an inquiry is not answered"
        for body in (shinjuku, setagaya):
            eventually(lambda body=body: not disagreements(channel, body.metadata), seconds=60)
        self._check_result(len([each for each in asked if not each.spec.record_id.startswith("q-")]))
        said = (self.folder / "server.log").read_text("utf-8", "replace")
        assert "unexpected_error" not in said, "the server was surprised"
        assert "Traceback" not in said + (self.folder / "adapter.log").read_text("utf-8", "replace")
        counts = ", ".join(f"{len(what)} {kind}" for kind, what in told.items())
        return f"{dict(self.kills)} killed; {counts} acknowledged and there; {len(asked)} exchanges agree"

    def _check_result(self, inquiries_of_adapter: int) -> None:
        for turn in range(self.rounds):
            asked = (self.folder / f"in-{turn}.DAT").read_text("ascii").splitlines()
            answered = (self.folder / f"out-{turn}.csv").read_text("utf-8").splitlines()
            heads = Counter(",".join(line.split(",")[:18]) for line in answered)
            assert heads == Counter(asked), "the result has not each row once"
        assert inquiries_of_adapter == ROWS * self.rounds, "the adapter asked a row twice, or not at all"


def _acknowledged(ledger: Path) -> dict[str, list[Any]]:
    told: dict[str, list[Any]] = {"addressees": [], "replicas": [], "inquiries": []}
    for line in ledger.read_text("utf-8").splitlines():
        kind, what = json.loads(line)
        told[kind] += what
    assert all(told.values()), "nothing was acknowledged at all"
    return told


def _addressees(channel: grpc.Channel, body: Body) -> Iterator[str]:
    stub = LinkageCodeServiceStub(channel)
    for page in pages(
        lambda token: stub.ListLinkageStates(
            linkage.ListLinkageStatesRequest(page_size=1000, page_token=token), metadata=body.metadata
        )
    ):
        yield from (each.integrated_address_number for each in page.linkage_statuses)


def _replicas(channel: grpc.Channel, body: Body) -> list[tuple[str, str]]:
    """Return (record id, integrated address number) of every current replica."""
    request = replicas.ExportReplicasRequest(information_code=TAX)
    return [
        pair
        for page in ReplicaServiceStub(channel).ExportReplicas(request, metadata=body.metadata)
        for pair in zip(page.record_ids, page.integrated_address_numbers, strict=True)
    ]


def _lane(channel: grpc.Channel, body: Body) -> int:
    lanes = ReplicaServiceStub(channel).ListLanes(replicas.ListLanesRequest(), metadata=body.metadata).lanes
    return next(lane.replica_count for lane in lanes if lane.information_code == TAX)


def _inquiries(channel: grpc.Channel, body: Body, *states: int) -> Iterator[inquiries.Inquiry]:
    stub = InquiryServiceStub(channel)
    for page in pages(
        lambda token: stub.ListInquiries(
            inquiries.ListInquiriesRequest(page_size=1000, page_token=token, states=states),  # type: ignore[arg-type]
            metadata=body.metadata,
        )
    ):
        yield from page.inquiries


def _open(channel: grpc.Channel, body: Body) -> list[inquiries.Inquiry]:
    return list(_inquiries(channel, body, 1, 2, 3))


def _row(serial: int, turn: int, at: int) -> bytes:
    time_asked = f"20260615{at // 60 % 24:02d}{at % 60:02d}{turn % 60:02d}000"
    fields = (
        *("01", f"{serial:015d}", "", time_asked, "131120101", "DUMMY0001", SETAGAYA, "1"),
        *("JM01000000121000", "JT01010000000214", "", "", "13104", TAX, "0", "0", "20260601", "20270531"),
    )
    return (",".join(fields) + "\r\n").encode()


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHUKAN_")}
    return {**kept, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def main() -> None:
    """Play as many plays of five rounds as it takes; the folder of one that fails is kept and named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    done = 0
    while done < given.rounds:
        folder = Path(tempfile.mkdtemp(prefix="chukan-chaos-"))
        rounds = min(5, given.rounds - done)
        sys.stdout.write(f"seed {given.seed + done}, in {folder}: ")
        sys.stdout.flush()
        sys.stdout.write(f"{Chaos(folder, given.seed + done, rounds).play()}\n")
        done += rounds


if __name__ == "__main__":
    main()
