# SPDX-License-Identifier: Apache-2.0
"""Rules of how values are shown: every state has a Japanese word, instants say their zone."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chukan.address.v1 import address_service_pb2 as address
from chukan.command.language import Language
from chukan.command.messages import spoken, state, when, when_written
from chukan.v1 import common_pb2
from chukan.v1 import exchange_record_service_pb2 as record
from chukan.v1 import replica_service_pb2 as replica

SHOWN = {
    "INQUIRY_STATE_": common_pb2.InquiryState,
    "ANSWER_KIND_": common_pb2.AnswerKind,
    "EXCHANGE_OUTCOME_": common_pb2.ExchangeOutcome,
    "RECONCILIATION_STATE_": record.ReconciliationState,
    "REPLICA_STATE_": replica.ReplicaState,
    "LANE_STATE_": replica.LaneState,
    "IMPORT_STATE_": replica.ImportState,
    "RESIDENT_KIND_": address.ResidentKind,
    "RESIDENT_STATE_": address.ResidentState,
    "MISMATCH_KIND_": address.MismatchKind,
}


@pytest.mark.parametrize("prefix", SHOWN)
def test_every_state_that_is_shown_has_a_japanese_word(prefix: str) -> None:
    """In English it is the contract's own name, which --state and --outcome take."""
    enum: Any = SHOWN[prefix]
    names = [name for number in enum.values() if (name := state(enum, number, prefix))]

    assert names
    assert not [name for name in names if spoken(name, Language.JA).isascii()]
    assert [spoken(name, Language.EN) for name in names] == names


def test_instants_say_that_they_are_in_japanese_time() -> None:
    assert when(Timestamp(seconds=1_764_374_400)) == "2025-11-29 09:00:00 JST"
    assert when_written("2025-11-29T00:00:00Z") == "2025-11-29 09:00:00 JST"
