# SPDX-License-Identifier: Apache-2.0
"""The retry policy that follows from the contract; `python -m tests.rpc.edge.retry_policy` writes it.

An RPC may be repeated by gRPC itself if it only reads, or if its comment says "Idempotent", and if it has one request.
Writing RPCs that are idempotent only by a request id are left out: the policy is for every client, also for one that
sends none.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "protos" / "chukan" / "service_config.json"
PACKAGED = ROOT / "clients" / "python" / "chukan" / "client" / "service_config.json"

_RPC = re.compile(r"((?:^ *//.*\n)*)^ *rpc (\w+)\((stream )?[\w.]+\)", re.MULTILINE)
_READS = re.compile(r"(Get|List|Watch|Check|Find|Convert|Search|Trace|Export|Pull)[A-Z]")
_IDEMPOTENT = re.compile(r"(?<!Not )\bIdempotent(?! only)(?! by request)(?! by the)")
_POLICY = {
    "maxAttempts": 4,
    "initialBackoff": "0.2s",
    "maxBackoff": "2s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


def repeatable() -> list[dict[str, str]]:
    """Every RPC of the contract that may be repeated."""
    names = []
    for path in sorted((ROOT / "protos" / "chukan").rglob("*.proto")):
        text = path.read_text("utf-8")
        service = re.search(r"^service (\w+)", text, re.MULTILINE)
        package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)
        if service is None or package is None:
            continue
        for comment, name, streams in _RPC.findall(text):
            said = " ".join(comment.replace("//", " ").split())
            if not streams and (_READS.match(name) or _IDEMPOTENT.search(said)):
                names.append({"service": f"{package[1]}.{service[1]}", "method": name})
    return names


def expected() -> str:
    """Return the file's text."""
    config = {
        "methodConfig": [{"name": repeatable(), "retryPolicy": _POLICY}],
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
    }
    text = json.dumps(config, indent=2)
    return re.sub(r'\{\s+("service": "[^"]+"),\s+("method": "[^"]+")\s+\}', r"{\1, \2}", text) + "\n"


if __name__ == "__main__":
    for path in (PUBLISHED, PACKAGED):
        path.write_text(expected(), "utf-8")
