# SPDX-License-Identifier: Apache-2.0
"""The kinds of faults, with catalogue numbers: where each strikes, what it takes, what a good client does then."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "Kind", "Phase", "Unit"]

_SENDING: Final = "chukan.v1.ReplicaService/RegisterReplicas"


class Phase(IntEnum):
    """Where it strikes; the numbers are the contract's."""

    BEFORE_HANDLER = 1
    BEFORE_COMMIT = 2
    AFTER_COMMIT = 3
    OUTBOUND = 4


class Unit(IntEnum):
    """What is counted; the numbers are the contract's."""

    CALL = 1
    MESSAGE = 2


class Kind(NamedTuple):
    """A kind of fault: its phases (the first is its own), the calls it can strike, parameters with defaults."""

    number: str
    phases: tuple[Phase, ...]
    parameters: Mapping[str, str]
    methods: tuple[str, ...]
    english: str
    japanese: str
    client_english: str
    client_japanese: str


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "STATUS": Kind(
            "F-001",
            (Phase.BEFORE_HANDLER, Phase.AFTER_COMMIT),
            MappingProxyType({"status": "UNAVAILABLE", "reason": ""}),
            (),
            "the call ends with a status, or with a reason of the table",
            "呼出しを指定したステータス又は理由で終了させます。",
            "tries again where the status allows it, with the same request id",
            "再試行できるステータスでは、同じ要求IDで再試行します。",
        ),
        "ANSWER_LOST": Kind(
            "F-002",
            (Phase.AFTER_COMMIT,),
            MappingProxyType({"status": "UNAVAILABLE"}),
            (),
            "the call is done and its answer doesn't arrive",
            "処理は完了しますが、応答が届きません。",
            "tries again with the same request id and gets the answer kept",
            "同じ要求IDで再試行し、保持された応答を受け取ります。",
        ),
        "DELAY": Kind(
            "F-003",
            (Phase.BEFORE_HANDLER, Phase.AFTER_COMMIT, Phase.OUTBOUND),
            MappingProxyType({"delay": "1s"}),
            (),
            "the call takes so much longer, in real time",
            "呼出しに実時間で指定秒数の遅延を加えます。",
            "has a deadline and keeps to it",
            "締切りを設定し、守ります。",
        ),
        "PROVIDER_UNREACHABLE": Kind(
            "F-004",
            (Phase.OUTBOUND,),
            MappingProxyType({}),
            ("chukan.network.v1.MemberService/*",),
            "the network can't reach a member",
            "ネットワークから団体の中間サーバーに到達できません。",
            "goes on waiting: the inquiry is delivered later or runs out",
            "待機を続けます。照会は後で配信されるか、期限切れになります。",
        ),
        "HALF_EXCHANGE": Kind(
            "F-005",
            (Phase.OUTBOUND,),
            MappingProxyType({}),
            ("chukan.network.v1.MemberService/DeliverAnswers",),
            "the provider has answered and recorded, the inquirer never hears of it",
            "提供側は回答・記録済みですが、照会側に届きません。",
            "reconciles the records of both sides",
            "双方の記録を照合します。",
        ),
        "SEND_CAP": Kind(
            "F-006",
            (Phase.BEFORE_COMMIT,),
            MappingProxyType({"rows": "1000"}),
            (_SENDING,),
            "fewer rows of an information may be sent at once",
            "1回の送信で受け付ける副本の件数を減らします。",
            "sends less at once and resumes the lane that is held",
            "1回の件数を減らし、保留された送信列を再開します。",
        ),
        "STUCK_LANE": Kind(
            "F-007",
            (Phase.BEFORE_COMMIT,),
            MappingProxyType({}),
            (_SENDING,),
            "a lane of replicas takes nothing and is held",
            "副本の送信列が何も受け付けず、保留されます。",
            "goes on with other lanes and tells somebody",
            "他の送信列を続け、担当者に知らせます。",
        ),
        "WRONG_PERMIT_SIGNATURE": Kind(
            "F-008",
            (Phase.OUTBOUND,),
            MappingProxyType({}),
            ("chukan.network.v1.MemberService/DeliverInquiries",),
            "the signature of the permits that reach the provider is not the network's",
            "提供者に届く提供許可証の署名が、ネットワークのものと一致しません。",
            "goes on waiting: the provider answers nothing without a permit",
            "待機を続けます。提供者は許可証なしには回答しません。",
        ),
    }
)
