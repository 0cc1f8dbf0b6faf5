# SPDX-License-Identifier: Apache-2.0
"""A world of a test: the stage that is set in it with a line each, people, replicas, inquiries."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from chukan.testing import inquiries, people, replicas
from chukan.testing.bare_world import BareWorld

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, timedelta

    from chukan.emulator.v1.emulator_service_pb2_grpc import EmulatorServiceStub
    from chukan.testing.people import Addressee
    from chukan.v1.inquiry_service_pb2 import InquirySpec

__all__ = ["World"]

__tracebackhide__ = True  # a failure is shown at the line of the test


class World(BareWorld):
    """Middle servers, network and address systems for one test. Organizations are named by 16, 6 or 5 digits."""

    def __init__(self, target: str, control: EmulatorServiceStub, world_id: str) -> None:
        super().__init__(target, control, world_id)
        self._serials = itertools.count(1)

    def addressee(self, *organizations: str, numbers: Mapping[str, str] | None = None, link: bool = True) -> Addressee:
        """Let organizations know one more dummy person: numbered, registered and linked in each. StageError if not.

        numbers: integrated address numbers by organization, where the system under test gives them; elsewhere the
        emulator's address system does. link: acquire the linkage codes (符号), so that the person can be asked about.
        """
        return people.introduce(self, next(self._serials), organizations, numbers or {}, link=link)

    def replica(
        self,
        addressee: Addressee | str,
        *,
        at: str,
        information: str = replicas.TAX,
        data_set: str = "",
        values: Mapping[str, str] | None = None,
        record_key: str = "",
        start: date | None = None,
        end: date | None = None,
        parent_record_key: str = "",
    ) -> str:
        """Register a replica (副本) at an organization and return its record id. StageError if it is refused.

        addressee may be an integrated address number. values: by item code; items that must be there and aren't named
        get a harmless value. It may be published from start (today) to end (no end). The edition in force is taken.
        """
        return replicas.register(
            self,
            addressee,
            at=at,
            information=information,
            data_set=data_set,
            values=values or {},
            record_key=record_key,
            period=(start or self.clock.today(), end),
            parent_record_key=parent_record_key,
        )

    def inquiry_spec(
        self,
        addressee: Addressee | str,
        *,
        by: str,
        provider: str,
        information: str = replicas.TAX,
        record_id: str = "",
        item_codes: Sequence[str] = (),
        time_out: timedelta | None = None,
    ) -> InquirySpec:
        """Return an inquiry the permission list permits today. StageError if it permits none."""
        return inquiries.permitted(
            self,
            addressee,
            by=by,
            provider=provider,
            information=information,
            record_id=record_id or self.next_id("record"),
            item_codes=item_codes,
            time_out=time_out,
        )
