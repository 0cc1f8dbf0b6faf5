# SPDX-License-Identifier: Apache-2.0
"""The ledger: what a row went through is never forgotten, never runs backwards, and is nobody else's."""

from __future__ import annotations

import itertools
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chukan.adapter.exchange.ledger import EntryState, Finished, Ledger
from chukan.adapter.exchange.messages import RowStatus
from chukan.adapter.exchange.record_ids import entry_key, file_prefix, read_record_id, record_id, split_key
from chukan.adapter.holding import hold_folder
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chukan.adapter.exchange.ledger import LedgerFile

DIGEST = "ab" * 32
DONE = RowStatus("09", "正常", "01", "正常")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "state" / "ledger.db")
    yield opened
    opened.close()


def pending(ledger: Ledger, file: LedgerFile, *rows: int) -> list[str]:
    with ledger.step():
        ledger.add_pending([(entry_key(file.id, file.generation, row), bytes([row]), "9" * 15) for row in rows], 1)
    return [record_id(file_prefix(file.digest), file.generation, row) for row in rows]


def state_of(ledger: Ledger, file: LedgerFile, row: int) -> EntryState:
    return EntryState(ledger.entries(file, row, row)[row].state)


def test_a_row_goes_from_noted_to_acknowledged(ledger: Ledger) -> None:
    file = ledger.open_file(DIGEST, "a.DAT", 1)
    (record,) = pending(ledger, file, 1)
    steps = []

    for change in (
        lambda: ledger.note_receipts([(record, "r1")], 2),
        lambda: ledger.note_finished([Finished(record, "r1", DONE, "", 1, 99)], 3),
        lambda: ledger.note_delivered([record], 4),
        lambda: ledger.note_acknowledged([record], 5),
    ):
        with ledger.step():
            change()
        steps.append(state_of(ledger, file, 1))

    assert steps == [EntryState.SENT, EntryState.FINISHED, EntryState.DELIVERED, EntryState.ACKNOWLEDGED]


STEPS = st.sampled_from(["receipt", "finished", "delivered", "acknowledged"])


@settings(max_examples=30)
@given(st.lists(STEPS, max_size=12))
def test_news_in_any_order_never_takes_a_row_back(steps: list[str]) -> None:
    with TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.db")
        file = ledger.open_file(DIGEST, "a.DAT", 1)
        (record,) = pending(ledger, file, 1)
        states = [state_of(ledger, file, 1)]
        for step in steps:
            with ledger.step():
                if step == "receipt":
                    ledger.note_receipts([(record, "r1")], 2)
                elif step == "finished":
                    ledger.note_finished([Finished(record, "r1", DONE, "", 1, 99)], 3)
                elif step == "delivered":
                    ledger.note_delivered([record], 4)
                else:
                    ledger.note_acknowledged([record], 5)
            states.append(state_of(ledger, file, 1))
        ledger.close()

    assert states == sorted(states)
    assert all(later - earlier <= 2 for earlier, later in itertools.pairwise(states)), "nothing is skipped"


def test_an_answer_seen_before_its_receipt_number_is_kept(ledger: Ledger) -> None:
    file = ledger.open_file(DIGEST, "a.DAT", 1)
    (record,) = pending(ledger, file, 1)

    with ledger.step():
        ledger.note_finished([Finished(record, "r1", DONE, "", 1, 99)], 2)
        ledger.note_receipts([(record, "r1")], 3)

    assert state_of(ledger, file, 1) == EntryState.FINISHED


def test_a_step_that_fails_leaves_nothing(ledger: Ledger) -> None:
    file = ledger.open_file(DIGEST, "a.DAT", 1)
    (record,) = pending(ledger, file, 1)

    def fail() -> None:
        with ledger.step():
            ledger.note_receipts([(record, "r1")], 2)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()

    assert state_of(ledger, file, 1) == EntryState.PENDING


def test_a_delivered_answer_needs_no_number_any_more_a_refusal_does(ledger: Ledger) -> None:
    file = ledger.open_file(DIGEST, "a.DAT", 1)
    answered, refused = pending(ledger, file, 1, 2)
    with ledger.step():
        ledger.note_finished([Finished(answered, "r1", DONE, "", 1, 9), Finished(refused, "r2", DONE, "X", 0, 0)], 2)
        ledger.note_delivered([answered, refused], 3)

    entries = ledger.entries(file, 1, 2)

    assert [entries[row].number for row in (1, 2)] == ["", "9" * 15]


