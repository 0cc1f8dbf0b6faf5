# SPDX-License-Identifier: Apache-2.0
"""A dummy population's files, numbered: as many people as the manifest says, and nothing more on a second run."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

from chukan.address.v1 import address_service_pb2 as pb
from chukan.people import writing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rpc.address_system.body import RunningSystem

KINDS = {"日本人": 1, "外国人": 2, "住登外": 3}
STATES = {"住民": 1, "転出予定": 2, "転出": 3, "死亡": 4, "職権消除": 5}


def residents(path: Path, batch_id: str) -> pb.RegisterPeopleRequest:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def column(name: str) -> list[str]:
        return [row[name] for row in rows]

    return pb.RegisterPeopleRequest(
        batch_id=batch_id,
        number_system="01",
        local_address_numbers=column("宛名番号"),
        household_numbers=column("世帯番号"),
        individual_numbers=column("個人番号"),
        kana_names=column("カナ氏名"),
        names=column("漢字氏名"),
        aliases=column("通称"),
        former_names=column("旧氏"),
        birth_dates=column("生年月日"),
        sexes=column("性別"),
        resident_kinds=[KINDS[kind] for kind in column("住民種別")],
        resident_states=[STATES[state] for state in column("住民状態")],
        residential_addresses=column("住所"),
        buildings=column("方書"),
        movement_dates=column("異動日"),
        movement_reasons=column("異動事由コード"),
        former_local_address_numbers=column("旧宛名番号"),
    )


def outcomes(response: Any) -> Counter[str]:
    return Counter(pb.LinkOutcome.Name(outcome).removeprefix("LINK_OUTCOME_") for outcome in response.outcomes)


def test_as_many_people_are_numbered_as_there_are(fresh: RunningSystem, tmp_path: Path) -> None:
    manifest = writing.write(
        tmp_path, municipality="131041", count=1500, seed=7, reference_date=date(2026, 4, 1), movers=0
    )
    body = fresh.body()

    first, second = (
        next(body.stub.RegisterPeople(iter([residents(tmp_path / "residents.csv", name)]), metadata=body.metadata))
        for name in ("first", "second")
    )

    followed = manifest.cases["return_second_number"] + manifest.cases["naturalisation"]
    assert outcomes(first) == {"NUMBERED": manifest.people, "LINKED_WITH_UPDATE": followed}
    assert outcomes(second) == {"UNCHANGED": manifest.records}
    assert first.integrated_address_numbers == second.integrated_address_numbers
    assert len(first.unnumbered_rows) == manifest.cases["without_individual_number"]
