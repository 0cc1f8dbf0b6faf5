# SPDX-License-Identifier: Apache-2.0
"""People merged in the address system are merged at the middle server by the next load."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from chukan_adapter_load import Body, people

from chukan.address.v1 import address_service_pb2 as address
from chukan.v1 import common_pb2 as common
from chukan.v1 import linkage_code_service_pb2 as linkage

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.client import Client


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, target: str) -> Body:
    """Load the people of a town."""
    folder = people(tmp_path_factory.mktemp("chiyoda"), "131016", count=30)
    body = Body("131016", folder, tmp_path_factory.mktemp("state"), target)
    body.load(extracts=None)
    return body


def linked(client: Client) -> str:
    """Return the number of somebody who has a code."""
    request = linkage.ListLinkageStatesRequest(states=[linkage.LINKAGE_STATE_LINKED])
    return client.linkage_codes.ListLinkageStates(request).linkage_statuses[-1].integrated_address_number


def somebody_else(client: Client, local: str) -> str:
    """Register somebody without an individual number."""
    request = address.RegisterPeopleRequest(
        batch_id=f"other {local}",
        number_system="02",
        business_id="010",
        local_address_numbers=[local],
        names=[f"別名　{local}"],
        birth_dates=["19010101"],
        resident_kinds=[address.RESIDENT_KIND_NON_RESIDENT],
    )
    (answer,) = client.address.RegisterPeople(iter([request]))
    return answer.integrated_address_numbers[0]


def merge(client: Client, gone: str, stays: str) -> None:
    client.address.MergePeople(
        address.MergePeopleRequest(merged_integrated_address_number=gone, surviving_integrated_address_number=stays)
    )


def addressee(client: Client, number: str) -> linkage.Addressee:
    request = linkage.GetAddresseeRequest(integrated_address_number=number)
    return client.linkage_codes.GetAddressee(request).addressee


def test_the_code_follows_the_person_to_the_number_that_stays(town: Body) -> None:
    """Business numbers convert to the survivor from the merge on, so an inquiry must find the code there."""
    with town.client() as client:
        gone = linked(client)
        stays = somebody_else(client, "000008888888881")
        merge(client, gone, stays)

    report, again = town.load(extracts=None), town.load(extracts=None)

    with town.client() as client:
        ended, survivor = addressee(client, gone), addressee(client, stays)
    assert (report.codes.merged_addressees, again.codes.merged_addressees) == (1, 0)
    assert report.complete
    assert ended.state == linkage.ADDRESSEE_STATE_MERGED
    assert survivor.linkage_state == linkage.LINKAGE_STATE_LINKED


def test_merges_that_followed_each_other_end_at_the_last_survivor(town: Body) -> None:
    with town.client() as client:
        gone = linked(client)
        first, last = somebody_else(client, "000008888888882"), somebody_else(client, "000008888888883")
        merge(client, gone, first)
        merge(client, first, last)

    town.load(extracts=None)

    with town.client() as client:
        assert addressee(client, last).linkage_state == linkage.LINKAGE_STATE_LINKED


def test_a_merge_of_people_the_middle_server_does_not_know_is_no_matter(town: Body) -> None:
    with town.client() as client:
        merge(client, somebody_else(client, "000008888888884"), somebody_else(client, "000008888888885"))

    assert town.load(extracts=None).complete


def test_flags_set_at_the_middle_server_outlive_a_load_that_does_not_mention_them(town: Body) -> None:
    """自動応答不可 stands in no extract: a load must not take it down, nor open who was closed."""
    taxes = "TM00000000000002"
    with town.client() as client:
        number = linked(client)
        entries = [linkage.AutoResponseDisabledRows(information_code=taxes, rows=[0])]
        request = linkage.RegisterAddresseesRequest(
            batch_id="flags",
            integrated_address_numbers=[number],
            self_information_disabled_rows=common.RowSet(rows=[0]),
            auto_response_disabled=linkage.AutoResponseDisabledSet(entries=entries),
        )
        list(client.linkage_codes.RegisterAddressees(iter([request])))
        folder = town.folder / "without_flags"
        folder.mkdir()
        source = (town.folder / "residents.csv").read_text("utf-8").splitlines()
        places = [place for place, name in enumerate(source[0].split(",")) if name != "自己情報提供不可"]
        cut = [",".join(line.split(",")[place] for place in places) for line in source]
        (folder / "residents.csv").write_text("\n".join(cut) + "\n", "utf-8")

    report = town.load(people=(folder,), extracts=None, mappings=_mapping_without_flag(folder))

    with town.client() as client:
        after = addressee(client, number)
    assert report.lanes[0].sent == report.lanes[0].rows > 0
    assert list(after.auto_response_disabled_information_codes) == [taxes]
    assert after.self_information_disabled


def _mapping_without_flag(folder: Path) -> Path:
    """Write the shipped mapping of residents without a column the extract does not have."""
    data = (files("chukan.adapter.mapping") / "data" / "residents.toml").read_text("utf-8")
    kept = [line for line in data.splitlines() if not line.startswith("self_information_disabled")]
    (folder / "residents.toml").write_text("\n".join(kept) + "\n", "utf-8")
    return folder
