"""What every northbound link is, and what it takes from the store."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.links.ranges import Range
    from gateway.links.record import Record
    from gateway.model import AlarmEvent
    from gateway.store.records import Backlog


class Source(Protocol):
    """One lane of the store as one link sees it: `gateway.store.Cursor`."""

    wake: asyncio.Event  # set when the lane grew; the reader clears it before it reads

    @property
    def backlog(self) -> Backlog:
        """What is not confirmed yet."""

    async def read(
        self, after: tuple[int, int] | None = None, limit: int = 64, size: int = 1 << 20
    ) -> Sequence[Record]:
        """Return unconfirmed records after a place, oldest first."""

    async def read_newest(self, limit: int = 1) -> Sequence[Record]:
        """Return the newest unconfirmed records, newest first."""

    async def confirm(self, epoch: int, ranges: Iterable[Range]) -> int:
        """Forget what the far end has; return how many that were."""


@dataclass(slots=True)
class LaneState:
    """How one lane of a link stands."""

    backlog: int = 0  # records without receipt
    backlog_rows: int = 0
    oldest: int | None = None  # wall ns of the oldest record without receipt
    last_receipt_age: float | None = None  # s
    sent: int = 0
    resent: int = 0
    confirmed: int = 0
    unknown_receipts: int = 0
    refused: int = 0
    unheard: int = 0  # the broker had no subscriber for it


@dataclass(slots=True)
class LinkState:
    """How a link is, for health, console and CLI."""

    name: str
    connected: bool = False
    since: float = 0.0  # s in this state
    why: str = ""  # why it is not connected, or what it complains of
    losses: int = 0
    lanes: dict[str, LaneState] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the state as JSON-able data."""
        return asdict(self)


class Link(Protocol):
    """Carries records to one far end. It holds nothing durable: what has no receipt stays in the store."""

    name: str

    async def run(self) -> None:
        """Work until cancelled; then say goodbye. Expected failures are handled within."""

    def state(self) -> LinkState:
        """Return how the link is; cheap enough to be called each second."""

    def fresh(self, records: Sequence[Record]) -> None:
        """Learn what was just committed to the alarm lane, to tell it without asking the store first.

        Never waits. What cannot be told now is found in the store, as everything is.
        """

    def alarms(self, events: Iterable[AlarmEvent]) -> None:
        """Learn how alarms stand, after the event is in the store; for links that show a state."""

    def health(self, report: Mapping[str, Any]) -> None:
        """Learn how the gateway is; for links that show it."""
