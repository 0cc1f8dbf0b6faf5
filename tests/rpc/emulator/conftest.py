# SPDX-License-Identifier: Apache-2.0
"""An emulator, and a server of the production profile, for each test file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from builders import SHINJUKU

from chukan.composition.running import CONTROL_TOKEN_FILE, start
from chukan.edge import make_development_pki
from chukan.edge import pki as pki_module
from chukan.edge.tls import channel_credentials
from chukan.server.config import Config
from chukan.standard.clock import SystemClock
from tests.rpc.emulator.stage import (
    Emulator,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    data = tmp_path_factory.mktemp("emulator")
    config = Config(data=data, listen="127.0.0.1:0", control="127.0.0.1:0", metrics="", synchronous="OFF")
    running = start(config)
    token = (data / CONTROL_TOKEN_FILE).read_text("ascii").strip()
    with grpc.insecure_channel(running.listen) as channel, grpc.insecure_channel(running.control) as control:
        yield Emulator(running, channel, control, token)
    running.stop()


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    data = tmp_path_factory.mktemp("production")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pki_module, "DEVELOPMENT_MARK", "An authority")  # development certificates are refused
        pki = make_development_pki(data / "tls", [SHINJUKU], clock=SystemClock())
    config = Config(
        data=data / "data",
        listen="127.0.0.1:0",
        control="127.0.0.1:0",
        metrics="",
        organizations=(SHINJUKU,),
        profile="production",
        tls_cert=pki.server.cert,
        tls_key=pki.server.key,
        tls_ca=pki.server.ca,
    )
    running = start(config)
    credentials = channel_credentials(pki.organizations[SHINJUKU])
    with grpc.secure_channel(running.control, credentials) as control:
        yield Emulator(running, control, control, running.control_token)
    running.stop()
