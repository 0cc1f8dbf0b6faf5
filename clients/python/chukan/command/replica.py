# SPDX-License-Identifier: Apache-2.0
"""`chukan replica`: the replicas (副本) of one's own residents' records at the middle server."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003  # Typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chukan.command.declare import command, group

if TYPE_CHECKING:
    from chukan.command.session import Session

__all__ = ["app"]

_EXAMPLE = (
    "chukan replica {} 000000000000123 --information TM00000000000002 --data-set 0100 --record-key 2026 "
    "--organization 131041"
)

app = group("replica", "Read and correct replicas (副本), lanes and import reports.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Integrated address number (団体内統合宛名番号).")]
Information = Annotated[str, typer.Option("--information", metavar="TM...", help="Information (特定個人情報名).")]
DataSet = Annotated[str, typer.Option("--data-set", help="Data set (データセット), 4 digits.")]
RecordKey = Annotated[str, typer.Option("--record-key", help="Data-set record key.")]
Limit = Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)]
PageToken = Annotated[str, typer.Option(help="next_page_token of the page before.")]


@command(
    app,
    calls=True,
    example=[
        "chukan replica put --file replica.json --organization 131041",
        "chukan replica put --file replica.json --organization 131041 --json",
    ],
)
def put(
    session: Session,
    *,
    file: Annotated[
        Path, typer.Option(metavar="FILE", help="JSON as `chukan replica get --json` prints it.", exists=True)
    ],
) -> None:
    """Register one replica from a JSON file (副本登録); for many there is `chukan adapter load`.

    The same record id with the same content again changes nothing; with other content it is refused.
    """
    from google.protobuf.json_format import ParseDict, ParseError

    from chukan.command import replica_view as view
    from chukan.v1 import replica_service_pb2 as pb

    try:
        document: Any = json.loads(file.read_text("utf-8"))
        replica = ParseDict(document.get("replica", document), pb.Replica())
    except (ValueError, AttributeError, ParseError) as error:
        where = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        message = f"{file} is not a replica in JSON{where}"
        raise typer.BadParameter(message, param_hint="--file") from None
    with session.client() as client:
        response = client.replicas.PutReplica(pb.PutReplicaRequest(replica=replica))
    if not session.json(response):
        view.show_replica(session, response.replica)


@command(
    app,
    calls=True,
    example=[_EXAMPLE.format("get")],
)
def get(
    session: Session, *, number: Number, information: Information, data_set: DataSet, record_key: RecordKey
) -> None:
    """Show the current version of one replica with content (audited)."""
    from chukan.command import replica_view as view
    from chukan.v1 import replica_service_pb2 as pb

    key = view.key(information, data_set, record_key)
    with session.client() as client:
        response = client.replicas.GetReplica(pb.GetReplicaRequest(integrated_address_number=number, key=key))
    if not session.json(response):
        view.show_replica(session, response.replica)


@command(app, calls=True, name="list", example=["chukan replica list 000000000000123 --organization 131041"])
def list_(
    session: Session,
    *,
    number: Number,
    information: Annotated[str, typer.Option(metavar="TM...", help="Only this information.")] = "",
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted ones too.")] = False,
    limit: Limit = 100,
    page_token: PageToken = "",
) -> None:
    """List the replicas of one person, without content."""
    from chukan.command import replica_view as view
    from chukan.v1 import replica_service_pb2 as pb

    request = pb.ListReplicasRequest(
        integrated_address_number=number,
        information_code=information,
        include_deleted=deleted,
        page_size=limit,
        page_token=page_token,
    )
    with session.client() as client:
        response = client.replicas.ListReplicas(request)
    if not session.json(response):
        view.show_list(session, response.replicas)
        view.more(session, response.next_page_token)


@command(
    app,
    calls=True,
    example=[_EXAMPLE.format("versions")],
)
def versions(
    session: Session, *, number: Number, information: Information, data_set: DataSet, record_key: RecordKey
) -> None:
    """Show every version of one replica with content, newest first (audited)."""
    from chukan.command import replica_view as view
    from chukan.v1 import replica_service_pb2 as pb

    key = view.key(information, data_set, record_key)
    request = pb.ListReplicaVersionsRequest(integrated_address_number=number, key=key, page_size=1000)
    with session.client() as client:
        response = client.replicas.ListReplicaVersions(request)
    if not session.json(response):
        for each in response.replicas:
            view.show_replica(session, each)


@command(
    app,
    calls=True,
    example=[
        (_EXAMPLE.format("delete") + " --reason 誤登録のため"),
    ],
)
def delete(
    session: Session,
    *,
    number: Number,
    information: Information,
    data_set: DataSet,
    record_key: RecordKey,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the record.")],
) -> None:
    """Delete one replica logically: it is no longer provided, and its history stays."""
    from chukan.command import replica_view as view
    from chukan.v1 import replica_service_pb2 as pb

    key = view.key(information, data_set, record_key)
    request = pb.DeleteReplicaRequest(integrated_address_number=number, key=key, delete_reason=reason)
    with session.client() as client:
        response = client.replicas.DeleteReplica(request)
    if not session.json(response):
        view.show_replica(session, response.replica)


@command(
    app,
    calls=True,
    example=["chukan replica lanes --organization 131041", "chukan replica lanes --json --organization 131041"],
)
def lanes(session: Session) -> None:
    """List the lanes, one per information: a stuck kind never blocks another."""
    from chukan.command import replica_view as view
    from chukan.v1 import replica_service_pb2 as pb

    with session.client() as client:
        response = client.replicas.ListLanes(pb.ListLanesRequest())
    if not session.json(response):
        view.show_lanes(session, response.lanes)


@command(app, calls=True, example=["chukan replica resume TM00000000000002 --organization 131041"])
def resume(
    session: Session,
    *,
    information: Annotated[str, typer.Argument(metavar="TM...", help="Information (特定個人情報名).")],
) -> None:
    """Open a held lane again, once its cause is removed."""
    from chukan.command import replica_view as view
    from chukan.v1 import replica_service_pb2 as pb

    with session.client() as client:
        response = client.replicas.ResumeLane(pb.ResumeLaneRequest(information_code=information))
    if not session.json(response):
        view.show_lanes(session, [response.lane])


@command(
    app,
    calls=True,
    example=["chukan replica imports --organization 131041", "chukan replica imports BATCH --organization 131041"],
)
def imports(
    session: Session,
    *,
    batch: Annotated[str, typer.Argument(metavar="[BATCH]", help="Show this batch with its refused rows.")] = "",
    information: Annotated[str, typer.Option(metavar="TM...", help="Only this information.")] = "",
    limit: Limit = 100,
    page_token: PageToken = "",
) -> None:
    """List what became of each batch (取込結果), newest first."""
    from chukan.command import replica_view as view
    from chukan.v1 import replica_service_pb2 as pb

    if batch:
        with session.client() as client:
            one = client.replicas.GetImport(pb.GetImportRequest(batch_id=batch))
        if not session.json(one):
            view.show_import(session, getattr(one, "import"))
        return
    request = pb.ListImportsRequest(information_code=information, page_size=limit, page_token=page_token)
    with session.client() as client:
        response = client.replicas.ListImports(request)
    if not session.json(response):
        view.show_imports(session, response.imports)
        view.more(session, response.next_page_token)
