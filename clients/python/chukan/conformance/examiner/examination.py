# SPDX-License-Identifier: Apache-2.0
"""One case from beginning to end: a fresh folder, the script, the client's tasks, the verdict."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chukan.conformance.examiner.catalogue import given_names
from chukan.conformance.examiner.demands import broken_demands, called
from chukan.conformance.examiner.play import Play
from chukan.conformance.examiner.received import traces
from chukan.conformance.examiner.written import broken_files, unsaid, written_down
from chukan.conformance.numbers import dummy_individual_number
from chukan.conformance.problem import KitError
from chukan.conformance.results import Result, Verdict, weigh
from chukan.conformance.template import filled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chukan.conformance.catalogue import Entry
    from chukan.conformance.examiner.driving import Driver
    from chukan.conformance.examiner.profile import ClientProfile
    from chukan.conformance.examiner.server import ScriptedServer
    from chukan.conformance.results import Known

__all__ = ["Examiner"]

_PEOPLE: Final = 9


@dataclass(slots=True)
class Examiner:
    """What all cases of a run share."""

    profile: ClientProfile
    driver: Driver
    known: Mapping[str, Known] = field(default_factory=dict)

    def judge(self, entry: Entry, server: ScriptedServer, folder: Path) -> Result:
        """Examine the client by one case, in a folder of its own."""
        why = self._unmet(entry)
        if why:
            return Result(entry, Verdict.SKIPPED, note=why)
        began = time.monotonic()
        play = self._play(entry)
        places = self._places(folder / entry.case.id.replace("/", "-"), server.target)
        self._supply(entry, places, play)
        results = self.profile.tables.get("results")
        server.written = lambda receipts: written_down(results, places, receipts)
        server.played = play
        faults: list[str] = []
        try:
            for number, task in enumerate(entry.case.script.tasks, 1):
                play.begin(number)
                faults += [
                    f"task {number} ({task.name}): {fault}" for fault in self.driver.carry_out(task, places, play)
                ]
        finally:
            server.played = None
        result = self._verdict(entry, play, places, faults)
        result.seconds = time.monotonic() - began
        weigh(result, self.known)
        return result

    def _verdict(self, entry: Entry, play: Play, places: Mapping[str, str], faults: list[str]) -> Result:
        script = entry.case.script
        if not play.calls:
            return Result(entry, Verdict.FAILED, [*faults, "the client made no call"])
        taken = any(called(call.path, each) for each in script.about for call in play.calls)
        if script.about and not (taken or faults):
            note = f"the client does not call {' or '.join(each.rpartition('.')[2] for each in script.about)}"
            return Result(entry, Verdict.SKIPPED, trace=traces(play.calls), note=note)
        value = play.named()
        faults += broken_demands(script.demands, play.calls, value)
        faults += broken_files(script.written, self.profile, places, value)
        verdict = Verdict.FAILED if faults else Verdict.PASSED
        return Result(entry, verdict, faults, traces(play.calls))

    def _unmet(self, entry: Entry) -> str:
        for task in entry.case.script.tasks:
            why = self.driver.unable(task)
            if why:
                return why
        return unsaid(entry.case.script.written, self.profile)

    def _play(self, entry: Entry) -> Play:
        people = [dummy_individual_number(serial) for serial in range(1, _PEOPLE + 1)]
        answers = [*entry.case.script.answers, *entry.file.answers]
        return Play(
            entry.case.id,
            answers,
            entry.file.templates,
            given_names(self.profile.organization, self.profile.mode, people),
        )

    def _places(self, folder: Path, target: str) -> dict[str, str]:
        made = {name: folder / name for name in ("input", "output", "state")}
        try:
            if folder.exists():
                shutil.rmtree(folder)
            for path in made.values():
                path.mkdir(parents=True)
        except OSError as error:
            raise KitError(
                f"no folder can be made for a case: {folder} ({error.strerror})",
                f"ケースのフォルダー {folder} を作成できません({error.strerror})",
            ) from None
        own = {"target": target, "organization": self.profile.organization}
        return {
            **{name: str(path) for name, path in made.items()},
            **own,
            "python": sys.executable,
            "here": self.profile.here,
        }

    def _supply(self, entry: Entry, places: Mapping[str, str], play: Play) -> None:
        """Write the files the client reads, the profile's own in place of the case's."""
        for name, text in {**entry.file.files, **entry.case.script.files}.items():
            path = Path(places["input"]) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            own = self.profile.inputs / name if self.profile.inputs else None
            if own is not None and own.is_file():
                try:
                    shutil.copyfile(own, path)
                except OSError as error:
                    raise KitError(
                        f"the profile's input {own} can't be read ({error.strerror})",
                        f"プロファイルの入力 {own} を読めません({error.strerror})",
                    ) from None
            else:
                path.write_text(filled(text, play.named()), "utf-8", newline="")