def test_asking_again_supersedes_what_is_open_and_keeps_the_reason(ledger: Ledger) -> None:
    file = ledger.open_file(DIGEST, "a.DAT", 1)
    pending(ledger, file, 1)

    again = ledger.ask_again(file, "所得の更正", 2)

    assert again.generation == 1
    assert ledger.open_file(DIGEST, "a.DAT", 3).generation == 1
    (summary,) = ledger.summaries()
    assert (summary.again_reason, summary.states) == ("所得の更正", {EntryState.SUPERSEDED: 1})


@given(st.integers(0, 255), st.integers(1, 99_999_999))
def test_a_record_id_says_its_file_its_generation_and_its_row(generation: int, row: int) -> None:
    record = record_id(file_prefix(DIGEST), generation, row)

    assert read_record_id(record) == (file_prefix(DIGEST), generation, row)
    assert split_key(entry_key(7, generation, row)) == (7, generation, row)
    assert len(record) <= 64
    assert record.isascii()


@pytest.mark.parametrize("record", ["", "r-1", "A" * 20, "A" * 20 + "-x-1", "A" * 20 + "-1-2-3"])
def test_record_ids_of_another_make_are_nobodys(record: str) -> None:
    assert read_record_id(record) is None


def test_record_ids_ascend_within_a_file_and_differ_between_generations() -> None:
    ids = [record_id(file_prefix(DIGEST), generation, row) for generation in (0, 1) for row in (1, 2, 10, 9999)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_news_about_inquiries_of_others_change_nothing(ledger: Ledger) -> None:
    file = ledger.open_file(DIGEST, "a.DAT", 1)
    (record,) = pending(ledger, file, 1)

    with ledger.step():
        changed = ledger.note_finished([Finished(name, "r", DONE, "", 1, 9) for name in ("x-1", record)], 2)

    assert changed == 1
    assert ledger.count([file], EntryState.FINISHED) == 1


def test_rows_of_another_file_are_recognised_while_they_are_open(ledger: Ledger) -> None:
    first = ledger.open_file(DIGEST, "a.DAT", 1)
    records = pending(ledger, first, 1, 2)
    with ledger.step():
        ledger.note_finished([Finished(records[0], "r1", DONE, "", 1, 9)], 2)
        ledger.note_delivered([records[0]], 3)
    second = ledger.open_file("cd" * 32, "b.DAT", 4)

    found = ledger.continue_rows(second, [(1, bytes([2])), (2, bytes([1])), (3, bytes([9]))])

    assert {row: entry.record_id for row, entry in found.items()} == {1: records[1]}
    assert ledger.count([second], EntryState.PENDING) == 1
    assert ledger.records([second], EntryState.PENDING) == [records[1]]
    assert ledger.open_files() == {first.id}


def test_only_undelivered_results_expire(ledger: Ledger) -> None:
    file = ledger.open_file(DIGEST, "a.DAT", 1)
    first, second = pending(ledger, file, 1, 2)
    with ledger.step():
        ledger.note_finished([Finished(first, "r1", DONE, "", 1, 50), Finished(second, "r2", DONE, "", 1, 40)], 2)
        ledger.note_delivered([second], 3)

    assert ledger.expiring(100) == (1, 50)
    assert ledger.expiring(50) == (0, 0)


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"no database at all" * 100)

    with pytest.raises(ChukanError) as caught:
        Ledger(path)

    assert caught.value.code == "CHECKPOINT_UNREADABLE"


def test_the_ledger_is_its_owners_only(tmp_path: Path) -> None:
    Ledger(tmp_path / "state" / "ledger.db").close()

    assert stat.S_IMODE((tmp_path / "state" / "ledger.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with (
        hold_folder(tmp_path, "inquire.lock"),
        pytest.raises(ChukanError) as caught,
        hold_folder(tmp_path, "inquire.lock"),
    ):
        pass

    assert caught.value.code == "RUN_IN_PROGRESS"
    with hold_folder(tmp_path, "inquire.lock"):
        pass
