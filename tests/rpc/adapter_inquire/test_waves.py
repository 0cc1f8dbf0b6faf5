# SPDX-License-Identifier: Apache-2.0
"""Answers come in waves, runs are broken off, servers restart: nothing is lost and nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from builders import SETAGAYA, TAX, address_number, eventually

from chukan.adapter.exchange import inquire, inquiry_status
from chukan.v1 import inquiry_service_pb2 as inquiry
from chukan.v1 import provision_service_pb2 as provisions
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub
from chukan.v1.linkage_code_service_pb2 import AutoResponseDisabledRows, AutoResponseDisabledSet
from chukan.v1.provision_service_pb2_grpc import ProvisionServiceStub

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from conftest import Town

ROW_STATUS, INFORMATION_STATUS = 23, 25
PROGRAM = (
    "import sys; from pathlib import Path; from chukan.adapter.exchange import InquireOptions, inquire; "
    "inquire(InquireOptions(inputs=(Path(sys.argv[1]),), out=Path(sys.argv[2]), target=sys.argv[3], "
    "organization=sys.argv[4]))"
)


def write_file(path: Path, serials: Sequence[int]) -> Path:
    """Write an inquiry file about residents."""
    rows = [
        f"01,{serial:015d},,202606150900{serial % 60:02d}{serial % 1000:03d},131120101,DUMMY0001,{SETAGAYA},1,"
        f"JM01000000121000,JT01010000000214,,,13104,{TAX},0,0,20260601,20270531\r\n"
        for serial in serials
    ]
    path.write_bytes("".join(rows).encode())
    return path


def read_rows(path: Path) -> list[list[str]]:
    """Read a result file."""
    return [line.split(",") for line in path.read_bytes().decode().split("\r\n")[:-1]]


def record_ids(town: Town) -> list[str]:
    """Return the record ids of every inquiry of 世田谷区."""
    found: list[str] = []
    token = ""
    while True:
        request = inquiry.ListInquiriesRequest(page_size=1_000, page_token=token)
        page = InquiryServiceStub(town.setagaya.channel).ListInquiries(request, metadata=town.setagaya.metadata)
        found += [each.spec.record_id for each in page.inquiries]
        token = page.next_page_token
        if not token:
            return found


def waiting(town: Town) -> Sequence[provisions.Provision]:
    """Return what waits for a person at 新宿区."""
    request = provisions.ListProvisionsRequest(states=[provisions.PROVISION_STATE_WAITING])
    stub = ProvisionServiceStub(town.shinjuku.channel)
    return stub.ListProvisions(request, metadata=town.shinjuku.metadata).provisions


def approve(town: Town, number: str) -> None:
    """Let a waiting provision about somebody go, as two people."""
    stub, metadata = ProvisionServiceStub(town.shinjuku.channel), town.shinjuku.metadata
    (found,) = [each for each in waiting(town) if each.integrated_address_number == number]
    name = {"provision_id": found.provision_id}
    first, second = ((*metadata, ("chukan-user", user)) for user in ("first", "second"))
    stub.ApproveProvision(provisions.ApproveProvisionRequest(**name), metadata=first)
    stub.ConfirmProvision(provisions.ConfirmProvisionRequest(**name), metadata=second)


def test_what_waits_for_a_person_goes_to_the_remainder_and_is_answered_when_it_is_fed_again(
    town: Town, tmp_path: Path
) -> None:
    serials = [101, 102]
    manual = AutoResponseDisabledSet(entries=[AutoResponseDisabledRows(information_code=TAX, rows=[1])])
    provided = town.shinjuku.link(serials, auto_response_disabled=manual)
    town.shinjuku.replicas(provided)
    town.link(serials)
    file = write_file(tmp_path / "in.DAT", serials)
    before = len(record_ids(town))

    first = inquire(town.options(file, out=tmp_path / "first.csv"))
    approve(town, provided[1])
    second = inquire(town.options(*first.remainder_files, out=tmp_path / "second.csv", wait=True))

    assert (first.values, first.remainder, second.values, second.remainder) == (1, 1, 1, 0)
    assert [int(row[1]) for name in ("first.csv", "second.csv") for row in read_rows(tmp_path / name)] == serials
    assert len(record_ids(town)) == before + 2, "the remainder is no new inquiry"


def test_a_killed_adapter_asks_nothing_twice_and_loses_nothing(town: Town, tmp_path: Path) -> None:
    serials = list(range(1_001, 1_901))
    half = serials[:450]
    town.link(serials)
    town.shinjuku.link(half)
    town.shinjuku.replicas([address_number(serial) for serial in half])
    file = write_file(tmp_path / "in.DAT", serials)
    before = len(record_ids(town))
    arguments = [str(file), str(tmp_path / "out.csv"), town.target, SETAGAYA]

    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments])
        eventually(lambda: len(record_ids(town)) > before, seconds=30)
        time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    report = inquire(town.options(file, out=tmp_path / "out.csv"))

    asked = record_ids(town)[before:]
    rows = read_rows(tmp_path / "out.csv")
    assert len(asked) == len(set(asked)) == len(serials)
    assert [int(row[1]) for row in rows] == serials
    assert {row[ROW_STATUS] for row in rows} == {"09"}
    assert [row[INFORMATION_STATUS] for row in rows[:450]] == ["01"] * 450
    assert report.values == 450
    assert report.rows == len(serials)
    (status,) = inquiry_status(tmp_path / "chukan-state", SETAGAYA).files
    assert (status.delivered, status.open) == (len(serials), 0)


def test_the_same_file_fed_by_two_machines_is_one_inquiry(town: Town, tmp_path: Path) -> None:
    town.link([201])
    file = write_file(tmp_path / "in.DAT", [201])
    before = len(record_ids(town))

    for name in ("one", "two"):
        inquire(town.options(file, out=tmp_path / f"{name}.csv", state=tmp_path / name))

    assert len(record_ids(town)) == before + 1
    assert read_rows(tmp_path / "one.csv") == read_rows(tmp_path / "two.csv")


def test_a_run_outlives_a_restart_of_the_servers(
    serve: Callable[..., AbstractContextManager[Town]], tmp_path: Path
) -> None:
    manual = AutoResponseDisabledSet(entries=[AutoResponseDisabledRows(information_code=TAX, rows=[0])])
    file = write_file(tmp_path / "in.DAT", [1])
    reports = []
    with serve(tmp_path / "data") as town:
        (provided,) = town.shinjuku.link([1], auto_response_disabled=manual)
        town.shinjuku.replicas([provided])
        town.link([1])
        options = town.options(file, out=tmp_path / "out.csv", wait=True)
        run = threading.Thread(target=lambda: reports.append(inquire(options)), daemon=True)
        run.start()
        eventually(lambda: record_ids(town))
    with serve(tmp_path / "data", listen=town.target) as again:
        eventually(lambda: waiting(again))
        approve(again, provided)
        run.join(60)

    assert [report.values for report in reports] == [1]
