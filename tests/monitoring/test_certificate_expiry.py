# SPDX-License-Identifier: Apache-2.0
"""A certificate that runs out is seen beforehand; one that can't be read is unknown, never far away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.edge.pki import make_development_pki
from chukan.server.app import build
from chukan.server.config import Config
from chukan.standard.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400


def test_the_servers_certificate_and_its_authority_show_when_they_run_out(tmp_path: Path) -> None:
    make_development_pki(tmp_path, ["0220113104101700"], clock=SystemClock())
    files = {"tls_cert": tmp_path / "server.pem", "tls_key": tmp_path / "server.key", "tls_ca": tmp_path / "ca.pem"}
    app = build(Config(control="", metrics="", **files))
    try:
        read = app.metrics.registry.get_sample_value
        now = SystemClock().now().timestamp()
        for kind in ("tls", "tls_authority"):
            until = read("chukan_certificate_expiry_timestamp_seconds", {"kind": kind})
            assert until is not None
            assert until - now > 30 * DAY

        files["tls_cert"].write_text("no certificate")

        assert read("chukan_certificate_expiry_timestamp_seconds", {"kind": "tls"}) is None
        assert read("chukan_unreadable_gauges") == 1
    finally:
        app.stop()


def test_without_tls_there_is_no_certificate_to_run_out() -> None:
    app = build(Config(control="", metrics=""))
    try:
        read = app.metrics.registry.get_sample_value
        assert read("chukan_certificate_expiry_timestamp_seconds", {"kind": "tls"}) is None
        assert read("chukan_unreadable_gauges") == 0
    finally:
        app.stop()
