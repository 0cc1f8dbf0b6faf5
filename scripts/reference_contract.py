# SPDX-License-Identifier: Apache-2.0
"""The reference page of services and RPCs, made from the comments of protos/."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple

from generate import PROTOS
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc
from reference_page import code, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Rpc", "Service", "rpcs", "services"]

_SERVICE: Final = 6
_METHOD: Final = 2
_SECOND_BREAK: Final = re.compile(r"\n\s*\n")


class Rpc(NamedTuple):
    """One RPC; stream is "", "client", "server" or "both"."""

    name: str
    request: str
    response: str
    stream: str
    comment: str


class Service(NamedTuple):
    """One service of the contract."""

    name: str
    file: str
    comment: str
    rpcs: tuple[Rpc, ...]


def services() -> list[Service]:
    """Return every service of protos/, by full name."""
    with TemporaryDirectory() as temporary:
        out = Path(temporary) / "set.binpb"
        sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.glob("chukan/**/*_service.proto"))
        arguments = ["protoc", f"-I{PROTOS}", f"-I{_well_known()}", f"--descriptor_set_out={out}"]
        if protoc.main([*arguments, "--include_imports", "--include_source_info", *sources]) != 0:
            message = "protoc could not read protos/"
            raise RuntimeError(message)
        files = FileDescriptorSet.FromString(out.read_bytes()).file
    return sorted(service for file in files if file.service for service in _services(file))


def rpcs() -> str:
    """List every service and RPC with what its comment says."""
    found = services()
    intro = (
        "The contract itself, with every message and field, is [protos/](../../protos/chukan). The interface is this "
        "project's own ([divergences](../divergences.md#interface)). What the answer of an RPC promises: "
        "[acknowledged](../acknowledged.md). Reasons: [reasons](reasons.md). Services and RPCs that answer "
        "`UNIMPLEMENTED` with `FEATURE_NOT_AVAILABLE` in this version: [features](../features.md)."
    )
    overview = table(
        ("service", "what it is for", "RPCs"),
        ((f"[{each.name}](#{_anchor(each.name)})", _first_sentence(each.comment), len(each.rpcs)) for each in found),
    )
    return page("Services and RPCs", "the comments of `protos/`", intro, overview, *map(_section, found))


def _section(service: Service) -> str:
    paragraphs = [" ".join(part.split()) for part in _SECOND_BREAK.split(service.comment)]
    rows = table(
        ("RPC", "request → response", "what it does"),
        (
            (
                code(rpc.name),
                f"{_shown(rpc.request, rpc.stream, 'client')} → {_shown(rpc.response, rpc.stream, 'server')}",
                rpc.comment,
            )
            for rpc in service.rpcs
        ),
    )
    link = f"[{service.file}](../../protos/{service.file})"
    return "\n\n".join([f"## {service.name}", *paragraphs, link, rows])


def _shown(message: str, stream: str, side: str) -> str:
    return ("stream " if stream in (side, "both") else "") + code(message)


def _services(file: FileDescriptorProto) -> Iterator[Service]:
    comments: Mapping[tuple[int, ...], str] = {
        tuple(place.path): place.leading_comments.strip() for place in file.source_code_info.location
    }
    for number, service in enumerate(file.service):
        methods = tuple(
            Rpc(
                name=method.name,
                request=method.input_type.rpartition(".")[2],
                response=method.output_type.rpartition(".")[2],
                stream=_STREAMS[method.client_streaming, method.server_streaming],
                comment=" ".join(comments.get((_SERVICE, number, _METHOD, index), "").split()),
            )
            for index, method in enumerate(service.method)
        )
        comment = "\n".join(line.strip() for line in comments.get((_SERVICE, number), "").splitlines())
        yield Service(f"{file.package}.{service.name}", file.name, comment, methods)


_STREAMS: Final = {(False, False): "", (True, False): "client", (False, True): "server", (True, True): "both"}


def _first_sentence(comment: str) -> str:
    return re.split(r"(?<=\.)\s", " ".join(comment.split()), maxsplit=1)[0]


def _anchor(name: str) -> str:
    return name.lower().replace(".", "")


def _well_known() -> Path:
    return Path(protoc.__file__).parent / "_proto"
