# SPDX-License-Identifier: Apache-2.0
"""A running server: reachable, ready, its components, its clock, its lists; ports that are free or not; /metrics."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.request import urlopen

from chukan.command.checks.finding import Finding, ok, problem, warning
from chukan.command.language import Text
from chukan.command.messages import state
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chukan.client import Client
    from chukan.command.session import Session
    from chukan.v1.operation_service_pb2 import GetStatusResponse

__all__ = ["look_at_metrics", "look_at_port", "look_at_server"]

_SKEW_WARNING: Final = 2.0
_SKEW_PROBLEM: Final = 60.0
"""The exchange's statements count within ±60 s."""
_SECONDS: Final = 3.0
_HEALTHY: Final = ("OK", "CLOSED")


def look_at_server(session: Session, *, expected: bool, organization: bool) -> Iterator[Finding]:
    """Yield what is found about the server; expected: it was named, so its absence is a problem."""
    target = session.called.target
    try:
        with session.client() as client:
            yield ok("server", f"{target} takes connections", f"{target} に接続できます")
            yield _health(client)
            if organization:
                yield from _status(client)
    except ChukanError as error:
        yield _failed(error, target, expected=expected)


def _failed(error: ChukanError, target: str, *, expected: bool) -> Finding:
    if error.code == "PEER_UNREACHABLE":
        says = Text(f"nothing answers at {target}", f"{target} に応答がありません")
        todo = Text(
            "start `chukan serve --data DIR`, or check address, TLS and firewall",
            "chukan serve --data DIR を起動するか、アドレス、TLS、ファイアウォールを確認してください",
        )
        return problem("server", says, todo) if expected else warning("server", says, todo)
    reason = error.reason
    return problem(
        "server",
        Text(f"{reason.english} ({error.code})", f"{reason.japanese}({error.code})"),
        Text(reason.action_english, reason.action_japanese),
    )


def _health(client: Client) -> Finding:
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

    if client.health.Check(HealthCheckRequest()).status == HealthCheckResponse.SERVING:
        return ok("ready", "the server says it is ready", "サーバーは稼働中です")
    return problem(
        "ready",
        Text("the server says it is not ready", "サーバーは稼働していないと応答しています"),
        Text("wait for its start to end; look at its output", "起動を待つか、サーバーの出力を確認してください"),
    )


def _status(client: Client) -> Iterator[Finding]:
    from chukan.v1.operation_service_pb2 import GetStatusRequest

    before = datetime.now(UTC)
    found = client.operation.GetStatus(GetStatusRequest())
    after = datetime.now(UTC)
    yield _skew(found, before, after)
    yield from _components(found)
    yield from _lists(found)


def _skew(found: GetStatusResponse, before: datetime, after: datetime) -> Finding:
    server = found.server_time.ToDatetime(tzinfo=UTC)
    seconds = max((before - server).total_seconds(), (server - after).total_seconds(), 0.0)
    todo = Text("set both clocks by NTP", "両方の時計をNTPで合わせてください")
    if seconds > _SKEW_PROBLEM:
        says = Text(f"the clocks differ by {seconds:.0f} s", f"時計が {seconds:.0f} 秒ずれています")
        return problem("clock", says, todo)
    if seconds > _SKEW_WARNING:
        says = Text(f"the clocks differ by {seconds:.1f} s", f"時計が {seconds:.1f} 秒ずれています")
        return warning("clock", says, todo)
    return ok("clock", "the clocks agree", "時計は合っています")


def _components(found: GetStatusResponse) -> Iterator[Finding]:
    from chukan.v1.operation_service_pb2 import HealthState

    for each in found.components:
        now = state(HealthState, each.state, "HEALTH_STATE_")
        if now in _HEALTHY:
            yield ok(f"server's {each.component}", now, now)
        else:
            says = Text(f"{each.component}: {each.message or now}", f"{each.component}: {each.message_ja or now}")
            todo = Text(f"see `chukan reasons {each.reason}`", f"chukan reasons {each.reason} を参照してください")
            yield problem(f"server's {each.component}", says, todo)


def _lists(found: GetStatusResponse) -> Iterator[Finding]:
    from chukan.standard.permission_list import permission_list

    ours, theirs = permission_list().version, found.permission_list_version
    if theirs and theirs != ours:
        yield warning(
            "permission list",
            Text(f"the server has version {theirs}, this installation {ours}", f"サーバー {theirs}、この端末 {ours}"),
            Text("install the same version of Chukan on both", "同じ版の Chukan をインストールしてください"),
        )
    elif theirs:
        yield ok("permission list", f"version {theirs}", f"版 {theirs}")


def look_at_port(check: str, address: str) -> Finding:
    """Say whether a server could listen at an address."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        return problem(
            check,
            Text(f"{address} is not host:port", f"{address} は host:port の形ではありません"),
            Text("write it like 127.0.0.1:50051", "127.0.0.1:50051 のように指定してください"),
        )
    try:
        with socket.create_server((host.strip("[]"), int(port))):
            return ok(check, f"{address} is free", f"{address} は空いています")
    except OSError as error:
        return problem(
            check,
            Text(f"can't listen on {address}: {error.strerror}", f"{address} で待ち受けられません: {error.strerror}"),
            Text(
                "stop what uses it, or give another address", "使用中のものを止めるか、別のアドレスを指定してください"
            ),
        )


def look_at_metrics(address: str, *, expected: bool) -> Finding:
    """Say whether /metrics answers."""
    url = address if address.startswith("http") else f"http://{address}/metrics"
    try:
        with urlopen(url, timeout=_SECONDS) as response:  # noqa: S310  # an address the user gave, http only
            text = response.read().decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        cause = getattr(error, "reason", error)
        says = Text(f"{url} doesn't answer: {cause}", f"{url} に応答がありません: {cause}")
        todo = Text("give serve --metrics ADDR; it is loopback only", "serve に --metrics を指定してください")
        return problem("metrics", says, todo) if expected else warning("metrics", says, todo)
    if "grpc_server_started_total" not in text:
        says = Text(f"{url} answers, but is not a Chukan server's", f"{url} は Chukan のメトリクスではありません")
        return problem("metrics", says, Text("check the address", "アドレスを確認してください"))
    return ok("metrics", f"{url} answers", f"{url} は応答しています")
