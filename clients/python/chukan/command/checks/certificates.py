# SPDX-License-Identifier: Apache-2.0
"""The folder given with --tls: what is there, until when it counts, who may read its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.command.checks.directory import loose_keys
from chukan.command.checks.finding import Finding, ok, problem, warning
from chukan.command.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from cryptography.x509 import Certificate

__all__ = ["look_at_certificates"]

_SOON_DAYS: Final = 30
_RENEW: Final = Text("renew the certificate", "証明書を更新してください")
_DEVELOPMENT: Final = "CHUKAN DEVELOPMENT"


def look_at_certificates(folder: Path, *, organization: str, now: datetime) -> Iterator[Finding]:
    """Yield what is found about the certificates; organization: 16 digits, whose files must be there, or empty."""
    wanted = ["ca.pem", *([f"{organization}.pem", f"{organization}.key"] if organization else [])]
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        names = ", ".join(missing)
        yield problem(
            "certificates",
            Text(f"{folder} lacks {names}", f"{folder} に {names} がありません"),
            Text("`chukan serve --tls DIR` makes a development CA there", "chukan serve --tls DIR で作成できます"),
        )
        return
    for path in sorted(folder.glob("*.pem")):
        yield from _certificate(path, now)
    if loose := loose_keys(folder):
        names = ", ".join(path.name for path in loose[:5])
        yield problem(
            "keys",
            Text(f"others can read keys: {names}", f"他のユーザーが鍵を読めます: {names}"),
            Text("chmod 600 these files", "chmod 600 としてください"),
        )


def _certificate(path: Path, now: datetime) -> Iterator[Finding]:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        yield problem(
            "certificates", Text(f"{path} is not a PEM certificate", f"{path} は証明書ではありません"), _RENEW
        )
        return
    yield _dates(path, found, now)
    if path.name == "ca.pem" and _DEVELOPMENT in found.subject.rfc4514_string():
        yield ok(
            "certificates",
            "the authority is the development CA: for trying only",
            "認証局は開発用です(試験以外には使えません)",
        )


def _dates(path: Path, found: Certificate, now: datetime) -> Finding:
    first, last = found.not_valid_before_utc, found.not_valid_after_utc
    if now < first:
        says = Text(
            f"{path.name} counts only from {first:%Y-%m-%d %H:%M} UTC on",
            f"{path.name} は {first:%Y-%m-%d %H:%M} UTC から有効です",
        )
        return problem("certificates", says, Text("check this machine's clock", "この端末の時計を確認してください"))
    if now > last:
        says = Text(f"{path.name} ended on {last:%Y-%m-%d}", f"{path.name} は {last:%Y-%m-%d} に期限が切れました")
        return problem("certificates", says, _RENEW)
    if (last - now).days < _SOON_DAYS:
        says = Text(f"{path.name} ends on {last:%Y-%m-%d}", f"{path.name} の期限は {last:%Y-%m-%d} です")
        return warning("certificates", says, _RENEW)
    return ok(
        "certificates", f"{path.name} counts until {last:%Y-%m-%d}", f"{path.name} は {last:%Y-%m-%d} まで有効です"
    )
