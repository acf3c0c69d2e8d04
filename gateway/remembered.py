"""The orders that were carried out, on disk before they are: one id is one order, also across a restart.

An order is remembered for as long as it would be valid; after that its own end refuses it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.model import Answer, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.clock import Clock
    from gateway.model import Command, Value

ORDER = "@order"  # how they are kept beside the states of alarms; no device has an @ in its name

Keep = Callable[[list[tuple[tuple[str, str], Any]]], Awaitable[object]]
"""Puts states on disk, in one transaction; None takes one out."""
UNKNOWN = "begun before the gateway was restarted; what became of it is not known: read the point"


@dataclass(slots=True)
class Memory:
    """One order, and what became of it, as far as is known."""

    device: str
    point: str
    value: Value
    outcome: str = ""
    reason: str = ""
    data: dict[str, Any] = field(default_factory=dict)


class Remembered:
    """The orders of earlier runs by their ids, and the way to keep those of this one."""

    def __init__(self, keep: Keep, restored: Mapping[str, Any], clock: Clock, lasts: float) -> None:
        """`restored`: what `keep` was given, by id; `lasts`: seconds an order is valid at most."""
        self._keep, self._clock = keep, clock
        self._before = {name: Memory(**data) for name, data in restored.items()}
        self._ends = dict.fromkeys(restored, clock.mono() + lasts)

    def knows(self, name: str) -> bool:
        """Return whether there was an order of this id in an earlier run."""
        return name in self._before

    def answer(self, command: Command) -> Answer | None:
        """Return the answer to an order of an earlier run; None when there was none of this id."""
        memory = self._before.get(command.id)
        if memory is None:
            return None
        if (memory.device, memory.point, memory.value) != (command.device, command.point, command.value):
            return Answer(command.id, Outcome.CONFLICT, "this id was used for another order")
        if not memory.outcome:
            return Answer(command.id, Outcome.CONFLICT, UNKNOWN)
        return Answer(command.id, Outcome(memory.outcome), memory.reason, memory.data)

    async def begin(self, command: Command) -> None:
        """Put an order on disk before it is carried out; those that have ended go."""
        now = self._clock.mono()
        over = [name for name, end in self._ends.items() if end <= now]
        for name in over:
            del self._ends[name]
            self._before.pop(name, None)
        self._ends[command.id] = command.expires
        memory = Memory(command.device, command.point, command.value)
        await self._keep([((ORDER, command.id), asdict(memory)), *(((ORDER, name), None) for name in over)])

    async def end(self, command: Command, answer: Answer) -> None:
        """Put on disk what became of it."""
        memory = Memory(
            command.device,
            command.point,
            command.value,
            answer.outcome.value,
            answer.reason,
            dict(answer.data),
        )
        await self._keep([((ORDER, command.id), asdict(memory))])
