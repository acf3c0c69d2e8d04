"""Looks closer at whoever answered: is it one device, what does it hold, which model may it be. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.dlt645.frame import Edition, decode_frame
from drivers.registers import Table
from drivers.survey import probes
from drivers.survey.found import Found, Trouble
from drivers.survey.image import Image, Span
from drivers.survey.others import meter_matches, meters
from drivers.survey.probes import Sound
from drivers.survey.score import rank
from drivers.survey.talk import Shot, Tongue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from drivers.profile import Profile
    from drivers.survey.probes import Verdict
    from drivers.survey.score import Match, Sketch
    from drivers.survey.talk import Bench, Setting

LOOKS: Final = 6  # spans read before the belief is reckoned anew
CLEAR, BEATEN = 0.9, 0.03  # enough belief, and so little for the next: no need to read on
LEAST_SHARE: Final = 0.01
NOWHERE: Final = Span(Table.HOLDING, 0xEA60, 1)  # nobody has it: who answers here answers anything
AGAIN: Final = 3  # times somebody who answered garbage is asked again
MOST_METERS: Final = 32
LINGER: Final = 0.03  # seconds after an answer: does a second one follow?
TABLES: Final = (Table.HOLDING, Table.INPUT, Table.DISCRETE, Table.COIL)


class Closer:
    """Looks at one suspect after the other."""

    def __init__(
        self,
        bench: Bench,
        sketches: Sequence[Sketch],
        others: Mapping[str, Profile] | None,
        known: Callable[[Tongue, str, Setting], bool],
    ) -> None:
        """`known`: who is not to be asked, because others do it."""
        self._bench = bench
        self._known = known
        self._others = others or {}
        self._sketches = list(sketches)
        spans = {span for each in sketches for span in each.spans}
        self._spans = sorted(spans, key=lambda s: (TABLES.index(s.table), -s.count, s.start))

    async def look(self, shot: Shot, setting: Setting) -> AsyncIterator[Found]:
        """Yield whoever is found behind a shot that was answered."""
        match shot.tongue:
            case Tongue.MODBUS:
                found = await self._unit(int(probes.whom(shot)), setting)
                if found is not None:
                    yield found
            case Tongue.DLT645:
                async for found in self._meters(decode_frame(shot.frame).edition, setting):
                    yield found
            case _:
                verdict, wait = await self._ask(setting, shot)
                for one in verdict.said:
                    yield Found(shot.tongue, one.who, setting, wait, frame=one.frame)

    async def _ask(self, setting: Setting, shot: Shot) -> tuple[Verdict, float | None]:
        heard = (await self._bench.ask(setting, [shot]))[0]
        return probes.judge(shot, heard), heard.wait

    async def _unit(self, unit: int, setting: Setting) -> Found | None:
        """Ask a unit again, with patience; then look at what it holds."""
        sounds: list[Sound] = []
        shot = probes.modbus(unit, setting, probes.LATE, LINGER)
        for _ in range(AGAIN):
            verdict, wait = await self._ask(setting, shot)
            sounds.append(verdict.sound)
            if verdict.sound is Sound.ANSWER:
                found = Found(Tongue.MODBUS, str(unit), setting, wait, frame=verdict.said[0].frame)
                if sum(one.who == str(unit) for one in verdict.said) > 1:
                    found.trouble = Trouble.TWICE
                elif Sound.GARBAGE in sounds:
                    found.trouble = Trouble.GARBLED
                found.matches = await self._who(unit, setting, wait or 0.0)
                return found
        if sounds.count(Sound.GARBAGE) == AGAIN:
            return Found(Tongue.MODBUS, str(unit), setting, trouble=Trouble.GARBLED)
        return None

    async def _who(self, unit: int, setting: Setting, wait: float) -> list[Match]:
        """Read what tells the profiles apart, until one of them is clear."""
        image = Image()
        patience = min(max(setting.silence + 3 * wait, 0.08), 0.5)
        todo = [NOWHERE, *self._spans]
        matches: list[Match] = []
        while todo:
            batch: list[Span] = []
            while todo and len(batch) < LOOKS:
                span = todo.pop(0)
                if not image.has(span) and not image.mute(span.table):
                    batch.append(span)
            await self._read(image, unit, setting, batch, patience)
            matches = rank(self._sketches, image, unit, setting)
            if self._clear(matches, image):
                break
        return [match for match in matches if match.share >= LEAST_SHARE]

    def _clear(self, matches: Sequence[Match], image: Image) -> bool:
        """Whether the best is far ahead and nothing of it remains to be read."""
        if not matches or matches[0].share < CLEAR or (len(matches) > 1 and matches[1].share > BEATEN):
            return False
        own = next(each for each in self._sketches if each.name == matches[0].profile)
        return all(image.has(span) or image.lacks(span) for span in own.spans)

    async def _read(
        self, image: Image, unit: int, setting: Setting, batch: Sequence[Span], patience: float
    ) -> None:
        """Put spans into the image; what is not answered is asked once more."""
        shots = [Shot(Tongue.MODBUS, span.query(unit).rtu, patience) for span in batch]
        heard = await self._bench.ask(setting, shots)
        for shot, span, each in zip(shots, batch, heard, strict=True):
            if _take(image, unit, span, probes.judge(shot, each)):
                continue
            verdict, _ = await self._ask(setting, shot)
            if not _take(image, unit, span, verdict):
                image.silent.add(span)

    async def _meters(self, edition: Edition, setting: Setting) -> AsyncIterator[Found]:
        """Find every meter: where several answer at once, ask them by their last digits."""
        todo, found = [""], 0
        while todo and found < MOST_METERS:
            digits = todo.pop(0)
            verdict, wait = await self._ask(setting, probes.meters(setting, edition, digits))
            for who in dict.fromkeys(one.who for one in verdict.said):
                found += 1
                if self._known(Tongue.DLT645, who, setting):
                    continue
                frame = next(one.frame for one in verdict.said if one.who == who)
                model = await self._meter(who, setting, wait or 0.0)
                yield Found(Tongue.DLT645, who, setting, wait, model, frame=frame)
            if verdict.sound is Sound.GARBAGE and len(digits) < 12:
                todo += [f"{pair:02d}{digits}" for pair in range(100)]

    async def _meter(self, who: str, setting: Setting, wait: float) -> list[Match]:
        """Ask a meter for whatever tells the meter profiles apart."""
        items = sorted({item for known in meters(self._others).values() for item in known})
        patience = min(max(3 * wait, 0.15), probes.METER)
        answered: list[str] = []
        refused: list[str] = []
        for name in items:
            verdict, _ = await self._ask(setting, probes.item(setting, who, name, patience))
            for one in verdict.said:
                (refused if decode_frame(one.frame).refused else answered).append(name)
        return meter_matches(answered, refused, self._others)


def _take(image: Image, unit: int, span: Span, verdict: Verdict) -> bool:
    """Put an answer into the image; False when there was none."""
    size = 5 + ((span.count + 7) // 8 if span.table.is_bits else 2 * span.count)
    function = span.query(unit).function
    for frame in (one.frame for one in verdict.said if one.frame[0] == unit):
        if frame[1] == function | 0x80:
            image.refused.add(span)
            return True
        if frame[1] == function and len(frame) == size:
            image.take(span, frame[2:-2])
            return True
    return False
