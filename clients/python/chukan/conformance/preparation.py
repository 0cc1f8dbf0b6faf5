# SPDX-License-Identifier: Apache-2.0
"""Prepares our emulator through its public RPCs, and writes the profile a run needs.

People known to both organizations, each with a linkage code: register, ask for codes, take the processing numbers,
let the simulated resident network know the people, submit. A real server's owner writes the profile by hand instead.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from chukan.conformance.calls import Answer, call
from chukan.conformance.contract import find_method
from chukan.conformance.masking import masked_text
from chukan.conformance.numbers import dummy_individual_number
from chukan.conformance.problem import FAILED, KitError
from chukan.conformance.profile import Pair

if TYPE_CHECKING:
    from chukan.conformance.calls import Channels
    from chukan.conformance.profile import Profile

__all__ = ["prepare", "profile_text"]

_LINKAGE: Final = "chukan.v1.LinkageCodeService"
_RESIDENTS: Final = "chukan.network.v1.ResidentNetworkService"
_SECONDS: Final = 30.0
_PAUSE: Final = 0.05


class _Step:
    """Calls for the preparation; what fails is one sentence."""

    def __init__(self, channels: Channels, profile: Profile, role: str) -> None:
        self._channel = channels.of(role)
        self._metadata = [
            ("chukan-organization", profile.organizations[role]),
            ("chukan-system", "conformance"),
            ("chukan-mode", profile.mode),
        ]

    def __call__(self, service: str, name: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401  # of any message
        method = find_method(name, service)
        request = method.request()(**fields)
        answer: Answer = call(
            self._channel, method, [request], metadata=self._metadata, seconds=_SECONDS, take=int(method.request_stream)
        )
        if not answer.responses:
            reason = answer.error.get("reason", "")
            said = masked_text(f"{answer.status} {reason}".strip())
            raise KitError(
                f"the target could not be prepared: {name} ended with {said}",
                f"対象を準備できません: {name} が {said} で終わりました",
                code=FAILED,
            )
        document: dict[str, Any] = answer.responses[0]
        return document


def prepare(channels: Channels, profile: Profile, *, people: int, run: str) -> Profile:
    """Link so many new people at both organizations and return the profile that names them."""
    serials = [int(run) * 1000 % 10**8 + number for number in range(people)]
    numbers = {role: [f"8{at}{serial:013d}" for serial in serials] for at, role in enumerate(("inquirer", "provider"))}
    for role, own in numbers.items():
        step = _Step(channels, profile, role)
        _notify(step, serials, run)
        step(_LINKAGE, "RegisterAddressees", batch_id=f"prepare-{run}", integrated_address_numbers=own)
        step(_LINKAGE, "BatchRequestCodes", batch_id=f"prepare-{run}", integrated_address_numbers=own)
        issued = [_await(step, number, "processing_number") for number in own]
        step(
            _RESIDENTS,
            "SubmitProcessingNumbers",
            batch_id=f"prepare-{run}",
            processing_numbers=issued,
            individual_numbers=[dummy_individual_number(serial) for serial in serials],
        )
    for role, own in numbers.items():
        step = _Step(channels, profile, role)
        for number in own:
            _await(step, number, "link_time")
    pairs = tuple(Pair(*both) for both in zip(numbers["inquirer"], numbers["provider"], strict=True))
    return replace(profile, pairs=pairs)


def _notify(step: _Step, serials: list[int], run: str) -> None:
    step(
        _RESIDENTS,
        "NotifyResidents",
        batch_id=f"prepare-{run}",
        individual_numbers=[dummy_individual_number(serial) for serial in serials],
        resident_record_codes=[f"998{serial:08d}" for serial in serials],
        names=[f"試験 {serial}" for serial in serials],
        birth_dates=["19800102"] * len(serials),
        sexes=["1"] * len(serials),
        residential_addresses=[f"東京都新宿区西新宿{serial}" for serial in serials],
    )


def _await(step: _Step, number: str, field: str) -> str:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        status = step(_LINKAGE, "GetLinkageState", integrated_address_number=number)["linkage_status"]
        if status.get(field):
            return str(status[field])
        time.sleep(_PAUSE)
    raise KitError(
        f"the target could not be prepared: no {field} within {_SECONDS:.0f} s",
        f"対象を準備できません: {_SECONDS:.0f}秒以内に {field} が得られません",
        code=FAILED,
    )


def profile_text(profile: Profile) -> str:
    """Return the profile as its file says it."""
    organizations = "\n".join(f'{role} = "{code}"' for role, code in profile.organizations.items())
    pairs = "\n".join(f'  {{inquirer = "{pair.inquirer}", provider = "{pair.provider}"}},' for pair in profile.pairs)
    tls = f'tls = "{profile.tls}"\n' if profile.tls else ""
    return (
        f'name = "{profile.name}"\nmode = "{profile.mode}"\n{tls}\n[organizations]\n{organizations}\n\n'
        f'[people]\nfresh_prefix = "{profile.fresh}"\npairs = [\n{pairs}\n]\n'
    )
