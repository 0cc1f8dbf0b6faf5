# SPDX-License-Identifier: Apache-2.0
"""A load, then another: people numbered, codes linked, replicas as in the extracts, and afterwards changes only."""

from __future__ import annotations

import csv
from datetime import timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

import pytest
from chukan_adapter_load import Body, emulator, people

from chukan.adapter.sync import streams
from chukan.address.v1 import address_service_pb2 as address
from chukan.command.adapter_state import last_loads
from chukan.people.columns import NON_RESIDENTS
from chukan.v1 import linkage_code_service_pb2 as linkage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chukan.adapter.sync import LaneReport, Report

TAX, ALLOWANCE, CARE, REGISTER = "TM00000000000002", "TM00000000000010", "TM00000000000015", "TM00000000000001"
LEVY = "TK90002010000003"


def lane(report: Report, name: str) -> LaneReport:
    return next(each for each in report.lanes if name in {each.information_code, each.name})


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def change(path: Path, rewrite: Callable[[list[dict[str, str]]], None]) -> None:
    """Rewrite an extract's rows."""
    every = rows(path)
    names = list(every[0])
    rewrite(every)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(every)


@pytest.fixture(scope="module")
def shinjuku(tmp_path_factory: pytest.TempPathFactory, target: str) -> Body:
    folder = people(tmp_path_factory.mktemp("shinjuku"), "131041")
    return Body("131041", folder, tmp_path_factory.mktemp("state"), target)


@pytest.fixture(scope="module")
def first(shinjuku: Body) -> Report:
    return shinjuku.load()


def test_a_first_load_takes_every_row_of_every_kind(first: Report) -> None:
    assert first.complete
    assert first.dead_letters == 0
    for each in first.lanes:
        assert each.rows == each.written + each.not_provided_no_individual_number + each.held_for_a_person > 0


def test_everybody_with_an_individual_number_known_to_the_resident_network_is_linked(first: Report) -> None:
    assert first.codes.state == "complete"
    assert first.codes.open == 0
    assert first.codes.asked == first.codes.submitted == first.codes.linked + sum(first.codes.failed.values())
    assert set(first.codes.failed) <= {"NO_RESIDENT_RECORD_CODE"}  # 住登外者 who live elsewhere


def test_people_without_an_individual_number_are_not_provided_and_the_report_says_so(
    shinjuku: Body, first: Report
) -> None:
    without = {each["宛名番号"] for each in rows(shinjuku.folder / "residents.csv") if not each["個人番号"]}
    taxed = [each for each in rows(shinjuku.folder / "extracts" / "local_tax.csv") if each["宛名番号"] in without]

    assert lane(first, TAX).not_provided_no_individual_number == len(taxed)
    assert len(shinjuku.replicas(TAX)) == lane(first, TAX).rows - len(taxed)


def test_what_is_registered_is_what_the_extract_says_zero_nil_and_nothing_told_apart(
    shinjuku: Body, first: Report
) -> None:
    extract = rows(shinjuku.folder / "extracts" / "local_tax.csv")

    levies = sorted(str(values[LEVY]) for _, values in shinjuku.replicas(TAX).values())

    assert first.complete
    without = {each["宛名番号"] for each in rows(shinjuku.folder / "residents.csv") if not each["個人番号"]}
    expected = sorted(each["所得割額"] or "None" for each in extract if each["宛名番号"] not in without)
    assert levies == expected
    assert {"0", "None"} <= set(levies)


def test_closed_people_are_linked_first_and_closed_then(shinjuku: Body, first: Report) -> None:
    residents = rows(shinjuku.folder / "residents.csv")
    there = {each["個人番号"] for each in residents if each["消除事由コード"] in {"", "33"}}
    closed = {each["個人番号"] for each in residents} - there

    with shinjuku.client() as client:
        states = client.linkage_codes.ListLinkageStates(
            linkage.ListLinkageStatesRequest(states=[linkage.LINKAGE_STATE_LINKED], page_size=1000)
        )
        addressees = [
            client.linkage_codes.GetAddressee(
                linkage.GetAddresseeRequest(integrated_address_number=each.integrated_address_number)
            ).addressee
            for each in states.linkage_statuses
        ]

    assert first.codes.closed_addressees == len(closed) > 0
    assert sum(each.state == linkage.ADDRESSEE_STATE_CLOSED for each in addressees) == len(closed)


