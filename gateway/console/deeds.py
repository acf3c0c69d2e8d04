"""Everything people do, in one place: who it is, whether he may, what became of it, and the audit.

Whatever the way in, a deed goes through here: a refusal is written down like a deed that was done, in the
same transaction as the events that came of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.model import Answer, Outcome
from gateway.pipeline import Deed
from gateway.store.chain import compact
from rules.actions import Reply
from rules.permissions import Ask, Person, Role, Task, judge
from rules.rule import gravity
from rules.view import to_be_seen, view_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gateway.clock import Clock
    from gateway.model import Instant
    from gateway.pipeline import Pipeline
    from rules.actions import Action
    from rules.alarm import Alarm
    from rules.engine import Engine
    from rules.rule import AlarmKey

MACHINE = Person("", Role.AUTOMATION)
WAITS = 15 * 60.0  # seconds a request waits for its second person
MOST_REQUESTS = 32


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants done: to which alarms, and what else is to be written down."""

    ask: Ask
    keys: Sequence[AlarmKey]
    action: Callable[[Person, Person | None], Action]
    facts: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, str] = field(default_factory=dict)
    then: Callable[[Person, Person | None, Instant], Mapping[str, str]] | None = (
        None  # when done: small values
    )


@dataclass(frozen=True, slots=True)
class Request:
    """An order that waits for a second person."""

    id: str
    who: Person
    order: Order
    until: float  # monotonic seconds


