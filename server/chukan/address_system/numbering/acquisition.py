# SPDX-License-Identifier: Apache-2.0
"""Code acquisition's third step (符号取得): processing numbers go to the resident network with individual numbers.

1 The batch is checked and committed with an outbox row, sealed. 2 The dispatcher adds the individual numbers, which
never lie in the outbox, and submits. 3 The row ends in one write; what the network refuses, the middle server learns
from the network, and the address system counts it. The processing number (処理通番) is kept nowhere else and goes with
the row: nobody may use it beyond the acquisition (番号法21条の2).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from chukan.address_system.domain.outcomes import RowFailure
from chukan.address_system.numbering.conversion import find_people
from chukan.address_system.numbering.guard import refuse_individual_number, rows_with_individual_numbers
from chukan.standard.numbers import is_integrated_address_number, looks_like_individual_number
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.address_system.environment import Actor, Environment
    from chukan.durable import Connection
    from chukan.durable.outbox import Item

__all__ = ["SUBMIT", "Submission", "carry_submissions", "submit"]

SUBMIT: Final = "submit_processing_numbers"
_KEY_BYTES: Final = 16
_LONGEST: Final = 64
_NUMBERS: Final = "integrated_address_numbers"


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of a batch: how many rows, and which were refused."""

    rows: int
    failures: Sequence[RowFailure]


def submit(
    environment: Environment,
    actor: Actor,
    batch_id: str,
    sha256: bytes,
    *,
    numbers: Sequence[str],
    processing_numbers: Sequence[str],
) -> Submission:
    """Commit a batch of processing numbers to be submitted; the same id and content answers as before."""
    organization = actor.organization
    if len(processing_numbers) != len(numbers):
        raise ChukanError("COLUMNS_UNEQUAL", field="processing_numbers")
    refuse_individual_number(environment, organization, batch_id, field="batch_id")
    failures, pairs = _checked(environment, organization, numbers, processing_numbers)
    key = os.urandom(_KEY_BYTES)
    payload = key + environment.vault.seal(organization, "outbox", "payload", key, json.dumps(pairs).encode())
    answer = json.dumps([asdict(failure) for failure in failures]).encode()

    def step(connection: Connection) -> bytes:
        if pairs:
            environment.outbox.add(connection, kind=SUBMIT, organization=organization, payload=payload)
        return answer

    kept, repeated = environment.once(
        actor,
        method="SubmitProcessingNumbers",
        request_id=batch_id,
        body_digest=environment.body_digest(organization, sha256),
        step=step,
    )
    found = [RowFailure(**failure) for failure in json.loads(kept)]
    if not repeated:
        for failure in found:
            environment.metrics.note_refused(failure.reason)
    return Submission(len(numbers), found)


def carry_submissions(environment: Environment, items: Sequence[Item]) -> None:
    """Submit what was promised; a row is done once the network has answered."""
    for item in items:
        environment.tenants.prepare(item.organization)
        key, sealed = item.payload[:_KEY_BYTES], item.payload[_KEY_BYTES:]
        pairs = json.loads(environment.vault.open(item.organization, "outbox", "payload", key, sealed))
        individual = _individual_numbers(environment, item.organization, [person for person, _ in pairs])
        sent = [(individual[person], number) for person, number in pairs if person in individual]
        if len(sent) < len(pairs):
            environment.metrics.note_refused("INDIVIDUAL_NUMBER_MISSING", len(pairs) - len(sent))
        if sent:
            refused = environment.network.submit(
                item.organization, key.hex(), [number for _, number in sent], [number for number, _ in sent]
            )
            for _, reason in refused:
                environment.metrics.note_refused(reason)
        environment.database.write(item.organization, partial(environment.outbox.done, ids=[item.id]))


def _checked(
    environment: Environment, organization: str, numbers: Sequence[str], processing_numbers: Sequence[str]
) -> tuple[list[RowFailure], list[tuple[int, str]]]:
    people = environment.stores.people
    with environment.database.read() as connection:
        found = find_people(environment, connection, organization, numbers)
        known = people.individual_numbers(connection, organization, set(found.values()))
        suspects = set(rows_with_individual_numbers(environment, connection, organization, numbers))
    failures: list[RowFailure] = []
    pairs: list[tuple[int, str]] = []
    for row, (number, processing_number) in enumerate(zip(numbers, processing_numbers, strict=True)):
        person = found.get(number)
        if row in suspects or looks_like_individual_number(number):
            failures.append(RowFailure(row, "INDIVIDUAL_NUMBER_REFUSED", _NUMBERS))
        elif not is_integrated_address_number(number):
            failures.append(RowFailure(row, "NUMBER_MALFORMED", _NUMBERS, "digits=15"))
        elif not processing_number.isalnum() or len(processing_number) > _LONGEST:
            failures.append(RowFailure(row, "PROCESSING_NUMBER_FORMAT", "processing_numbers"))
        elif looks_like_individual_number(processing_number):
            failures.append(RowFailure(row, "INDIVIDUAL_NUMBER_REFUSED", "processing_numbers"))
        elif person is None:
            failures.append(RowFailure(row, "PERSON_UNKNOWN", _NUMBERS))
        elif person not in known:
            failures.append(RowFailure(row, "INDIVIDUAL_NUMBER_MISSING", _NUMBERS))
        else:
            pairs.append((person, processing_number))
    return failures, pairs


def _individual_numbers(environment: Environment, organization: str, ids: Sequence[int]) -> dict[int, str]:
    """Return the individual numbers of people as they are now, of the survivor after a merge."""
    people = environment.stores.people
    with environment.database.read() as connection:
        rows = people.by_ids(connection, organization, ids)
        now = {id_: row.merged_into or id_ for id_, row in rows.items()}
        sealed = people.individual_numbers(connection, organization, set(now.values()))
    opened = people.open_individual_numbers(organization, sealed)
    return {id_: opened[person] for id_, person in now.items() if person in opened}