def test_record_identification_numbers_ascend_and_are_used_once(shinjuku: Body, first: Report) -> None:
    ids = [record for record, _ in shinjuku.replicas(CARE).values()]

    assert len(set(ids)) == len(ids) == lane(first, CARE).written


def test_a_second_load_of_the_same_files_sends_nothing(shinjuku: Body, first: Report) -> None:
    before = shinjuku.replicas(REGISTER)

    again = shinjuku.load()

    assert first.complete
    assert again.complete
    assert [each.sent for each in again.lanes] == [each.held_for_a_person for each in again.lanes]
    assert (again.codes.asked, again.codes.linked, again.codes.closed_addressees) == (0, 0, 0)
    assert shinjuku.replicas(REGISTER) == before


def test_the_last_word_on_a_lane_is_kept_when_a_load_does_not_go_through_it(shinjuku: Body, first: Report) -> None:
    before = last_loads(shinjuku.state)[0]["lanes"]

    shinjuku.load(extracts=None)

    after = last_loads(shinjuku.state)[0]["lanes"]
    assert {lane["name"] for lane in after} == {lane["name"] for lane in before} == {each.name for each in first.lanes}
    assert [lane for lane in after if lane["kind"] == "replicas"] == [
        lane for lane in before if lane["kind"] == "replicas"
    ]


def test_codes_that_were_there_before_are_not_counted_as_this_load_s(
    shinjuku: Body, first: Report, tmp_path: Path
) -> None:
    """Also when nothing is remembered of earlier loads, and the watch tells of every link there is."""
    report = shinjuku.load(extracts=None, state=tmp_path)

    assert first.codes.linked > 0
    assert (report.lanes[0].not_changed, report.codes.linked) == (0, 0)


def test_only_changed_rows_are_sent_wherever_they_stand(shinjuku: Body, first: Report, tmp_path: Path) -> None:
    path = shinjuku.folder / "extracts" / "local_tax.csv"
    saved = path.read_bytes()
    changed: list[dict[str, str]] = []

    def rewrite(every: list[dict[str, str]]) -> None:
        changed[:] = [each for each in every if each["所得割額"] not in {"", "0"}][:3]
        for each in changed:
            each["所得割額"] = "777"
        every.reverse()

    change(path, rewrite)
    report = shinjuku.load(people=())
    taxes = lane(report, TAX)
    values = [levels[LEVY] for _, levels in shinjuku.replicas(TAX).values()]

    assert first.complete
    assert (taxes.sent, taxes.written) == (3, 3)
    assert taxes.not_changed == taxes.rows - 3 - taxes.not_provided_no_individual_number
    assert values.count("777") == 3
    path.write_bytes(saved)
    assert lane(shinjuku.load(people=()), TAX).written == 3  # back to what it was is a change too
    del tmp_path


def test_vanished_records_are_deleted_only_when_that_is_asked_for(shinjuku: Body, first: Report) -> None:
    path = shinjuku.folder / "extracts" / "child_allowance.csv"
    saved = path.read_bytes()
    count = len(shinjuku.replicas(ALLOWANCE))
    change(path, lambda every: every.__delitem__(slice(2, 4)))

    kept = lane(shinjuku.load(people=()), ALLOWANCE)
    deleted = lane(shinjuku.load(people=(), delete_reason="資格の消滅"), ALLOWANCE)
    after = len(shinjuku.replicas(ALLOWANCE))
    path.write_bytes(saved)
    back = lane(shinjuku.load(people=()), ALLOWANCE)

    assert first.complete
    assert (kept.vanished, kept.deleted) == (2, 0)
    assert (deleted.vanished, deleted.deleted, after) == (2, 2, count - 2)
    assert (back.written, len(shinjuku.replicas(ALLOWANCE))) == (2, count)


