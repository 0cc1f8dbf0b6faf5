# SPDX-License-Identifier: Apache-2.0
"""A bare gRPC server over mutual TLS that moves bytes: generic handlers, no message types, no interceptors."""

from __future__ import annotations

import json
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import grpc

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SERVICE: Final = "floor.Floor"
_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", 16 << 20),
)


def serve(handlers: Mapping[str, grpc.RpcMethodHandler], *, tls: Path | None, ready_file: Path, threads: int) -> None:
    """Serve until SIGTERM; the ready file says where."""
    server = grpc.server(
        ThreadPoolExecutor(threads),
        handlers=[grpc.method_handlers_generic_handler(SERVICE, handlers)],
        options=_OPTIONS,
    )
    if tls is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        pair = ((tls / "server.key").read_bytes(), (tls / "server.pem").read_bytes())
        credentials = grpc.ssl_server_credentials([pair], (tls / "ca.pem").read_bytes(), require_client_auth=True)
        port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    partial = ready_file.with_suffix(".partial")
    partial.write_text(json.dumps({"listen": f"127.0.0.1:{port}"}), encoding="utf-8")
    partial.replace(ready_file)
    stop.wait()
    server.stop(0).wait()
