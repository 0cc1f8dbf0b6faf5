# SPDX-License-Identifier: Apache-2.0
"""The vault: a value opens where it was sealed and nowhere else, with the right master key and no other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chukan.durable import Database, Vault, load_master_key
from chukan.standard.reasons import ChukanError

from .conftest import BODY, OTHER

if TYPE_CHECKING:
    from collections.abc import Callable

MASTER = bytes(range(32))
PLACE = ("replica", "content")


@pytest.fixture
def vault(database: Database) -> Vault:
    return Vault(MASTER, database)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plaintext=st.binary(max_size=600), row=st.one_of(st.integers(), st.text(), st.binary()))
def test_what_is_sealed_opens_in_its_place(vault: Vault, plaintext: bytes, row: int | str | bytes) -> None:
    sealed = vault.seal(BODY, *PLACE, row, plaintext)

    assert vault.open(BODY, *PLACE, row, sealed) == plaintext
    assert len(sealed) == len(plaintext) + 29


def test_columns_seal_and_open_like_single_values(vault: Vault) -> None:
    rows, values = list(range(100)), [bytes([number]) * number for number in range(100)]

    sealed = vault.seal_many(BODY, *PLACE, rows, values)

    assert vault.open_many(BODY, *PLACE, rows, sealed) == values
    assert [vault.open(BODY, *PLACE, row, value) for row, value in zip(rows, sealed, strict=True)] == values
    assert vault.seal_many(BODY, *PLACE, [], []) == vault.open_many(BODY, *PLACE, [], []) == []
    named = vault.seal_many(BODY, *PLACE, ["a", b"a"], [b"1", b"2"])
    assert vault.open_many(BODY, *PLACE, ["a", b"a"], named) == [b"1", b"2"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        (OTHER, "replica", "content", 1),
        (BODY, "replicas", "content", 1),
        (BODY, "replica", "contents", 1),
        (BODY, "replica", "content", 2),
        (BODY, "replica", "content", "1"),
        (BODY, "replica", "content", b"1"),
    ],
)
def test_a_value_moved_to_another_place_does_not_open(vault: Vault, elsewhere: tuple[str, str, str, int]) -> None:
    sealed = vault.seal(BODY, *PLACE, 1, b"value")

    with pytest.raises(ChukanError, match="VAULT_UNREADABLE"):
        vault.open(*elsewhere, sealed)
    with pytest.raises(ChukanError, match="VAULT_UNREADABLE"):
        vault.open_many(*elsewhere[:3], [elsewhere[3]], [sealed])


def test_a_changed_or_shortened_value_does_not_open(vault: Vault) -> None:
    sealed = vault.seal(BODY, *PLACE, 1, b"value")
    changed = [sealed[:n] + bytes([sealed[n] ^ 1]) + sealed[n + 1 :] for n in range(len(sealed))]

    for broken in [*changed, *(sealed[:n] for n in range(len(sealed))), sealed + b"\0"]:
        with pytest.raises(ChukanError, match="VAULT_UNREADABLE"):
            vault.open(BODY, *PLACE, 1, broken)
        with pytest.raises(ChukanError, match="VAULT_UNREADABLE"):
            vault.open_many(BODY, *PLACE, [0, 1], [vault.seal(BODY, *PLACE, 0, b"fine"), broken])


def test_the_same_value_never_looks_the_same(vault: Vault) -> None:
    assert len({vault.seal(BODY, *PLACE, 1, b"value") for _ in range(100)}) == 100


def test_a_wrong_master_key_is_refused_with_its_reason(vault: Vault, database: Database) -> None:
    vault.prepare([BODY])

    with pytest.raises(ChukanError, match="MASTER_KEY_WRONG"):
        Vault(bytes(32), database)


def test_values_open_after_a_restart(open_database: Callable[..., Database], file_url: str) -> None:
    first = open_database(file_url)
    vault = Vault(MASTER, first)
    sealed = vault.seal(BODY, *PLACE, 1, b"value")
    digest = vault.index_digest(BODY, "number", "1")
    first.close()

    again = Vault(MASTER, open_database(file_url))

    assert again.open(BODY, *PLACE, 1, sealed) == b"value"
    assert again.index_digest(BODY, "number", "1") == digest


def test_after_rotation_old_values_open_and_new_ones_use_the_new_key(vault: Vault, database: Database) -> None:
    old = vault.seal(BODY, *PLACE, 1, b"old")

    number = vault.rotate_data_key(BODY)
    new = vault.seal(BODY, *PLACE, 2, b"new")

    assert (old[0], new[0], number) == (1, 2, 2)
    for holder in (vault, Vault(MASTER, database)):
        assert holder.open_many(BODY, *PLACE, [1, 2], [old, new]) == [b"old", b"new"]
    with pytest.raises(ChukanError, match="VAULT_UNREADABLE"):
        vault.open(BODY, *PLACE, 1, bytes([2]) + old[1:])


def test_a_data_key_that_sealed_often_is_due_for_rotation(vault: Vault, database: Database) -> None:
    """Seals are counted in blocks ahead of use, so a crash never counts too few."""
    vault.seal(BODY, *PLACE, 1, b"value")
    database.write(BODY, lambda _: None)

    assert vault.due_for_rotation(1 << 20) == [BODY]
    assert vault.due_for_rotation() == []


def test_digests_differ_by_organization_kind_and_value(vault: Vault) -> None:
    digests = {
        vault.index_digest(organization, kind, value)
        for organization in (BODY, OTHER)
        for kind in ("number", "code")
        for value in ("1", "2")
    }

    assert len(digests) == 8
    assert vault.index_digest_many(BODY, "code", ["1", "2"]) == [
        vault.index_digest(BODY, "code", "1"),
        vault.index_digest(BODY, "code", "2"),
    ]


def test_while_the_index_key_is_replaced_both_digests_are_given(vault: Vault) -> None:
    (old,) = vault.index_digests(BODY, "number", "1")

    vault.begin_index_rotation(BODY)
    both = vault.index_digests(BODY, "number", "1")
    with pytest.raises(ChukanError, match="STATE_NOT_ALLOWED"):
        vault.begin_index_rotation(BODY)
    vault.finish_index_rotation(BODY)

    assert both[0] == old
    assert vault.index_digests(BODY, "number", "1") == (both[1],)
    with pytest.raises(ChukanError, match="STATE_NOT_ALLOWED"):
        vault.finish_index_rotation(BODY)


def test_no_key_lies_in_the_database_unwrapped(open_database: Callable[..., Database], file_url: str) -> None:
    database = open_database(file_url)
    vault = Vault(MASTER, database)
    sealed = vault.seal(BODY, *PLACE, 1, b"a secret that must not be found")
    database.write(BODY, lambda connection: connection.exec_driver_sql("SELECT 1"))
    keys = [stored.key for stored in vault._store.ensure(BODY)]
    database.close()

    content = b"".join(file.read_bytes() for file in Path(file_url.removeprefix("sqlite:///")).parent.iterdir())

    assert sealed not in content
    assert all(key not in content for key in [MASTER, *keys])


def test_the_master_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "master.key"

    key = load_master_key(path, create=True)

    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_master_key(path, create=True) == key
    path.chmod(0o640)
    with pytest.raises(ChukanError, match="mode 0600"):
        load_master_key(path)


@pytest.mark.parametrize("content", ["", "00", "zz" * 32, "00" * 33, "鍵"])
def test_a_master_key_file_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "master.key"
    with pytest.raises(ChukanError, match="KEY_FILE_REFUSED"):
        load_master_key(path)
    path.touch(0o600)
    path.write_text(content, encoding="utf-8")

    with pytest.raises(ChukanError, match="KEY_FILE_REFUSED"):
        load_master_key(path)