def test_a_record_that_takes_another_s_place_is_written_once_the_other_is_deleted(
    shinjuku: Body, first: Report
) -> None:
    """One record at a time: a person's new 世帯番号 makes a new record, which overlaps the old one until it is gone."""
    path = shinjuku.folder / "extracts" / "resident_record.csv"

    def move(every: list[dict[str, str]]) -> None:
        every[0]["世帯番号"] = "999999999999999"

    saved = path.read_bytes()
    change(path, move)
    refused = lane(shinjuku.load(people=()), REGISTER)
    settled = lane(shinjuku.load(people=(), delete_reason="世帯変更"), REGISTER)
    path.write_bytes(saved)

    assert first.complete
    assert dict(refused.reasons) == {"PERIODS_OVERLAP": 1}
    assert (settled.deleted, settled.written, settled.refused) == (1, 1, 0)
    assert lane(shinjuku.load(people=(), delete_reason="世帯変更"), REGISTER).written == 1


def test_so_many_vanished_records_at_once_are_not_believed(target: str, tmp_path: Path) -> None:
    body = Body("131016", people(tmp_path / "people", "131016"), tmp_path / "state", target)
    body.load()
    change(body.folder / "extracts" / "resident_record.csv", lambda every: every.__delitem__(slice(10, None)))

    records = lane(body.load(people=(), delete_reason="異動"), REGISTER)

    assert records.vanished > 100
    assert records.deleted == 0
    assert any("too many" in note.english for note in records.notes)


