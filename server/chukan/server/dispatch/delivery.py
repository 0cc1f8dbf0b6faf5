# SPDX-License-Identifier: Apache-2.0
"""The network's deliveries after a commit: codes to middle servers, permits to providers, answers to inquirers.

Who repairs what: a member that is away keeps its rows in the outbox, which asks again; a provider asked again answers
what it stored; an inquirer that is away gets the answers from a row of its own, so the provider is not asked again; a
permit that ran out ends as TIMED_OUT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.exchange import AnswerBatch, AnswerLeaf
from chukan.server.network import answers, delivery, linkage_codes
from chukan.server.network.answers import DELIVER_ANSWERS, note_answers, verify_answers, verify_receipt
from chukan.server.network.linkage_codes import DELIVER_CODES
from chukan.server.network.permits import DELIVER_INQUIRIES, add_delivery
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chukan.server.domain.linkage import CodeDelivery
    from chukan.server.network.core import Core
    from chukan.server.ports import Connection, OutboxItem
    from chukan.server.ports.exchange import ExchangeMember
    from chukan.server.ports.network import CodeMember

__all__ = ["NetworkDeliveries"]

_CODES_PER_CALL: Final = 1_000


_Passed = tuple[AnswerBatch, list[AnswerLeaf], answers.Receipt | None]
"""A provider's batch, what it says, and the inquirer's receipt, if that could be had."""


class _Settled(NamedTuple):
    """What came of one outbox item: permits that ran out, batches passed on."""

    item: int
    expired: list[int]
    passed: list[_Passed]


class NetworkDeliveries:
    """The handlers of the network core's outbox kinds."""

    def __init__(self, core: Core, *, exchange_member: ExchangeMember, code_member: CodeMember) -> None:
        self._core = core
        self._exchange_member = exchange_member
        self._code_member = code_member

    def handlers(self) -> Mapping[str, Callable[[Sequence[OutboxItem]], None]]:
        """Return kind → handler."""
        return {
            DELIVER_CODES: self.deliver_codes,
            DELIVER_INQUIRIES: self.deliver_inquiries,
            DELIVER_ANSWERS: self.deliver_answers,
        }

    def deliver_codes(self, items: Sequence[OutboxItem]) -> None:
        """Tell a middle server its codes; once told, the processing numbers are purged."""
        core, organization = self._core, items[0].organization
        rows = [row for item in items for row in linkage_codes.unpack_rows(item.payload)]
        told, open_rows = linkage_codes.deliveries(core, organization, rows)
        for start in range(0, len(told), _CODES_PER_CALL):
            self._tell(organization, told[start : start + _CODES_PER_CALL])

        def write(connection: Connection) -> None:
            if open_rows:
                core.processing_numbers.purge(connection, open_rows)
            core.outbox.done(connection, [item.id for item in items])

        core.environment.database.write(organization, write)

    def deliver_inquiries(self, items: Sequence[OutboxItem]) -> None:
        """Deliver permits to a provider and its answers to the inquirers; what came of it is noted in one write.

        An item that fails ends the run: those before it are noted, it and those after it are tried again.
        """
        settled: list[_Settled] = []
        try:
            for item in items:
                try:
                    settled.append(self._deliver_permits(item))
                except ChukanError as error:
                    if error.code != "MESSAGE_TOO_LARGE" or not self._split(item):
                        raise
        finally:
            if settled:
                self._note(items[0].organization, settled)

    def deliver_answers(self, items: Sequence[OutboxItem]) -> None:
        """Deliver answers the inquirer has not received yet."""
        core = self._core
        for item in items:
            batch = core.codec.decode(AnswerBatch, item.payload)
            leaves = [core.codec.decode(AnswerLeaf, leaf) for leaf in batch.leaves]
            receipt = verify_receipt(core, batch, leaves, self._exchange_member.deliver_answers(batch.inquirer, batch))

            def write(
                connection: Connection,
                item: OutboxItem = item,
                batch: AnswerBatch = batch,
                leaves: Sequence[AnswerLeaf] = leaves,
                receipt: answers.Receipt = receipt,
            ) -> None:
                note_answers(core, connection, batch, leaves, receipt)
                core.outbox.done(connection, [item.id])

            core.environment.database.write(item.organization, write)

    def _tell(self, organization: str, deliveries: Sequence[CodeDelivery]) -> None:
        answer = self._code_member.deliver_codes(organization, deliveries)
        for failure in answer.failures:
            self._core.environment.metrics.note_refused(failure.reason)

    def _deliver_permits(self, item: OutboxItem) -> _Settled:
        prepared = delivery.prepare(self._core, item.payload)
        batches = self._asked(item.organization, prepared)
        passed = [self._pass_on(item.organization, batch) for batch in batches]
        return _Settled(item.id, prepared.expired, passed)

    def _note(self, provider: str, settled: Sequence[_Settled]) -> None:
        core = self._core
        waiting = [
            (batch.inquirer, core.codec.encode(batch))
            for each in settled
            for batch, _, receipt in each.passed
            if receipt is None
        ]

        def write(connection: Connection) -> None:
            for each in settled:
                for batch, leaves, receipt in each.passed:
                    note_answers(core, connection, batch, leaves, receipt)
                if each.expired:
                    delivery.end_expired(core, connection, each.expired)
            for inquirer, payload in waiting:
                core.outbox.add(connection, kind=DELIVER_ANSWERS, organization=inquirer, payload=payload)
            core.outbox.done(connection, [each.item for each in settled])

        core.environment.database.write(provider, write)

    def _split(self, item: OutboxItem) -> bool:
        """Put two halves in the place of a delivery whose answers don't fit into a message."""
        core, halves = self._core, delivery.split(item.payload)

        def write(connection: Connection) -> None:
            for half in halves:
                add_delivery(core, connection, item.organization, half)
            core.outbox.done(connection, [item.id])

        if halves:
            core.environment.database.write(item.organization, write)
        return bool(halves)

    def _asked(self, provider: str, prepared: delivery.PreparedDelivery) -> Sequence[AnswerBatch]:
        if prepared.delivery is None:
            return ()
        return self._exchange_member.deliver_inquiries(provider, prepared.delivery)

    def _pass_on(self, provider: str, batch: AnswerBatch) -> _Passed:
        """Verify a batch and deliver it to the inquirer; without receipt when that failed for now."""
        leaves = verify_answers(self._core, provider, batch)
        try:
            receipt = self._exchange_member.deliver_answers(batch.inquirer, batch)
            return batch, leaves, verify_receipt(self._core, batch, leaves, receipt)
        except ChukanError as error:
            self._core.environment.metrics.note_refused(error.code)
            return batch, leaves, None
