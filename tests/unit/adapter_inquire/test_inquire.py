# SPDX-License-Identifier: Apache-2.0
"""An inquiry file in, a result file out: every row once, three answers apart, waves, resends, broken-off runs."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chukan.adapter.exchange import inquire, inquiry_status
from chukan.standard.clock import FixedClock
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as pb

if TYPE_CHECKING:
    from conftest import Peer

PROFILES = Path(__file__).parents[3] / "adapter/chukan/adapter/exchange/profiles"
SETAGAYA = "0220113112101700"
SHINJUKU = "0220113104101700"
EVEN_LEVY = "TK90002010000004"
INCOME_LEVY = "TK90002010000003"
ROW_STATUS, ROW_MESSAGE, INFORMATION_STATUS = 23, 24, 25
EVEN_COLUMN, INCOME_COLUMN = 230, 254
AT_ONCE = timedelta(0)


def refused(reason: str, row_status: str = "93") -> pb.Inquiry:
    return pb.Inquiry(
        state=common_pb2.INQUIRY_STATE_REFUSED,
        reason=reason,
        status=pb.InquiryStatus(row_status=row_status, row_message="「＊」", information_status=row_status),
    )


def no_replica(spec: pb.InquirySpec) -> pb.Inquiry:
    del spec
    return pb.Inquiry(
        state=common_pb2.INQUIRY_STATE_ANSWERED,
        answer_kind=common_pb2.ANSWER_KIND_NO_REPLICA,
        status=pb.InquiryStatus(row_status="09", information_status="02"),
    )


def test_a_file_is_answered_in_the_documented_columns(peer: Peer) -> None:
    file = peer.file(peer.row(), peer.row(provider="13104".ljust(16)))

    report = inquire(peer.options(file))

    first, second = peer.results()
    assert report.is_complete
    assert (report.rows, report.values) == (2, 2)
    assert len(first) == len(second) == 262
    assert first[:18] == file.read_bytes().decode().split("\r\n")[0].split(",")
    assert (first[12], second[12]) == ("13104", "13104".ljust(16)), "as sent"
    assert first[18] == "0220113104101700"
    assert (first[ROW_STATUS], first[INFORMATION_STATUS]) == ("09", "01")
    assert (first[EVEN_COLUMN], first[INCOME_COLUMN]) == ("3500", "001")
    assert not (peer.folder / "result.errors.csv").exists()


def test_the_edition_of_2023_has_the_items_17_columns_further_on(peer: Peer) -> None:
    inquire(peer.options(peer.file(peer.row()), profile="2023"))

    (row,) = peer.results()
    assert len(row) == 279
    assert (row[EVEN_COLUMN + 17], row[INCOME_COLUMN + 17], row[ROW_STATUS]) == ("3500", "001", "09")


def test_zero_nil_and_no_replica_are_three_different_answers(peer: Peer) -> None:
    peer.inquiries.items = lambda number: {INCOME_LEVY: ("", "01") if number.endswith("2") else ("0", "")}
    peer.inquiries.decide = lambda spec: (
        no_replica(spec) if spec.integrated_address_number.endswith("3") else peer.inquiries.answered(spec)
    )

    report = inquire(peer.options(peer.file(peer.row(), peer.row(), peer.row())))

    zero, nil, nothing = peer.results()
    shown = [
        (row[INCOME_COLUMN], row[INCOME_COLUMN + 1], row[INFORMATION_STATUS], row[27]) for row in (zero, nil, nothing)
    ]
    assert shown == [("0", "", "01", "1"), ("", "01", "01", "1"), ("", "", "02", "2")]
    assert (report.values, report.no_replica) == (2, 1)


def test_an_answer_of_several_records_fills_several_rows_the_newest_first(peer: Peer) -> None:
    peer.inquiries.years = ("2025", "2026")

    inquire(peer.options(peer.file(peer.row())))

    rows = peer.results()
    assert [(row[22], row[31], row[37]) for row in rows] == [("1", "2026", "2"), ("2", "2025", "2")]


def test_a_value_without_a_column_is_told(peer: Peer) -> None:
    peer.inquiries.items = lambda _: {"TK99999999999999": ("1", "")}

    report = inquire(peer.options(peer.file(peer.row())))

    assert [each.code for each in report.warnings] == ["ITEM_WITHOUT_COLUMN"]


def test_a_refusal_of_the_middle_server_has_the_wording_staff_know(peer: Peer) -> None:
    peer.inquiries.decide = lambda spec: (
        refused("CODE_NOT_ACQUIRED", "91") if spec.integrated_address_number.endswith("1") else refused("NOT_PERMITTED")
    )

    report = inquire(peer.options(peer.file(peer.row(), peer.row())))

    no_code, not_permitted = peer.results()
    assert no_code[ROW_STATUS] == "91"
    assert no_code[ROW_MESSAGE] == "指定された団体内統合宛名番号「９０００００００００００００１」は符号が未取得です。"
    assert (
        not_permitted[ROW_MESSAGE]
        == "指定された特定個人情報名「ＴＭ０００００００００００００２」の照会は許可されていません。"
    )
    assert report.refusals == {"CODE_NOT_ACQUIRED": 1, "NOT_PERMITTED": 1}


def test_rows_that_never_reach_the_middle_server_get_the_same_columns(peer: Peer) -> None:
    peer.addresses.convert = lambda local: "" if local.local_address_number.endswith("2") else "9" * 15
    file = peer.file(
        peer.row(), peer.row(), peer.row(provider=""), peer.row(provider="99999"), peer.row(start="20261301")
    )

    report = inquire(peer.options(file))

    rows = peer.results()
    assert [len(row) for row in rows] == [262] * 5
    assert [row[ROW_STATUS] for row in rows] == ["09", "91", "94", "94", "90"]
    assert rows[1][ROW_MESSAGE] == "指定された宛名番号「００００００００００００００２」は登録されていません。"
    assert rows[2][ROW_MESSAGE] == "「情報提供者機関コード」が指定されていません。"
    assert rows[4][ROW_MESSAGE] == "「照会開始日付」（17項目目）の日付が正しくありません。（a date that exists）"
    assert (report.values, report.failed) == (1, 4)
    assert sum(len(batch.inquiries) for batch in peer.inquiries.batches) == 1


def test_every_input_row_is_in_exactly_one_output_whatever_is_wrong_with_it(peer: Peer) -> None:
    peer.inquiries.decide = lambda spec: (
        None if spec.integrated_address_number.endswith("2") else peer.inquiries.answered(spec)
    )
    good, open_row, twice = peer.row(), peer.row(), peer.row()
    huge = b"9" * 3_000_000 + b"\r\n"
    bad = [
        b"\xef\xbb\xbf" + peer.row(),
        peer.row().replace(b"\r\n", b"\n"),
        peer.row()[:40] + b"\r\n",
        peer.row()[:-2] + b",x\r\n",
        peer.row(user="担当"),
        huge,
        bytes(range(256)).replace(b"\n", b"") + b"\r\n",
        peer.row(local=dummy_individual_number(5)),
        peer.row()[:-2],
    ]
    file = peer.file(bad[0], good, open_row, twice, twice, *bad[1:])

    report = inquire(peer.options(file, cut_off=timedelta(seconds=0.3)))

    rejects = (peer.folder / "result.rejects_0001.DAT").read_bytes()
    remainder = (peer.folder / "result.remainder_0001.DAT").read_bytes()
    assert rejects == b"".join(bad)
    assert remainder == open_row
    assert [row[1] for row in peer.results()] == [raw.decode().split(",")[1] for raw in (good, twice, twice)]
    assert (report.rows, report.values, report.failed, report.remainder, report.rejected) == (13, 2, 1, 1, 9)
    with (peer.folder / "result.errors.csv").open(encoding="utf-8", newline="") as errors:
        listed = list(csv.DictReader(errors))
    assert [(row["行"], row["理由コード"], row["出力先"]) for row in listed] == [
        ("1", "FILE_ENCODING", "reject"),
        ("5", "RECORD_DUPLICATE", "result"),
        ("6", "FILE_LINE_END", "reject"),
        ("7", "ROW_SHORT", "reject"),
        ("8", "ROW_LONG", "reject"),
        ("9", "FILE_ENCODING", "reject"),
        ("10", "ROW_TOO_LARGE", "reject"),
        ("11", "FILE_BINARY", "reject"),
        ("12", "INDIVIDUAL_NUMBER_REFUSED", "reject"),
        ("13", "FILE_LINE_END", "reject"),
    ]
    assert dummy_individual_number(5).encode() not in (peer.folder / "result.csv").read_bytes()
    assert dummy_individual_number(5) not in (peer.folder / "result.errors.csv").read_text(encoding="utf-8")


def test_why_rows_failed_is_said_in_both_languages_and_counted(peer: Peer) -> None:
    file = peer.file(peer.row(procedure="JT1"), peer.row(inquirer=SHINJUKU), peer.row(local="12"))

    report = inquire(peer.options(file))

    with (peer.folder / "result.errors.csv").open(encoding="utf-8", newline="") as errors:
        listed = [(row["規則"], row["rule"], row["内容"], row["english"]) for row in csv.DictReader(errors)]
    assert [each[:2] for each in listed] == [
        ("JTと半角英数字14桁", "JT and 14 digits or capital letters"),
        ("照会する機関自身の機関コード", "the organization that asks"),
        ("数字15桁", "15 digits"),
    ]
    assert all(japanese and english.isascii() for *_, japanese, english in listed)
    assert report.problem_reasons == {"VALUE_FORMAT": 2, "ORGANIZATION_MISMATCH": 1}


def test_where_no_row_has_a_result_no_result_file_is_written(peer: Peer) -> None:
    peer.inquiries.decide = peer.inquiries.left_open
    file = peer.file(peer.row(), b"no row\r\n")

    report = inquire(peer.options(file, cut_off=AT_ONCE))

    assert report.result_file is None
    assert not (peer.folder / "result.csv").exists()
    assert (report.remainder, report.rejected) == (1, 1)


def test_an_empty_file_is_named_and_the_others_go_on(peer: Peer) -> None:
    empty = peer.file(name="a.DAT")
    file = peer.file(peer.row(), name="b.DAT")

    report = inquire(peer.options(empty, file))

    assert [(each.file, each.reason) for each in report.problems] == [("a.DAT", "FILE_EMPTY")]
    assert report.values == 1
    assert not report.is_complete


def test_a_folder_is_taken_in_the_order_of_its_names(peer: Peer) -> None:
    folder = peer.folder / "in"
    folder.mkdir()
    for name in ("P640R110_20260615090000_0002.DAT", "P640R110_20260615090000_0001.DAT"):
        peer.file(peer.row(), name=f"in/{name}")
    (folder / "README.txt").write_text("no inquiries")

    report = inquire(peer.options(folder))

    assert [row[1][-1] for row in peer.results()] == ["2", "1"]
    assert report.rows == 2


@pytest.mark.parametrize(
    ("name", "out", "code"),
    [
        ("nowhere.DAT", "result.csv", "FILE_NOT_FOUND"),
        ("empty", "result.csv", "FOLDER_WITHOUT_FILES"),
        ("in.DAT", "reslts/result.csv", "FOLDER_NOT_FOUND"),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_sent(peer: Peer, name: str, out: str, code: str) -> None:
    (peer.folder / "empty").mkdir()
    peer.file(peer.row(), name="in.DAT")

    with pytest.raises(ChukanError) as caught:
        inquire(peer.options(peer.folder / name, out=peer.folder / out))

    assert caught.value.code == code
    assert not peer.inquiries.batches
    assert not (peer.folder / "reslts").exists()


def test_rows_beyond_the_split_size_of_the_profile_go_back_to_be_fed_again(peer: Peer) -> None:
    shipped = (PROFILES / "p640r110.toml").read_text(encoding="utf-8")
    (peer.folder / "input.toml").write_text(shipped.replace("rows_per_file = 10000", "rows_per_file = 2500"), "utf-8")
    own = peer.folder / "own.toml"
    own.write_text('kind = "result"\nname = "own"\nlike = "2024"\ninput = "input.toml"\n', "utf-8")
    rows = [peer.row(local=f"{serial:015d}") for serial in range(2_502)]

    report = inquire(peer.options(peer.file(*rows), profile=str(own)))

    assert (report.values, report.rejected) == (2_500, 2)
    assert (peer.folder / "result.rejects_0001.DAT").read_bytes() == b"".join(rows[2_500:])
    assert [len(batch.inquiries) for batch in peer.inquiries.batches] == [1_000, 1_000, 500]
    assert len(peer.inquiries.acknowledged) == 2_500


def test_the_business_ids_are_tried_in_their_order(peer: Peer) -> None:
    peer.addresses.convert = lambda local: "9" * 15 if local.business_id == "TAX" else ""

    report = inquire(peer.options(peer.file(peer.row()), business_ids=("", "WEL", "TAX")))

    assert report.values == 1
    assert peer.addresses.asked == [1, 1, 1]


def test_a_number_that_is_converted_already_is_not_converted(peer: Peer) -> None:
    inquire(peer.options(peer.file(peer.row(integrated="7" * 15))))

    assert peer.addresses.asked == []
    assert peer.inquiries.batches[0].inquiries[0].integrated_address_number == "7" * 15


def test_the_request_says_what_the_row_says(peer: Peer) -> None:
    row = peer.row(time="20260615093015123", provider="01101", nondisclosure="2")

    inquire(peer.options(peer.file(row), consent=True))

    spec = peer.inquiries.batches[0].inquiries[0]
    assert spec.provider_code == "0220101100201700", "the ward of a designated city is folded"
    assert spec.request_time.ToJsonString() == "2026-06-15T00:30:15.123Z"
    assert (spec.department, spec.user_id, spec.nondisclosure_code) == ("131120101", "DUMMY0001", "2")
    assert (spec.period.start_date, spec.period.end_date, spec.consent) == ("20260601", "20270531", True)


def test_results_come_in_waves_and_the_remainder_goes_on_under_its_old_ids(peer: Peer) -> None:
    peer.inquiries.decide = lambda spec: (
        None if spec.integrated_address_number.endswith("2") else peer.inquiries.answered(spec)
    )
    first = inquire(peer.options(peer.file(peer.row(), peer.row()), cut_off=timedelta(seconds=0.3)))
    peer.inquiries.decide = peer.inquiries.answered
    peer.inquiries.settle()

    second = inquire(peer.options(*first.remainder_files, out=peer.folder / "second.csv"))

    assert (first.values, first.remainder) == (1, 1)
    assert (second.values, second.remainder, second.sent) == (1, 0, 0)
    assert [row[1][-1] for row in peer.results("second.csv")] == ["2"]
    assert len(peer.inquiries.stored) == 2
    assert [each.delivered for each in inquiry_status(peer.folder / "chukan-state", SETAGAYA).files] == [2, 0]


def test_a_second_wave_does_not_write_over_the_first(peer: Peer) -> None:
    inquire(peer.options(peer.file(peer.row(), name="a.DAT")))

    with pytest.raises(ChukanError) as caught:
        inquire(peer.options(peer.file(peer.row(), name="b.DAT")))

    assert caught.value.code == "OUTPUT_EXISTS"
    assert len(peer.inquiries.stored) == 1, "nothing was asked"


def test_the_same_file_again_asks_nothing_and_answers_the_same(peer: Peer) -> None:
    file = peer.file(peer.row())
    inquire(peer.options(file))
    before = peer.results()

    report = inquire(peer.options(file))

    assert report.sent == 0
    assert peer.results() == before


def test_results_that_can_be_read_no_more_are_not_written_over(peer: Peer) -> None:
    file = peer.file(peer.row())
    inquire(peer.options(file))
    before = peer.results()
    peer.inquiries.erased = {each.receipt_number for each in peer.inquiries.stored.values()}

    with pytest.raises(ChukanError) as caught:
        inquire(peer.options(file))
    elsewhere = inquire(peer.options(file, out=peer.folder / "other.csv"))

    assert caught.value.code == "OUTPUT_EXISTS"
    assert peer.results() == before
    assert peer.results("other.csv")[0][ROW_MESSAGE] == "照会結果は保存期間が過ぎたため削除されました。"
    assert elsewhere.failed == 1


def test_without_its_ledger_the_same_file_is_a_resend(peer: Peer) -> None:
    file = peer.file(peer.row())
    inquire(peer.options(file, state=peer.folder / "one"))

    inquire(peer.options(file, state=peer.folder / "two", out=peer.folder / "two.csv"))

    assert len(peer.inquiries.stored) == 1
    assert peer.inquiries.batches[0] == peer.inquiries.batches[1]


def test_resend_sends_what_is_open_again_as_it_was_also_after_a_merge(peer: Peer) -> None:
    peer.inquiries.decide = peer.inquiries.left_open
    file = peer.file(peer.row())
    inquire(peer.options(file, cut_off=AT_ONCE))
    peer.addresses.convert = lambda _: "8" * 15

    report = inquire(peer.options(file, cut_off=AT_ONCE, resend=True))

    assert report.sent == 1
    assert peer.inquiries.batches[0] == peer.inquiries.batches[1]


def test_again_asks_under_a_new_id_and_keeps_the_reason(peer: Peer) -> None:
    file = peer.file(peer.row())
    inquire(peer.options(file))

    report = inquire(peer.options(file, out=peer.folder / "again.csv", again=True, reason="所得の更正のため"))

    first, second = (batch.inquiries[0].record_id for batch in peer.inquiries.batches)
    assert first < second
    assert report.values == 1
    (status,) = inquiry_status(peer.folder / "chukan-state", SETAGAYA).files
    assert (status.times_asked_again, status.reason) == (1, "所得の更正のため")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"again": True}, "AGAIN_REASON_MISSING"),
        ({"again": True, "reason": "x", "resend": True}, "SETTING_INVALID"),
        ({"reason": "x"}, "SETTING_INVALID"),
        ({"wait": True, "cut_off": AT_ONCE}, "SETTING_INVALID"),
        ({"profile": "1999"}, "PROFILE_UNKNOWN"),
        ({"out": Path("/")}, "SETTING_INVALID"),
    ],
)
def test_contradictions_are_refused_before_anything_is_sent(peer: Peer, given: dict[str, Any], code: str) -> None:
    with pytest.raises(ChukanError) as caught:
        inquire(peer.options(peer.file(peer.row()), **given))

    assert caught.value.code == code
    assert not peer.inquiries.batches


def test_a_watch_that_is_silent_about_a_new_server_is_begun_anew(peer: Peer) -> None:
    state = peer.folder / "state"
    inquire(peer.options(peer.file(peer.row()), state=state))
    peer.inquiries.stored.clear()
    peer.inquiries.changes.clear()
    files = [peer.file(peer.row(), peer.row(), name=name) for name in ("b.DAT", "c.DAT")]

    reports = [inquire(peer.options(file, state=state, out=file.with_suffix(".csv"))) for file in files]

    assert [report.values for report in reports] == [2, 2]


def test_unless_told_to_wait_a_run_ends_when_all_that_is_open_waits_for_a_person(peer: Peer) -> None:
    waits = pb.Inquiry(state=common_pb2.INQUIRY_STATE_WAITING_FOR_APPROVAL)
    peer.inquiries.decide = lambda _: waits

    report = inquire(peer.options(peer.file(peer.row())))

    assert report.remainder == 1
    assert report.seconds < 20


def test_results_about_to_expire_are_warned_of(peer: Peer) -> None:
    file = peer.file(peer.row())
    inquire(peer.options(file, state=peer.folder / "state"))
    ledger_clock = FixedClock(datetime.fromtimestamp(1_900_000_000 - 3600, UTC))
    unread = peer.file(peer.row(), name="b.DAT")
    peer.inquiries.decide = peer.inquiries.left_open
    inquire(peer.options(unread, state=peer.folder / "state", out=peer.folder / "b.csv", cut_off=AT_ONCE))
    peer.inquiries.decide = peer.inquiries.answered
    peer.inquiries.settle()
    other = peer.file(peer.row(), name="c.DAT")
    inquire(peer.options(other, state=peer.folder / "state", out=peer.folder / "c.csv"))

    status = inquiry_status(peer.folder / "state", SETAGAYA, clock=ledger_clock)

    assert [(each.name, each.ready) for each in status.files][1] == ("b.DAT", 1)
    assert [each.code for each in status.warnings] == ["RESULTS_EXPIRE"]


def test_the_status_of_a_folder_without_a_ledger_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ChukanError) as caught:
        inquiry_status(tmp_path, SETAGAYA)

    assert caught.value.code == "FILE_NOT_FOUND"


def test_a_run_that_is_killed_goes_on_where_it_was(peer: Peer) -> None:
    rows = [peer.row(local=f"{serial:015d}") for serial in range(2_500)]
    file = peer.file(*rows)
    peer.inquiries.silent.set()
    program = (
        "import sys; from pathlib import Path; from chukan.adapter.exchange import InquireOptions, inquire; "
        "inquire(InquireOptions(inputs=(Path(sys.argv[1]),), out=Path(sys.argv[2]), target=sys.argv[3], "
        "organization=sys.argv[4]))"
    )
    arguments = [str(file), str(peer.folder / "result.csv"), peer.address, SETAGAYA]
    process = subprocess.Popen([sys.executable, "-c", program, *arguments])
    assert peer.inquiries.received.wait(30)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    peer.inquiries.silent.clear()
    taken = len(peer.inquiries.stored)

    report = inquire(peer.options(file))

    assert taken >= 1_000
    assert not (peer.folder / "result.csv.partial").exists()
    assert len(peer.inquiries.stored) == 2_500, "nothing is asked twice"
    assert report.values == 2_500
    assert [row[1] for row in peer.results()] == [f"{serial:015d}" for serial in range(2_500)]