def test_a_send_is_split_at_the_cap(target: str, tmp_path: Path) -> None:
    body = Body("131032", people(tmp_path / "people", "131032"), tmp_path / "state", target)

    report = body.load(batch=50, send_cap=120)

    assert report.complete
    taxes = lane(report, TAX)
    assert taxes.sends == -(-taxes.batches // 2) > 1


def test_a_business_s_view_of_a_resident_takes_no_flag_away(shinjuku: Body, first: Report) -> None:
    hidden = next(each for each in rows(shinjuku.folder / "residents.csv") if each["不開示該当"] == "1")
    non_residents = shinjuku.folder / "non_residents.csv"
    shared = ("個人番号", "カナ氏名", "漢字氏名", "生年月日", "性別", "郵便番号", "住所コード", "住所", "方書")

    def add(every: list[dict[str, str]]) -> None:
        every.append({**every[0], **{name: hidden[name] for name in shared}, "住登外者宛名番号": "000009999999999"})

    change(non_residents, add)
    report = shinjuku.load()
    with shinjuku.client() as client:
        key = address.LocalNumber(number_system="01", local_address_number=hidden["宛名番号"])
        (converted,) = client.address.ConvertNumbers(address.ConvertNumbersRequest(local_numbers=[key])).conversions
        number = converted.integrated_address_number
        addressee = client.linkage_codes.GetAddressee(linkage.GetAddresseeRequest(integrated_address_number=number))

    assert first.complete
    assert lane(report, "住登外者").outcomes["linked"] == 1
    assert addressee.addressee.nondisclosure


def test_people_the_middle_server_forgot_are_told_to_it_again(target: str, tmp_path: Path) -> None:
    """A run may break off between numbering people and telling the middle server of them."""
    body = Body("131041", tmp_path, tmp_path / "state", target)
    with body.client() as client:
        request = address.RegisterPeopleRequest(
            batch_id="broken off",
            number_system="02",
            business_id="010",
            local_address_numbers=["000007777777777"],
            individual_numbers=["999999999961"],
            names=["試験　一郎"],
            birth_dates=["19800102"],
            sexes=["1"],
            residential_addresses=["東京都千代田区一番町１－１"],
            resident_kinds=[address.RESIDENT_KIND_NON_RESIDENT],
            movement_dates=["20260401"],
            notification_dates=["20260401"],
            movement_reasons=["固定資産所有"],
        )
        (answer,) = client.address.RegisterPeople(iter([request]))

    row = {
        "業務ID": "010",
        "住登外者宛名番号": "000007777777777",
        "個人番号": "999999999961",
        "漢字氏名": "試験　一郎",
        "生年月日": "19800102",
        "性別": "1",
        "住民種別": "住登外",
        "住所": "東京都千代田区一番町１－１",
        "登録日": "20260401",
        "登録事由": "固定資産所有",
    }
    cells = [row.get(name, "") for name in NON_RESIDENTS]
    (tmp_path / "non_residents.csv").write_text(f"{','.join(NON_RESIDENTS)}\n{','.join(cells)}\n", "utf-8")
    report = body.load(extracts=None)

    assert answer.integrated_address_numbers[0]
    assert report.complete
    assert lane(report, "住登外者").outcomes["unchanged"] == 1
    assert (report.codes.asked, report.dead_letters) == (1, 0)


def test_a_person_who_gets_an_individual_number_is_provided_with_the_next_load(shinjuku: Body, first: Report) -> None:
    residents = shinjuku.folder / "residents.csv"
    without = next(each for each in rows(residents) if not each["個人番号"])

    def number(every: list[dict[str, str]]) -> None:
        for each in every:
            if each["宛名番号"] == without["宛名番号"]:
                each["個人番号"], each["異動日"] = "999999999988", "20261001"

    change(residents, number)
    report = shinjuku.load()

    assert first.complete
    assert report.codes.asked == report.codes.linked == 1
    assert lane(report, REGISTER).written == 1
    assert lane(report, REGISTER).not_provided_no_individual_number == 0


def test_codes_whose_processing_numbers_ran_out_are_asked_for_once_more(tmp_path: Path) -> None:
    files = people(tmp_path / "people", "131041", count=20)
    with emulator(tmp_path / "data", processing_number_days=timedelta()) as target:
        first = Body("131041", files, tmp_path / "state", target).load(extracts=None)

    with emulator(tmp_path / "data") as later:
        state = tmp_path / "state"
        (folder,) = state.iterdir()
        body = Body("131041", files, state, later)
        where = blake2b(f"{later}\x1f".encode(), digest_size=6).hexdigest()
        folder.rename(state / f"{body.organization}-{where}")  # the same server at another port
        second = body.load(extracts=None)

    assert first.codes.asked == 2 * first.codes.failed["PROCESSING_NUMBER_EXPIRED"]
    assert first.codes.linked == 0
    assert second.lanes[0].sent == 0
    assert second.codes.asked == second.codes.linked == first.codes.failed["PROCESSING_NUMBER_EXPIRED"] > 0


def test_streams_cut_by_their_deadline_again_and_again_lose_and_double_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline of a stream is far longer than this load; in the second server each is cut after a moment."""
    files = people(tmp_path / "files", "131041")
    opened = []
    connect = streams._Connection.__init__

    def counted(connection: streams._Connection, call: Callable[..., object]) -> None:
        opened.append(call)
        connect(connection, call)

    monkeypatch.setattr(streams._Connection, "__init__", counted)
    found, count = [], []
    for name, seconds in (("whole", streams.STREAM_SECONDS), ("cut", 0.1)):
        for module in ("streams", "acquisition"):
            monkeypatch.setattr(f"chukan.adapter.sync.{module}.STREAM_SECONDS", seconds)
        opened.clear()
        with emulator(tmp_path / name) as target:
            body = Body("131041", files, tmp_path / f"state-{name}", target)
            report = body.load(batch=10)
            assert (report.codes.state, [each.problem for each in report.lanes if each.problem]) == ("complete", [])
            values = {key: given for key, (_, given) in body.replicas(TAX).items()}
            found.append((values, [(each.name, each.written) for each in report.lanes], report.codes.linked))
        count.append(len(opened))

    assert count[1] > count[0]
    assert found[1] == found[0]
    assert found[0][0]
