# SPDX-License-Identifier: Apache-2.0
"""Floor of `register`, the client: reads CP932 CSV with the csv module and streams 1,000 rows a message.

It does: decode and split every cell; join what a batch needs; stream, and insist on an acknowledgement per batch.
It leaves out: mappings, transforms, character checks, what was sent before, checkpoints, reports.
"""

from __future__ import annotations

import csv
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROWS: Final = 1_000


def _batches(path: Path, made: Callable[[int, list[str]], str]) -> Iterator[bytes]:
    with path.open(encoding="cp932", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        rows = (made(at, row) for at, row in enumerate(reader, 1))
        while batch := list(islice(rows, _ROWS)):
            yield "\n".join(batch).encode()


def _numbers(count: int) -> Iterator[bytes]:
    for start in range(0, count, _ROWS):
        yield "\n".join(map(str, range(start + 1, min(count, start + _ROWS) + 1))).encode()


def _stream(channel: grpc.Channel, method: str, batches: Iterator[bytes]) -> int:
    return sum(int(answer) for answer in channel.stream_stream(f"/floor.Floor/{method}")(batches))


def people(channel: grpc.Channel, path: Path) -> int:
    """Send people, then acquire a code for each."""
    count = _stream(channel, "People", _batches(path, lambda at, row: "\x1f".join((str(at), *row))))
    for method in ("Codes", "Submit"):
        if _stream(channel, method, _numbers(count)) != count:
            raise AssertionError("not every code was acquired")
    return count


def replicas(channel: grpc.Channel, path: Path) -> int:
    """Send one kind's records."""
    name = path.stem
    return _stream(
        channel,
        "Replicas",
        _batches(path, lambda at, row: "\x1f".join((name, f"{name}-{at}", row[1], "20260401", *row[2:]))),
    )


def main(target: str, tls: Path, organization: str, source: Path) -> None:
    """Send one extract of people, or a folder of business extracts; print how many rows were kept."""
    ca, key, cert = (tls / name for name in ("ca.pem", f"{organization}.key", f"{organization}.pem"))
    credentials = grpc.ssl_channel_credentials(ca.read_bytes(), key.read_bytes(), cert.read_bytes())
    with grpc.secure_channel(target, credentials) as channel:
        if source.is_file():
            print(people(channel, source))
        else:
            print(sum(replicas(channel, path) for path in sorted(source.glob("*.csv"))))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