class Deeds:
    """Judges orders, has the engine carry them out, and writes everything down."""

    def __init__(self, engine: Engine, pipeline: Pipeline, clock: Clock, epoch: int) -> None:
        self._engine = engine
        self._pipeline = pipeline
        self._clock = clock
        self._epoch = epoch
        self._asked = 0
        self._waiting: dict[str, Request] = {}

    # What is asked.

    async def do(self, who: Person, order: Order, second: Person | None = None) -> Answer:
        """Carry out an order if he may; an order for two people waits for the second."""
        verdict = judge(order.ask, who, second)
        if not verdict.allowed:
            if verdict.reason == "second_person":
                return await self._wait(who, order)
            data = {"most": f"{verdict.most:.0f} s"} if verdict.most else {}
            answer = Answer("", Outcome.REFUSED, verdict.reason, data)
            await self.note(who, order.ask, answer, order.facts, second)
            return answer
        return await self._act(who, order, second)

    async def decide(self, order: Order) -> Answer:
        """Carry out what the gateway itself decided; it is written down like anybody's deed."""
        return await self._act(MACHINE, order, None)

    async def _act(self, who: Person, order: Order, second: Person | None) -> Answer:
        before = self._seen(order.keys)

        def act(engine: Engine, now: Instant) -> Reply:
            return each(engine, order.keys, order.action(who, second), now)

        def deed(reply: Reply) -> Deed:
            facts = {**order.facts, "before": before, "after": self._seen(order.keys)}
            entry = self.entry(who, order.ask, Answer("", reply.outcome, reply.reason), facts, second)
            small = dict(order.small)
            if reply.outcome is Outcome.DONE and order.then is not None:
                small |= order.then(who, second, self._clock.now())
            return Deed(entry, small if reply.outcome is Outcome.DONE else {})

        return await self._pipeline.act(act, deed)

    async def permit(self, who: Person, ask: Ask, facts: Mapping[str, Any]) -> Answer | None:
        """Return the refusal of what is not about alarms, written down; None when he may."""
        verdict = judge(ask, who)
        if verdict.allowed:
            return None
        answer = Answer("", Outcome.REFUSED, verdict.reason)
        await self.note(who, ask, answer, facts)
        return answer

    async def note(
        self, who: Person, ask: Ask, answer: Answer, facts: Mapping[str, Any], second: Person | None = None
    ) -> None:
        """Write down what was done or refused without the engine."""
        await self._pipeline.note(Deed(self.entry(who, ask, answer, facts, second), {}))

    async def keep(self, small: Mapping[str, str]) -> None:
        """Put small values on disk that changed beside any alarm."""
        await self._pipeline.note(Deed(b"", small))

    # Two people.

    async def _wait(self, who: Person, order: Order) -> Answer:
        now = self._clock.mono()
        self._waiting = {name: r for name, r in self._waiting.items() if r.until > now}
        while len(self._waiting) >= MOST_REQUESTS:
            del self._waiting[next(iter(self._waiting))]
        self._asked += 1
        request = Request(f"{self._epoch}.{self._asked}", who, order, now + WAITS)
        self._waiting[request.id] = request
        answer = Answer("", Outcome.REFUSED, "second_person", {"request": request.id})
        await self.note(who, order.ask, answer, {**order.facts, "request": request.id})
        return answer

    async def approve(self, second: Person, name: str) -> Answer:
        """Have a request carried out; `second` stands for it as well. One that is refused goes on waiting."""
        request = self._waiting.get(name)
        if request is None or request.until <= self._clock.mono():
            return Answer("", Outcome.CONFLICT, "no_request")
        answer = await self.do(request.who, request.order, second)
        if answer.outcome is Outcome.DONE:
            self._waiting.pop(name, None)
        return answer

    def waiting(self) -> list[dict[str, Any]]:
        """Return the requests that wait, for people."""
        now = self._clock.mono()
        return [
            {
                "request": r.id,
                "who": r.who.name,
                "task": r.order.ask.task.value,
                "comment": r.order.ask.comment,
                "seconds": r.order.ask.seconds,
                "left": round(r.until - now, 1),
                **r.order.facts,
            }
            for r in self._waiting.values()
            if r.until > now
        ]

    # What is known of the alarms.

    def ask(self, task: Task, keys: Iterable[AlarmKey], seconds: float = 0.0, comment: str = "") -> Ask:
        """Return what is asked about these alarms: level and protection of the gravest.

        An acknowledgement is about the alarm as it stands; what hides one, about the worst it may become.
        """
        alarms = self.alarms(keys)
        levels = [_level(alarm, task) for alarm in alarms]
        level = min(levels, key=gravity, default=0)
        return Ask(task, level, any(alarm.protected for alarm in alarms), seconds, comment)

    def alarm(self, key: AlarmKey) -> Alarm | None:
        """Return one alarm of the engine."""
        return next(iter(self.alarms([key])), None)

    def alarms(self, keys: Iterable[AlarmKey]) -> list[Alarm]:
        """Return these alarms of the engine, in one walk: a drill may be about thousands."""
        wanted = set(keys)
        return [alarm for alarm in self._engine.alarms() if alarm.key in wanted]

    def keys(self, devices: Iterable[str]) -> list[AlarmKey]:
        """Return all alarms of some devices."""
        wanted = set(devices)
        return [alarm.key for alarm in self._engine.alarms() if alarm.key[0] in wanted]

    def _seen(self, keys: Sequence[AlarmKey]) -> dict[str, Any] | None:
        """Return how one alarm stands, for the audit; None for none or many."""
        alarm = self.alarm(keys[0]) if len(keys) == 1 else None
        if alarm is None or not to_be_seen(alarm):
            return None
        view = view_of(alarm, self._clock.mono())
        names = (
            "occurrence",
            "activation",
            "letter",
            "level",
            "acked",
            "latched",
            "shelved",
            "out_of_service",
        )
        return {name: getattr(view, name) for name in names}

    def entry(
        self,
        who: Person,
        ask: Ask,
        answer: Answer,
        facts: Mapping[str, Any],
        second: Person | None = None,
    ) -> bytes:
        """Return the entry of the audit: who, what, what became of it."""
        entry: dict[str, Any] = {
            "type": "action",
            "task": ask.task.value,
            "outcome": answer.outcome.value,
            "why": answer.reason,
            "who": _written(who),
            "second": None if second is None else _written(second),
            "comment": ask.comment,
            "seconds": ask.seconds,
            **facts,
        }
        return compact(entry)


def each(engine: Engine, keys: Sequence[AlarmKey], action: Action, now: Instant) -> Reply:
    """Do the same to several alarms: done when it was done to any, else refused as the first was."""
    replies = [engine.act(key, action, now) for key in keys]
    events = [event for reply in replies for event in reply.events]
    if not replies:
        return Reply(Outcome.DONE, "", events)
    best = next((reply for reply in replies if reply.outcome is Outcome.DONE), replies[0])
    return Reply(best.outcome, best.reason, events)


def _level(alarm: Alarm, task: Task) -> int:
    o = alarm.state.occurrence
    return alarm.spec.rule.worst_level if o is None or task is not Task.ACK else o.level


def _written(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "role": person.role.value,
        "level": person.role.level,
        "account": person.account,
        "way": person.way,
        "from": person.origin,
    }
