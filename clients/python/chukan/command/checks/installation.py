# SPDX-License-Identifier: Apache-2.0
"""The machine: Python, packages, text encoding, proxies."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING, Final

from chukan.command.checks.finding import Finding, ok, problem, warning
from chukan.command.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["look_at_installation"]

_OLDEST: Final = (3, 11)
_REQUIREMENT: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?P<range>[^;]*)(?P<marker>;.*)?")
_PROXIES: Final = ("grpc_proxy", "https_proxy", "http_proxy")


def look_at_installation() -> Iterator[Finding]:
    """Yield what is found about the machine this runs on."""
    yield _python()
    yield from _packages()
    yield _encoding()
    yield _proxy()


def _python() -> Finding:
    found = platform.python_version()
    if sys.version_info < _OLDEST:
        return problem(
            "python",
            Text(f"Python {found} is too old", f"Python {found} は古すぎます"),
            Text("install Python 3.11 or later", "Python 3.11 以降をインストールしてください"),
        )
    return ok("python", f"Python {found}", f"Python {found}")


def _packages() -> Iterator[Finding]:
    missing: list[str] = []
    other: list[str] = []
    optional: list[str] = []
    present = 0
    for requirement in requires("chukan") or ():
        match = _REQUIREMENT.match(requirement)
        if match is None or (match["marker"] and 'extra == "people"' not in match["marker"]):
            continue
        try:
            installed = version(match["name"])
        except PackageNotFoundError:
            (optional if match["marker"] else missing).append(match["name"])
            continue
        present += 1
        pinned = match["range"].strip().partition("==")[2]
        if pinned and installed != pinned:
            other.append(f"{match['name']} {installed} (== {pinned})")
    again = Text("install again: python -m pip install chukan", "再インストール: python -m pip install chukan")
    if missing:
        names = ", ".join(missing)
        yield problem("packages", Text(f"packages are missing: {names}", f"パッケージがありません: {names}"), again)
    if other:
        names = ", ".join(other)
        yield problem("packages", Text(f"wrong versions: {names}", f"版が異なります: {names}"), again)
    if not missing and not other:
        yield ok("packages", f"{present} packages as required", f"必要な{present}パッケージがそろっています")
    if optional:
        names = ", ".join(optional)
        yield warning(
            "packages",
            Text(f"not installed, needed for dummy people: {names}", f"ダミー住民に必要なものがありません: {names}"),
            Text("python -m pip install 'chukan[people]'", "python -m pip install 'chukan[people]'"),
        )


def _encoding() -> Finding:
    found = (sys.stdout.encoding or "").lower().replace("_", "-")
    if found in {"utf-8", "utf8", "cp932", "shift-jis"}:
        return ok("encoding", f"output is written in {found}", f"出力の文字コードは {found} です")
    return warning(
        "encoding",
        Text(f"output is written in {found}, which lacks Japanese", f"出力の文字コード {found} は日本語を表せません"),
        Text("set PYTHONUTF8=1", "環境変数 PYTHONUTF8=1 を設定してください"),
    )


def _proxy() -> Finding:
    environment = {name.lower(): value for name, value in os.environ.items()}
    proxy = next((name for name in _PROXIES if environment.get(name)), "")
    excepted = environment.get("no_grpc_proxy") or environment.get("no_proxy", "")
    if proxy and not {"localhost", "127.0.0.1", "*"} & set(re.split(r"[,\s]+", excepted)):
        return warning(
            "proxy",
            Text(f"{proxy} is set, and gRPC would go through it even to this machine", f"{proxy} が設定されています"),
            Text("set no_proxy=localhost,127.0.0.1", "no_proxy=localhost,127.0.0.1 を設定してください"),
        )
    return ok("proxy", "no proxy stands between", "プロキシは経由しません")
