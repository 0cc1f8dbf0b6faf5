# SPDX-License-Identifier: Apache-2.0
"""A client in another language, written from the committed protos, does the whole exchange."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chukan.standard.layouts import layout
from chukan.standard.numbers import dummy_individual_number

if TYPE_CHECKING:
    from chukan.standard.items import Item

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "node"
TAX = "TM00000000000002"


def sample(item: Item) -> str:
    """Give a value the item accepts."""
    if item.values:
        return item.values[0]
    samples = {"date": "20260601", "year": "2026", "year_month": "202606", "number": "0", "flag": "0"}
    return samples.get(item.type) or ("1" if item.type == "code" else "あ")


@pytest.fixture(scope="module")
def node() -> str:
    """Give node with the client's packages installed, or say why the part is not run."""
    found = shutil.which("node")
    npm = shutil.which("npm")
    if found is None or npm is None:
        if os.environ.get("TESTS_REQUIRE_ALL"):
            pytest.fail("node and npm are required here and were not found")
        pytest.skip("NOT RUN: node and npm (20 or later) were not found")
    if not (CLIENT / "node_modules").is_dir():
        subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=CLIENT, check=True, capture_output=True
        )
    return found


@pytest.fixture(scope="module")
def exchanged(node: str, emulator_address: str) -> dict[str, Any]:
    """Give what the client printed after one whole exchange."""
    data_set = layout(TAX, "0801").data_set("0100")
    items = {item.code: sample(item) for item in data_set.required_items}
    person = {
        "individual_number": dummy_individual_number(77),
        "items": items,
        "edition": "0801",
        "record_key": items.get(data_set.key_item or "", "2026"),
        "period": {"start_date": "20260401", "end_date": "20270331"},
    }
    done = subprocess.run(
        [node, "src/exchange.mjs", emulator_address, json.dumps(person)],
        cwd=CLIENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout) | {"sent": items}
    return result


def test_both_bodies_hold_a_code_of_the_person(exchanged: dict[str, Any]) -> None:
    assert [one["state"] for one in exchanged["links"]] == ["LINKAGE_STATE_LINKED"] * 2
    assert all(not one.get("processing_number") for one in exchanged["links"])


def test_the_answer_holds_every_value_that_was_registered(exchanged: dict[str, Any]) -> None:
    assert exchanged["registered"]["state"] == "IMPORT_STATE_COMPLETED", exchanged["registered"]
    (result,) = exchanged["answered"]["results"]
    (record,) = result["records"]
    assert {item["item_code"]: item["value"] for item in record["items"]} == exchanged["sent"]
    assert (result["status"]["row_status"], result["status"]["information_status"]) == ("09", "01")


def test_the_wrong_affair_is_refused_as_a_business_result(exchanged: dict[str, Any]) -> None:
    inquiry = exchanged["refused"]["inquiry"]
    assert inquiry["state"] == "INQUIRY_STATE_REFUSED"
    assert inquiry["reason"] == "AFFAIR_MISMATCH"


def test_refusals_are_recorded_beside_what_was_provided(exchanged: dict[str, Any]) -> None:
    outcomes = {record["outcome"] for record in exchanged["records"]}
    assert outcomes == {"EXCHANGE_OUTCOME_PROVIDED", "EXCHANGE_OUTCOME_REFUSED"}


def test_a_failed_call_carries_its_stable_reason(exchanged: dict[str, Any]) -> None:
    assert exchanged["failure"] == "ADDRESSEE_UNKNOWN"
