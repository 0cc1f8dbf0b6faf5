# SPDX-License-Identifier: Apache-2.0
"""What a lane remembers: only changes come through, nothing is lost by a crash, nothing of the content is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chukan.adapter.sync.memory import Memory
from chukan.standard.ids import SeededIds
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

from contextlib import contextmanager

SALT = b"mapping"
IDS = SeededIds(1)


@contextmanager
def opened(path: Path) -> Iterator[Memory]:
    memory = Memory(path, secret=b"k" * 32, ids=IDS)
    try:
        yield memory
    finally:
        memory.close()


def rows_of(memory: Memory, records: Iterable[tuple[str, str]]) -> tuple[list[bytes], list[bytes]]:
    """Return the keys and row digests of (key, content) records."""
    pairs = list(records)
    return (
        memory.key_digests(key for key, _ in pairs),
        memory.row_digests((f"{key},{content}".encode() for key, content in pairs), SALT),
    )


def remember(path: Path, records: Iterable[tuple[str, str]]) -> None:
    with opened(path) as memory:
        memory.acknowledge(*rows_of(memory, records))
        memory.commit()


def changed(memory: Memory, records: list[tuple[str, str]]) -> tuple[list[str], set[bytes]]:
    """Go through records as a lane does; return the keys of those to be sent, and the vanished keys."""
    memory.begin()
    keys, digests = rows_of(memory, records)
    fresh = memory.unmatched(digests)
    known = memory.known([keys[row] for row in fresh])
    sent = []
    for row in fresh:
        held = known.get(keys[row])
        if held is not None:
            memory.see(held[0])
        if held is None or held[1] != digests[row]:
            sent.append(records[row][0])
    return sent, set(memory.vanished())


FILE = [(f"k{number}", f"v{number}") for number in range(50)]


def test_a_file_that_did_not_change_sends_nothing(tmp_path: Path) -> None:
    remember(tmp_path / "m.db", FILE)

    with opened(tmp_path / "m.db") as memory:
        assert changed(memory, FILE) == ([], set())


def test_only_what_changed_or_is_new_is_sent_and_what_vanished_is_known(tmp_path: Path) -> None:
    remember(tmp_path / "m.db", FILE)
    after = [*FILE[:10], ("k10", "other"), *FILE[11:20], ("new", "row"), *FILE[21:]]

    with opened(tmp_path / "m.db") as memory:
        assert changed(memory, after) == (["k10", "new"], set(memory.key_digests(["k20"])))


def test_a_row_that_goes_back_to_what_it_was_is_a_change_too(tmp_path: Path) -> None:
    remember(tmp_path / "m.db", [("k", "a")])
    remember(tmp_path / "m.db", [("k", "b")])

    with opened(tmp_path / "m.db") as memory:
        assert changed(memory, [("k", "a")])[0] == ["k"]


RECORDS = st.dictionaries(st.sampled_from([f"k{number}" for number in range(12)]), st.sampled_from("abc"), max_size=12)


@settings(max_examples=25, deadline=None)
@given(before=RECORDS, after=RECORDS, seed=st.randoms(use_true_random=False))
def test_whatever_happened_to_a_file_exactly_the_differences_come_through(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, str], after: dict[str, str], seed: object
) -> None:
    path = tmp_path_factory.mktemp("memory") / "m.db"
    remember(path, before.items())
    records = list(after.items())
    seed.shuffle(records)  # type: ignore[attr-defined]  # the order of a file means nothing

    with opened(path) as memory:
        sent, vanished = changed(memory, records)

        assert set(sent) == {key for key, content in after.items() if before.get(key) != content}
        assert len(sent) == len(set(sent))
        assert vanished == set(memory.key_digests(before.keys() - after.keys()))


def test_rows_are_met_in_order_even_when_many_were_put_before_or_taken_away(tmp_path: Path) -> None:
    many = [(f"k{number}", "v") for number in range(3_000)]
    remember(tmp_path / "m.db", many)
    after = [*((f"n{number}", "v") for number in range(500)), *many[700:]]

    with opened(tmp_path / "m.db") as memory:
        memory.begin()
        _, digests = rows_of(memory, after)
        fresh = [
            row
            for start in range(0, len(after), 100)
            for row in map(start.__add__, memory.unmatched(digests[start : start + 100]))
        ]

    assert fresh == list(range(500))


def test_a_run_after_a_crash_sends_the_same_rows_under_the_same_record_numbers(tmp_path: Path) -> None:
    with opened(tmp_path / "m.db") as memory:
        keys, digests = rows_of(memory, FILE[:4])
        _, first = memory.reserve(keys[:2], digests[:2])
        note, acknowledged = memory.reserve(keys[2:], digests[2:])
        memory.acknowledge(keys[2:], digests[2:], note)
        memory.commit()
    prefix = memory.prefix

    with opened(tmp_path / "m.db") as memory:
        changed_content = memory.row_digests([b"k1,other"], SALT)
        again = memory.reserve(keys[:1], digests[:1])[1]
        other = memory.reserve(keys[1:2], changed_content)[1]

        assert (first, acknowledged) == ([1, 2], [3, 4])
        assert again == first[:1]
        assert other[0] > 4
        assert memory.prefix == prefix


def test_a_note_that_was_not_committed_is_not_there_after_a_crash(tmp_path: Path) -> None:
    with opened(tmp_path / "m.db") as memory:
        keys, digests = rows_of(memory, FILE[:2])
        memory.acknowledge(keys, digests)

    with opened(tmp_path / "m.db") as memory:
        assert memory.begin() == 0


def test_a_memory_is_used_by_one_run_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path / "m.db"), pytest.raises(ChukanError) as raised:
        Memory(tmp_path / "m.db", secret=b"k" * 32, ids=IDS)

    assert raised.value.code == "RUN_IN_PROGRESS"


def test_a_damaged_memory_is_told_apart_from_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "m.db").write_bytes(b"this is not a database, " * 100)

    with pytest.raises(ChukanError) as raised:
        Memory(tmp_path / "m.db", secret=b"k" * 32, ids=IDS)

    assert raised.value.code == "CHECKPOINT_UNREADABLE"


def test_a_memory_that_cannot_be_opened_is_not_one_in_use(tmp_path: Path) -> None:
    (tmp_path / "lane.db").mkdir()

    with pytest.raises(ChukanError) as raised:
        Memory(tmp_path / "lane.db", secret=b"k" * 32, ids=IDS)

    assert raised.value.code == "FILE_UNUSABLE"


def test_nothing_of_a_row_or_key_stands_in_the_memory(tmp_path: Path) -> None:
    remember(tmp_path / "m.db", [("000001040000001", "secretincome")])

    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"000001040000001" not in held
    assert b"secretincome" not in held
    assert (tmp_path / "m.db").stat().st_mode & 0o077 == 0


def test_memories_made_in_the_same_moment_number_their_records_apart(tmp_path: Path) -> None:
    prefixes = set()
    for number in range(20):
        with opened(tmp_path / f"{number}.db") as memory:
            prefixes.add(memory.prefix)

    assert len(prefixes) == 20


def test_a_memory_keeps_its_name_and_its_next_number(tmp_path: Path) -> None:
    with opened(tmp_path / "m.db") as memory:
        keys, digests = rows_of(memory, FILE[:3])
        memory.reserve(keys, digests)
        memory.finish()

    with opened(tmp_path / "m.db") as memory:
        assert memory.reserve(keys[:1], digests[:1])[1] == [4]
