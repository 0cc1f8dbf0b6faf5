# SPDX-License-Identifier: Apache-2.0
"""What is drilled: faults an operator must notice, the shipped alert that says so, and what may ring beside it.

Times are those of the shipped rules: `notice` is by when the alert must have arrived after the fault, `resolve` by when
it must have gone after the fault did. A drill divides both by its scale and allows some seconds for what doesn't scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from chukan.drill.load import PROVIDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chukan.drill.hands import Hands

__all__ = ["NOT_DRILLED", "SCENARIOS", "Scenario"]

_SCALE: Final = 120.0
"""Five minutes, the shortest that a rule looks back, are then 2.5 s: five scrapes."""
_DAYS_SCALE: Final = 1_440.0
"""A day is a minute. Rules that look back then see too few scrapes to say anything, those that wait for days do."""

_ASK: Final = "chukan.v1.InquiryService/CreateInquiry"
_TAX: Final = "TM00000000000002"
"""Local tax (地方税関係情報): the kind of replicas whose lane is held or stuck."""
_UNTOLD: Final = 40
"""Inquiries left without an answer: so many that those answered meanwhile never make them less than one in twenty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A fault and what must come of it. companions: alerts that may ring too, because the fault explains them."""

    name: str
    english: str
    japanese: str
    alerts: tuple[str, ...]
    notice: timedelta
    resolve: timedelta
    inject: Callable[[Hands], None]
    heal: Callable[[Hands], None]
    companions: frozenset[str] = frozenset()
    kind: str = ""
    """The kind of fault the emulator must know; empty = none."""
    long: bool = False
    """Takes minutes even in a drill, so it is played when it is named only."""
    scale: float = _SCALE
    """How many times faster than shipped it is played at most, and unless told otherwise."""


def _minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def _clear(hands: Hands) -> None:
    hands.clear()


def _hold_lane(hands: Hands) -> None:
    hands.add("STUCK_LANE", information=_TAX)
    hands.send_replicas(_TAX)


def _lower_cap(hands: Hands) -> None:
    hands.add("SEND_CAP", information=_TAX, parameters={"rows": "1"})
    hands.send_replicas(_TAX, 2)


def _open_lane(hands: Hands) -> None:
    hands.clear()
    hands.resume_lane(_TAX)
    hands.send_replicas(_TAX)


def _decide(hands: Hands) -> None:
    hands.decide()
    hands.send_night()


def _let_time_out(hands: Hands) -> None:
    hands.add("PROVIDER_UNREACHABLE", peer=PROVIDER)
    hands.ask(_UNTOLD, time_out=timedelta(seconds=1))


_ALL: Final = (
    # Two that raise the same alert don't follow each other: for half a minute Alertmanager would keep the second back,
    # as one more of the same group.
    Scenario(
        name="unforeseen-error",
        english="one call ends with an error nobody foresaw",
        japanese="1件の呼出しが想定外のエラーで終わる",
        kind="STATUS",
        alerts=("ChukanUnexpectedErrors",),
        notice=_minutes(2),
        resolve=_minutes(25),
        inject=lambda hands: hands.add("STATUS", method=_ASK, parameters={"reason": "INTERNAL_ERROR"}, once=True),
        heal=_clear,
    ),
    Scenario(
        name="stuck-lane",
        english="a lane of replicas is held",
        japanese="副本の送信列が保留される",
        kind="STUCK_LANE",
        alerts=("ChukanLaneHeld",),
        notice=_minutes(18),
        resolve=_minutes(7),
        inject=_hold_lane,
        heal=_open_lane,
    ),
    Scenario(
        name="forged-permits",
        english="permits reach the provider with a signature that is not the network's",
        japanese="提供者に届く提供許可証の署名がネットワークのものでない",
        kind="WRONG_PERMIT_SIGNATURE",
        alerts=("ChukanVerificationFailed",),
        notice=_minutes(2),
        resolve=_minutes(25),
        companions=frozenset({"ChukanUnsentOld"}),
        inject=lambda hands: hands.add("WRONG_PERMIT_SIGNATURE"),
        heal=_clear,
    ),
    Scenario(
        name="failing-calls",
        english="calls end with UNAVAILABLE before anything is done",
        japanese="呼出しが処理前に UNAVAILABLE で終わる",
        kind="STATUS",
        alerts=("ChukanCallsFailFast",),
        notice=_minutes(6),
        resolve=_minutes(15),
        companions=frozenset({"ChukanCallsFailSlow"}),
        inject=lambda hands: hands.add("STATUS", method=_ASK, parameters={"status": "UNAVAILABLE"}),
        heal=_clear,
    ),
    Scenario(
        name="wrong-edition",
        english="replicas are sent in an edition that doesn't exist, and all refused",
        japanese="存在しない版番号で副本を送信し、すべて拒否される",
        alerts=("ChukanLaneStuck",),
        notice=_minutes(68),
        resolve=_minutes(7),
        inject=lambda hands: hands.send_replicas(_TAX, edition="0001"),
        heal=lambda hands: hands.send_replicas(_TAX),
    ),
    Scenario(
        name="send-cap",
        english="more replicas are sent at once than the cap allows",
        japanese="副本を上限を超えて送信する",
        kind="SEND_CAP",
        alerts=("ChukanLaneHeld",),
        notice=_minutes(18),
        resolve=_minutes(7),
        inject=_lower_cap,
        heal=_open_lane,
    ),
    Scenario(
        name="provider-unreachable",
        english="the network can't reach the provider",
        japanese="ネットワークが提供者に到達できない",
        kind="PROVIDER_UNREACHABLE",
        alerts=("ChukanUnsentOld", "ChukanInquiriesOld"),
        notice=_minutes(38),
        resolve=_minutes(10),
        inject=lambda hands: hands.add("PROVIDER_UNREACHABLE", peer=PROVIDER),
        heal=_clear,
    ),
    Scenario(
        name="half-exchange",
        english="answers are recorded by the provider and never reach the inquirer",
        japanese="提供者は回答を記録済みで、照会者に届かない",
        kind="HALF_EXCHANGE",
        alerts=("ChukanHalfExchange",),
        notice=_minutes(18),
        resolve=_minutes(10),
        companions=frozenset({"ChukanUnsentOld", "ChukanInquiriesOld"}),
        inject=lambda hands: hands.add("HALF_EXCHANGE"),
        heal=_clear,
    ),
    Scenario(
        name="time-outs",
        english="inquiries run out because the provider can't be reached",
        japanese="提供者に到達できず、照会が期限切れになる",
        kind="PROVIDER_UNREACHABLE",
        alerts=("ChukanInquiriesTimeOut",),
        notice=_minutes(10),
        resolve=_minutes(70),
        companions=frozenset({"ChukanUnsentOld", "ChukanInquiriesOld"}),
        inject=_let_time_out,
        heal=_clear,
    ),
    Scenario(
        name="overload",
        english="calls are refused because the server is overloaded",
        japanese="過負荷により呼出しが拒否される",
        kind="STATUS",
        alerts=("ChukanOverloaded",),
        notice=_minutes(8),
        resolve=_minutes(15),
        inject=lambda hands: hands.add("STATUS", method=_ASK, parameters={"reason": "OVERLOADED"}),
        heal=_clear,
    ),
    Scenario(
        name="slow-answers",
        english="answers take three seconds longer",
        japanese="応答が3秒遅くなる",
        kind="DELAY",
        alerts=("ChukanCallsSlow",),
        notice=_minutes(18),
        resolve=_minutes(15),
        inject=lambda hands: hands.add("DELAY", method=_ASK, parameters={"delay": "3s"}),
        heal=_clear,
    ),
    Scenario(
        name="lost-answers",
        english="calls are done and their answers don't arrive",
        japanese="処理は完了するが、応答が届かない",
        kind="ANSWER_LOST",
        alerts=("ChukanCallsFailFast",),
        notice=_minutes(6),
        resolve=_minutes(15),
        companions=frozenset({"ChukanCallsFailSlow"}),
        inject=lambda hands: hands.add("ANSWER_LOST", method=_ASK),
        heal=_clear,
    ),
    Scenario(
        name="certificate-expires",
        english="the server's certificate runs out soon",
        japanese="サーバーの証明書の期限が近い",
        alerts=("ChukanCertificateExpires",),
        notice=_minutes(13),
        resolve=_minutes(7),
        inject=lambda hands: hands.let_certificate_expire(),
        heal=lambda hands: hands.restore_certificate(),
    ),
    Scenario(
        name="certificate-unreadable",
        english="the file of the server's certificate is damaged, so its gauge can't be read",
        japanese="サーバーの証明書ファイルが壊れ、計測値を読み取れない",
        alerts=("ChukanTelemetryIncomplete",),
        notice=_minutes(8),
        resolve=_minutes(7),
        inject=lambda hands: hands.damage_certificate(),
        heal=lambda hands: hands.restore_certificate(),
    ),
    Scenario(
        name="approval-waiting",
        english="an inquiry waits for the provider's staff, who don't decide",
        japanese="照会が提供者の職員の判断を待ったまま残る",
        alerts=("ChukanApprovalWaiting",),
        notice=_minutes(52 * 60),
        resolve=_minutes(7),
        # Nobody sends replicas in these two days, either.
        companions=frozenset({"ChukanReplicasAbsent"}),
        long=True,
        scale=_DAYS_SCALE,
        inject=lambda hands: hands.withhold_answers(),
        heal=_decide,
    ),
    Scenario(
        name="replicas-absent",
        english="the nightly replicas don't come any more",
        japanese="毎晩の副本が届かなくなる",
        alerts=("ChukanReplicasAbsent",),
        notice=_minutes(86 * 60),
        resolve=_minutes(7),
        long=True,
        scale=_DAYS_SCALE,
        inject=lambda hands: hands.send_night(),
        heal=lambda hands: hands.send_night(),
    ),
    Scenario(
        name="code-not-submitted",
        english="a processing number is never submitted, so the linkage code doesn't come",
        japanese="処理通番が送信されず、符号が届かない",
        alerts=("ChukanCodesPending",),
        notice=_minutes(4 * 60 + 20),
        resolve=_minutes(7),
        long=True,
        inject=lambda hands: hands.expect_code(),
        heal=lambda hands: hands.submit_number(),
    ),
    Scenario(
        name="server-killed",
        english="the server is killed",
        japanese="サーバーが強制終了する",
        alerts=("ChukanDown",),
        notice=_minutes(3),
        resolve=_minutes(7),
        inject=lambda hands: hands.kill_server(),
        heal=lambda hands: hands.restart_server(),
    ),
)
SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({each.name: each for each in _ALL})

NOT_DRILLED: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "ChukanCallsFailSlow": (
            "rings beside ChukanCallsFailFast; so few failures that it rings alone are too few for a drill's load",
            "ChukanCallsFailFast に伴って鳴ります。単独で鳴る程度の少ない失敗は、訓練の負荷では再現できません",
        ),
    }
)
"""Shipped alerts without a scenario, and why: in English and Japanese. promtool's cases stand for them."""
