"""Walks a survey over a lent line: listens, asks, has whoever answers looked at closer. No I/O of its own.

It knows no clock, no port and no profile file: a `Bench` carries the bytes, the caller gives time and
sketches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.survey import plan, probes
from drivers.survey.closer import Closer
from drivers.survey.found import Found, Progress, Report
from drivers.survey.frames import hear
from drivers.survey.others import matches
from drivers.survey.plan import Scope, Step
from drivers.survey.probes import Sound
from drivers.survey.talk import Setting, Shot, Tongue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drivers.profile import Profile
    from drivers.survey.probes import Verdict
    from drivers.survey.score import Sketch
    from drivers.survey.talk import Bench

NOISY: Final = 0.5  # of the shots of a batch that hear garbage: then it is not an answer


class Survey:
    """One survey. `run` it once."""

    def __init__(
        self,
        bench: Bench,
        sketches: Sequence[Sketch],
        scope: Scope,
        early: Sequence[int],
        clock: Callable[[], float],
        tell: Callable[[Progress | Found], None],
        known: Callable[[Tongue, str, Setting], bool] = lambda _tongue, _who, _setting: False,
        others: Mapping[str, Profile] | None = None,
    ) -> None:
        """Make a survey.

        `early`: likely units; `clock`: seconds; `known`: who is not to be asked, because others do it;
        `others`: profiles of other protocols than Modbus.
        """
        self._bench = bench
        self._closer = Closer(bench, sketches, others, known)
        self._scope = scope
        self._early = early
        self._clock = clock
        self._tell = tell
        self._known = known
        self._others = others or {}
        self._done = 0.0
        self._ahead: list[Step] = []
        self.report = Report()

    async def run(self, deadline: float) -> Report:
        """Survey the line; what is not begun by `deadline` is left out, and the report says so."""
        self._ahead = plan.first_sweep(self._scope, self._early)
        if self._scope.listen:
            await self._listen()
        await self._sweep(deadline)
        at = dict.fromkeys(found.setting for found in self.report.found if found.tongue is Tongue.MODBUS)
        self._ahead = plan.second_sweep(self._scope, set(self._early), list(at))
        await self._sweep(deadline)
        return self.report

    async def _listen(self) -> None:
        """Hear who talks by himself; where there is something that is not understood, try other rates."""
        todo = list(self._scope.settings or plan.LISTEN)
        heard_any, longest = False, plan.LISTEN_FOR
        while todo:
            setting = todo.pop(0)
            self._show(setting, "…")
            data = await self._bench.listen(setting, longest)
            longest = plan.LISTEN_ELSE
            if self._recognise(setting, data):
                return
            if data and not heard_any and not self._scope.settings:
                heard_any = True
                todo += [s for s in plan.MODBUS if s not in plan.LISTEN]

    def _recognise(self, setting: Setting, data: bytes) -> bool:
        heard = hear(data)
        for tongue, said in heard.items():
            for who in dict.fromkeys(one.who for one in said if not one.asks):
                frame = next(one.frame for one in said if one.who == who)
                self._add(Found(tongue, who, setting, frame=frame))
        return bool(heard)

    async def _sweep(self, deadline: float) -> None:
        while self._ahead:
            step = self._ahead.pop(0)
            parts = plan.pieces(step)
            while parts and self._clock() < deadline:
                await self._piece(parts.pop(0))
            if parts:
                rest = tuple(shot for part in parts for shot in part.shots)
                self.report.left_out += [Step(step.setting, rest, step.what), *self._ahead]
                self._ahead = []

    async def _piece(self, step: Step) -> None:
        setting = step.setting
        shots = [shot for shot in step.shots if not self._skip(shot, setting)]
        self._show(setting, step.what)
        heard = await self._bench.ask(setting, shots) if shots else []
        verdicts = [probes.judge(shot, each) for shot, each in zip(shots, heard, strict=True)]
        self._done += step.seconds
        self.report.echo = self.report.echo or any(verdict.echo for verdict in verdicts)
        garbage = sum(verdict.sound is Sound.GARBAGE for verdict in verdicts)
        noisy = garbage > max(2, NOISY * len(shots))
        if noisy and setting not in self.report.noisy:
            self.report.noisy.append(setting)
        for suspect in suspects(shots, verdicts, believe_garbage=not noisy):
            async for found in self._closer.look(suspect, setting):
                self._add(found)

    def _skip(self, shot: Shot, setting: Setting) -> bool:
        """Whether there is nothing to be learnt by asking: it was found already, or others ask it."""
        whom = probes.whom(shot)
        there = any((f.tongue, f.who, f.setting) == (shot.tongue, whom, setting) for f in self.report.found)
        return bool(whom) and (there or self._known(shot.tongue, whom, setting))

    def _add(self, found: Found) -> None:
        if self._known(found.tongue, found.who, found.setting):
            return
        same = (found.tongue, found.who, found.setting)
        if any((f.tongue, f.who, f.setting) == same for f in self.report.found):
            return
        if found.tongue is not Tongue.MODBUS and not found.matches:
            found.matches = matches(found.tongue, self._others)
        self.report.found.append(found)
        self._tell(found)

    def _show(self, setting: Setting, what: str) -> None:
        ahead = sum(step.seconds for step in self._ahead)
        self._tell(Progress(self._done, self._done + ahead, setting, what))


def suspects(shots: Sequence[Shot], verdicts: Sequence[Verdict], *, believe_garbage: bool) -> list[Shot]:
    """Return whom to look at closer: who answered, and who may have answered late or broken."""
    wanted: dict[tuple[Tongue, str], Shot] = {}
    for number, (shot, verdict) in enumerate(zip(shots, verdicts, strict=True)):
        match verdict.sound:
            case Sound.ANSWER:
                here = [shot]
            case Sound.OTHER:
                speakers = {one.who for one in verdict.said}
                here = [each for each in shots if probes.whom(each) in speakers]
            case Sound.GARBAGE if believe_garbage:
                here = list(shots[max(number - 1, 0) : number + 1])  # perhaps the one before, late
            case _:
                continue
        for each in here:
            wanted.setdefault((each.tongue, probes.whom(each)), each)
    return list(wanted.values())
