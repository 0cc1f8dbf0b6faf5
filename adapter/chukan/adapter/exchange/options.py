# SPDX-License-Identifier: Apache-2.0
"""What a run of `chukan adapter inquire` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from chukan.standard.codes import is_organization_code
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.client import Client, ClientTls

__all__ = ["DEFAULT_CUT_OFF", "InquireOptions", "Progress", "quiet"]

DEFAULT_CUT_OFF: Final = timedelta(minutes=2)
"""How long a run waits if it is told nothing; less, if all that is open waits for a person [own]
(docs/divergences "Adapter")."""


class Progress(Protocol):
    """Told how far a stage is: "send", "wait", "write"; "pause": the server is asked again after `total` seconds."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Note that `done` of `total` rows are through the stage."""


def quiet(stage: str, done: int, total: int) -> None:
    """Say nothing."""
    del stage, done, total


@dataclass(frozen=True, slots=True, kw_only=True)
class InquireOptions:
    """inputs: files or folders. out: the result file; what else is written stands beside it.

    state: folder of the ledger, beside the result file if not named. wait: until every inquiry is finished, however
    long. cut_off: stop waiting after so long; what is open goes to the remainder file. resend: send all rows again
    under the same ids. again: ask anew under new ids, with a reason. replace: write over a result file of other input.
    address: where the integrated address system answers, if not at the target. None and "" mean: as the profile says.
    """

    inputs: tuple[Path, ...]
    out: Path
    target: str
    organization: str
    profile: str = "2024"
    state: Path | None = None
    wait: bool = False
    cut_off: timedelta | None = None
    resend: bool = False
    again: bool = False
    reason: str = ""
    consent: bool | None = None
    business_ids: tuple[str, ...] = ()
    replace: bool = False
    address: str = ""
    world: str = ""
    mode: str = "test"
    system: str = ""
    terminal: str = ""
    user: str = ""
    tls: ClientTls | None = None
    connect_seconds: float = 10.0
    warn_before: timedelta = timedelta(days=3)

    def verify(self) -> None:
        """One sentence per fault. Errors: SETTING_INVALID, FOLDER_NOT_FOUND, AGAIN_REASON_MISSING."""
        if not self.inputs:
            raise ChukanError("SETTING_INVALID", field="in", params={"rule": "at least one file or folder"})
        if self.out.is_dir():
            raise ChukanError("SETTING_INVALID", field="out", params={"rule": "a file, not a folder"})
        if not self.out.parent.is_dir():
            raise ChukanError("FOLDER_NOT_FOUND", field="out", params={"folder": str(self.out.parent)})
        if not is_organization_code(self.organization):
            raise ChukanError("SETTING_INVALID", field="organization", params={"rule": "16 digits"})
        if self.resend and self.again:
            raise ChukanError("SETTING_INVALID", field="resend", params={"rule": "not together with again"})
        if self.again and not self.reason.strip():
            raise ChukanError("AGAIN_REASON_MISSING", field="reason")
        if self.reason and not self.again:
            raise ChukanError("SETTING_INVALID", field="reason", params={"rule": "only together with again"})
        if self.wait and self.cut_off is not None:
            raise ChukanError("SETTING_INVALID", field="wait", params={"rule": "not together with cut-off"})

    @property
    def state_folder(self) -> Path:
        """Where the ledger is."""
        return self.state or self.out.parent / "chukan-state"

    def connect(self) -> Client:
        """Open a client as this organization."""
        from chukan.client import Client  # noqa: PLC0415  # gRPC is loaded when it is needed

        return Client(
            self.target,
            organization=self.organization,
            tls=self.tls,
            address=self.address,
            system=self.system,
            terminal=self.terminal,
            user=self.user,
            mode=self.mode,
            world=self.world,
            retries=False,
        )
