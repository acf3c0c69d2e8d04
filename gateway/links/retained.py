"""What should stand retained at the broker: told again on each connection, cleared when gone. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Retained:
    """The wanted retained payload of each topic; an empty payload clears the topic."""

    def __init__(self) -> None:
        self._wanted: dict[str, bytes] = {}
        self._untold: dict[str, None] = {}  # ordered: told in the order of their change
        self._in_hand: dict[int, tuple[str, bytes]] = {}

    def want(self, topic: str, payload: bytes) -> None:
        """Want this payload under the topic."""
        if self._wanted.get(topic) != payload:
            self._wanted[topic] = payload
            self._untold.pop(topic, None)
            self._untold[topic] = None

    def found(self, topic: str, payload: bytes) -> None:
        """Note what the broker has: what an earlier life left behind is to be cleared."""
        if payload and topic not in self._wanted:
            self.want(topic, b"")

    def next(self) -> tuple[str, bytes] | None:
        """Return what to publish next."""
        topic = next(iter(self._untold), None)
        if topic is None:
            return None
        del self._untold[topic]
        return topic, self._wanted[topic]

    def handed(self, mid: int, topic: str, payload: bytes) -> None:
        """Note that it was handed over under this number."""
        self._in_hand[mid] = (topic, payload)

    def told(self, mid: int) -> bool:
        """Note a PUBACK, return whether it was for one of these. What was cleared is forgotten."""
        if mid not in self._in_hand:
            return False
        topic, payload = self._in_hand.pop(mid)
        if not payload and self._wanted.get(topic) == b"":
            del self._wanted[topic]
        return True

    def disconnected(self) -> None:
        """Have everything told again."""
        self._in_hand.clear()
        self._untold = dict.fromkeys(self._wanted)

    @property
    def in_hand(self) -> int:
        """How many wait for their PUBACK."""
        return len(self._in_hand)

    @property
    def wanted(self) -> Mapping[str, bytes]:
        """What should stand at the broker."""
        return self._wanted
