"""What a unit still owes us: the proof that no late answer is ever credited to another request. Pure.

Modbus RTU answers carry no mark that says which request they belong to. The proof rests on one property
of a serial unit: it handles one request after the other and answers each at most once, so its answers
come in the order of our requests (some may be missing).

For each unit we keep the requests it has not answered, in the order sent. Two rules:

1. A request whose value will be used is sent only while no owed request has an answer of the same shape
   (`clashes` is false).
2. A frame of the unit could have been caused by any owed request whose shape it fits. It was caused by the
   earliest of them or by a later one. In both cases that earliest request and everything sent before it
   will not be answered any more: those are struck off, nothing else is (`settle`).

The request under way stands last in the list. By rule 1 no other owed request fits a good answer to it; so
when a good frame fits it, it was the cause, and everything older is struck off: the value is its own. An
exception says only the function; it is credited to the request under way only if no older owed request
has that function, else it strikes off that older one and we go on waiting.

When rule 1 forbids a request, a *fence* is sent first: a read of another shape, whose value nobody uses.
Whatever answers it, even an exception, strikes off the requests before it. No time enters the argument.

One concession, for units that stay silent on every fence yet answer their own registers: an owed request
lapses after `LAPSE` quarantines (10 s by default). A unit that answers later than that is not served safely
by any master; raise the line's `quarantine` for a link that may hold frames back so long.
"""

from __future__ import annotations

from typing import NamedTuple

LAPSE = 10.0  # quarantines
MOST = 32  # owed requests per unit; beyond it the unit is held until the oldest lapses


class Debt(NamedTuple):
    """One request that was sent and not answered."""

    shape: bytes  # how a good answer begins
    answer: int | None  # its whole length, when it is known
    refusal: bytes | None  # the first byte of a refusal, which has two
    sent: float

    def fits(self, pdu: bytes) -> bool:
        """Return True when this request may have caused the answer `pdu`."""
        if pdu.startswith(self.shape):
            return self.answer is None or len(pdu) == self.answer
        return self.refusal is not None and len(pdu) == 2 and pdu.startswith(self.refusal)


class Owed:
    """The unanswered requests of one unit, oldest first, and until when it is left alone."""

    __slots__ = ("_debts", "attempt", "held")

    def __init__(self) -> None:
        self._debts: list[Debt] = []
        self.held = 0.0  # monotonic: not asked before this moment
        self.attempt = 0  # fences tried since the unit last answered

    def __len__(self) -> int:
        return len(self._debts)

    @property
    def full(self) -> bool:
        """True when no further unanswered request can be remembered."""
        return len(self._debts) >= MOST

    @property
    def oldest(self) -> float:
        """When the oldest unanswered request was sent."""
        return self._debts[0].sent if self._debts else 0.0

    def add(self, debt: Debt) -> None:
        """Remember a request that went unanswered."""
        self._debts.append(debt)

    def clashes(self, shape: bytes) -> bool:
        """Return True when a late answer could be taken for an answer of this shape."""
        return any(d.shape.startswith(shape) or shape.startswith(d.shape) for d in self._debts)

    def settle(self, pdu: bytes) -> bool:
        """Strike off what the frame proves to be over (rule 2); return False when it fits nothing owed."""
        for index, debt in enumerate(self._debts):
            if debt.fits(pdu):
                del self._debts[: index + 1]
                self.held = 0.0
                return True
        return False

    def clear(self) -> None:
        """Forget all: the last request was answered by its own answer, so nothing older can come."""
        self._debts.clear()
        self.held = 0.0
        self.attempt = 0

    def lapse(self, before: float) -> None:
        """Forget the requests sent before this moment."""
        while self._debts and self._debts[0].sent < before:
            del self._debts[0]
