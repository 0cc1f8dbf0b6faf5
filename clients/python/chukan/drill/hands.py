# SPDX-License-Identifier: Apache-2.0
"""What a drill does to the emulator: faults over the control port, replicas sent, inquiries asked, all by public RPCs.

Beside that its process is killed and its certificate file exchanged.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Protocol

from chukan.client import Client
from chukan.drill.load import INQUIRER, PROVIDER, Questions
from chukan.drill.newcomer import Newcomer
from chukan.drill.withheld import Withheld
from chukan.emulator.v1 import emulator_service_pb2 as wire
from chukan.v1 import replica_service_pb2 as replica

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta
    from types import TracebackType
    from typing import Self

    from chukan.drill.certificates import Certificates

__all__ = ["Emulator", "Hands"]


class Emulator(Protocol):
    """The server that is drilled, as who started it hands it in."""

    @property
    def target(self) -> str:
        """host:port of its services."""
        ...

    @property
    def control(self) -> str:
        """host:port of its control port."""
        ...

    @property
    def token(self) -> str:
        """What the control port wants to see."""
        ...

    def kill(self) -> None:
        """End it as a power cut would."""
        ...

    def restart(self) -> None:
        """Start it again at the same addresses, with the same data; return when it is ready."""
        ...


class Hands:
    """Does what scenarios ask for. Errors: ChukanError."""

    def __init__(self, emulator: Emulator, certificates: Certificates) -> None:
        self._emulator = emulator
        self._certificates = certificates
        self._control = Client(
            emulator.control, organization=PROVIDER, token=emulator.token, tls=certificates.of(PROVIDER)
        )
        self._provider = self._calling(PROVIDER)
        self._inquirer = self._calling(INQUIRER)
        self._numbers = count(1)
        self._newcomer: Newcomer | None = None
        self._withheld: Withheld | None = None
        self.struck = 0
        """Calls that the faults cleared last had struck."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in (self._control, self._provider, self._inquirer):
            client.close()

    def kinds(self) -> set[str]:
        """Return the kinds of faults this emulator can be given."""
        return {each.kind for each in self._control.emulator.ListFaultKinds(wire.ListFaultKindsRequest()).kinds}

    def add(
        self,
        kind: str,
        *,
        method: str = "",
        peer: str = "",
        information: str = "",
        parameters: Mapping[str, str] | None = None,
        once: bool = False,
    ) -> None:
        """Add a fault to the default world, the one that is watched."""
        target = wire.FaultTarget(
            methods=[method] if method else [], peer_organization_code=peer, information_code=information
        )
        fault = wire.Fault(kind=kind, target=target, parameters=parameters or {}, note="alert drill")
        if once:
            fault.once = True
        self._control.emulator.AddFault(wire.AddFaultRequest(fault=fault))

    def clear(self) -> None:
        """Remove all faults."""
        cleared = self._control.emulator.ClearFaults(wire.ClearFaultsRequest()).faults
        self.struck = sum(each.struck_count for each in cleared)

    def send_replicas(self, information: str, rows: int = 1, *, edition: str = "") -> None:
        """Send replicas that stand already once more; edition: as if they were of that one."""
        self._send(self._provider, information, rows, edition=edition)

    def send_night(self) -> None:
        """Send of every kind both bodies hold one replica that has changed, as their systems do each night."""
        for body in (self._provider, self._inquirer):
            for lane in body.replicas.ListLanes(replica.ListLanesRequest()).lanes:
                self._send(body, lane.information_code, changed=True)

    def resume_lane(self, information: str) -> None:
        """Open a held lane again."""
        self._provider.replicas.ResumeLane(replica.ResumeLaneRequest(information_code=information))

    def ask(self, questions: int, *, time_out: timedelta) -> None:
        """Ask inquiries that the list permits and that are given up after so long."""
        asking = Questions(self._inquirer, f"drill-{next(self._numbers)}")
        for _ in range(questions):
            self._inquirer.inquiries.CreateInquiry(asking.next(time_out=time_out))

    def expect_code(self) -> None:
        """Ask for the linkage code of a new person and don't submit the processing number."""
        self._newcomer = Newcomer(self._provider, next(self._numbers))
        self._newcomer.expect_code()

    def submit_number(self) -> None:
        """Submit it after all."""
        if self._newcomer is not None:
            self._newcomer.submit()

    def withhold_answers(self) -> None:
        """Let staff decide about one person the load asks after, and let them leave it."""
        self._withheld = Withheld(self._provider, next(self._numbers))
        self._withheld.withhold()

    def decide(self) -> None:
        """Let answers about the person go by themselves again, and two people of staff decide what waits."""
        if self._withheld is not None:
            self._withheld.release()
            with self._calling(PROVIDER, "drill-first") as first, self._calling(PROVIDER, "drill-second") as second:
                self._withheld.decide(first, second)

    def let_certificate_expire(self) -> None:
        """Exchange the server's certificate for one that runs out soon."""
        self._certificates.let_expire()

    def damage_certificate(self) -> None:
        """Break off the file of the server's certificate."""
        self._certificates.damage()

    def restore_certificate(self) -> None:
        """Put the server's certificate there again."""
        self._certificates.restore()

    def kill_server(self) -> None:
        """End the server as a power cut would."""
        self._emulator.kill()

    def restart_server(self) -> None:
        """Start it again."""
        self._emulator.restart()

    def _calling(self, organization: str, user: str = "") -> Client:
        tls = self._certificates.of(organization)
        return Client(self._emulator.target, organization=organization, user=user, tls=tls)

    def _send(self, body: Client, information: str, rows: int = 1, *, edition: str = "", changed: bool = False) -> None:
        asked = replica.ExportReplicasRequest(information_code=information)
        held = next(iter(body.replicas.ExportReplicas(asked)))
        request = _batch_of(held, rows, f"drill-{next(self._numbers)}")
        request.edition = edition or request.edition
        if changed:  # a record under a new id is written, one that stands already changes nothing
            request.record_ids[:] = [f"{request.batch_id}-{row}" for row in range(len(request.record_ids))]
        next(iter(body.replicas.RegisterReplicas(iter([request]))))


def _batch_of(held: replica.ExportReplicasResponse, rows: int, batch_id: str) -> replica.RegisterReplicasRequest:
    def first(values: Sequence[str]) -> Sequence[str]:
        return values[:rows]

    items = []
    for column in held.items:
        nils = [(row, why) for row, why in zip(column.nil_rows, column.nil_reasons, strict=True) if row < rows]
        items.append(
            replica.ItemColumn(
                item_code=column.item_code,
                values=first(column.values),
                nil_rows=[row for row, _ in nils],
                nil_reasons=[why for _, why in nils],
            )
        )
    return replica.RegisterReplicasRequest(
        batch_id=batch_id,
        information_code=held.information_code,
        data_set=held.data_set,
        edition=held.edition,
        record_ids=first(held.record_ids),
        integrated_address_numbers=first(held.integrated_address_numbers),
        record_keys=first(held.record_keys),
        parent_record_keys=first(held.parent_record_keys),
        start_dates=first(held.start_dates),
        end_dates=first(held.end_dates),
        items=items,
    )
