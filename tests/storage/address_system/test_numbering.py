# SPDX-License-Identifier: Apache-2.0
"""What the database keeps of numbering: order of numbers, whole batches, tenants, look-ups by index."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy

from chukan.address_system import app
from chukan.address_system.domain.registration import RegistrationBatch
from chukan.address_system.numbering import registration
from chukan.address_system.storage import local_numbers, mismatches, people
from chukan.address_system.storage.look_up import LookUp
from chukan.address_system.storage.schema import metadata
from chukan.durable.statements import Statement
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.address_system.domain.outcomes import RegistrationAnswer
    from chukan.address_system.environment import Actor, Environment


def register(
    environment: Environment, actor: Actor, first: int, count: int = 1, batch_id: str = ""
) -> RegistrationAnswer:
    serials = range(first, first + count)
    batch = RegistrationBatch(
        "01",
        "",
        [f"{serial:015d}" for serial in serials],
        [dummy_individual_number(serial) for serial in serials],
        columns={
            "name": [f"見本　{serial}" for serial in serials],
            "birth_date": [f"19{serial % 90 + 10}0101" for serial in serials],
        },
    )
    return registration.register(environment, actor, batch_id or f"batch-{first}", str(first).encode(), batch)


def test_numbers_follow_each_other_and_are_never_issued_twice(environment: Environment, actor: Actor) -> None:
    first, second = register(environment, actor, 1, 3), register(environment, actor, 4, 2)

    issued = [int(number) for number in (*first.numbers, *second.numbers)]
    assert issued == list(range(700_000_000_000_001, 700_000_000_000_006))


def test_a_write_that_fails_numbers_nobody(
    environment: Environment, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(registration.Matching, "encode", lambda _self: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            register(environment, actor, 1)

    assert register(environment, actor, 1).numbers == ["700000000000001"]


def test_concurrent_batches_of_one_body_never_share_a_number(environment: Environment, actor: Actor) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda first: register(environment, actor, first * 100, 20), range(1, 9)))

    assert len({number for answer in answers for number in answer.numbers}) == 160


def test_concurrent_batches_with_the_same_people_number_them_once(environment: Environment, actor: Actor) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda place: register(environment, actor, 1, 50, f"copy-{place}"), range(4)))

    assert len({tuple(answer.numbers) for answer in answers}) == 1


def test_a_batch_larger_than_a_look_up_is_looked_up_whole(environment: Environment, actor: Actor) -> None:
    first = register(environment, actor, 1, 2_500)

    again = register(environment, actor, 1, 2_500, "again")

    assert set(again.outcomes) == {6}
    assert again.numbers == first.numbers


def test_every_look_up_goes_through_an_index() -> None:
    """A list of rules that broke once: SQLite went through all rows of an organization for each key."""
    with sqlalchemy.create_engine("sqlite://").connect() as connection:
        metadata.create_all(connection)
        raw = connection.connection.driver_connection
        assert raw is not None
        for module in (people, local_numbers, mismatches):
            for name, value in vars(module).items():
                statement = value.statement(16) if isinstance(value, LookUp) else value
                if not isinstance(statement, Statement) or "insert" in type(statement._clause).__name__.lower():
                    continue
                sql = statement._plan(connection.dialect).sql
                plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))]
                assert not [step for step in plan if step.startswith(("SCAN", "USE TEMP"))], (name, plan)
                if isinstance(value, LookUp):
                    assert "organization" not in plan[0], (name, plan)


def test_the_master_key_lies_apart_and_is_its_owners_alone(tmp_path: Path, actor: Actor) -> None:
    system = app.build(network=lambda: pytest.fail("no network is asked"), data=tmp_path / "data")
    system.environment.vault.prepare([actor.organization])
    system.environment.database.close()
    key = tmp_path / "data" / app.MASTER_KEY_FILE

    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.write_text("00" * 32 + "\n")
    with pytest.raises(ChukanError) as caught:
        app.build(network=lambda: pytest.fail("no network is asked"), data=tmp_path / "data")
    assert caught.value.code == "MASTER_KEY_WRONG"
