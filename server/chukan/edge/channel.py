# SPDX-License-Identifier: Apache-2.0
"""Channels from one of our servers to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from .tls import channel_credentials

if TYPE_CHECKING:
    from .tls import TlsFiles

__all__ = ["MAX_MESSAGE_BYTES", "open_channel"]

#: A batch of 1,000 records with long texts is about 1 MiB; larger messages stop other calls of the connection.
MAX_MESSAGE_BYTES = 16 * 1024 * 1024

_OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # A server that restarts is found again within two seconds, not within gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


def open_channel(target: str, *, tls: TlsFiles | None = None, service_config_json: str = "") -> grpc.Channel:
    """Make a channel; nothing is connected yet.

    `service_config_json`: the published retry policy, for who wants it (a dispatcher doesn't: its outbox repeats).
    """
    options = [*_OPTIONS, ("grpc.service_config", service_config_json)] if service_config_json else list(_OPTIONS)
    if tls is None:
        return grpc.insecure_channel(target, options)
    return grpc.secure_channel(target, channel_credentials(tls), options)
