"""The notices that wait for their people, and what became of them: bounded, and kept on disk. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rules.groups import CLASSES
from rules.receipts import Notice, NoticeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Instant
    from rules.ladders import Climb

KEPT = 2000  # notices that are done
MOST = 20_000  # notices; then the oldest of the least grave goes, and is counted
DRILL = {"zh": "【演练】", "en": "[DRILL] "}
LISTED = 100  # alarms named in one notice


class Outbox:
    """Notices by number, oldest first."""

    def __init__(self) -> None:
        self.notices: dict[int, Notice] = {}
        self.next = 1
        self.dropped = 0  # by the bound
        self.dirty: set[int] = set()
        self._reminders: dict[tuple[str, str], int] = {}  # person, cause -> the last one

    def write(
        self, person: str, kind: NoticeKind, climbs: Sequence[Climb], now: Instant, cause: str = ""
    ) -> None:
        """Put a notice into the outbox; a reminder only when the last one is no longer on its way."""
        cause = cause if len(climbs) > 1 else climbs[0].occurrence
        if kind is NoticeKind.REMINDER:
            last = self.notices.get(self._reminders.get((person, cause), 0))
            if last is not None and not last.done:
                return
            self._reminders[person, cause] = self.next
        worst = min((climb.level for climb in climbs), key=lambda level: level or 5)
        title = climbs[0].title if len(climbs) == 1 else together(climbs)
        if kind is NoticeKind.CLEAR:
            title = {"zh": f"解除：{title['zh']}", "en": f"over: {title['en']}"}
        names = [climb.name for climb in climbs[:LISTED]]
        more, test = len(climbs) - len(names), all(climb.test for climb in climbs)
        if test:
            title = {language: DRILL[language] + text for language, text in title.items()}
        self.post(
            Notice(self.next, person, kind, cause, worst, dict(title), now.wall, now.mono, names, more, test)
        )

    def post(self, notice: Notice) -> None:
        """Put a new notice into the outbox; its number must be `next`."""
        self.put(notice)
        self.dirty.add(notice.id)

    def put(self, notice: Notice) -> None:
        """Take in a notice."""
        self.notices[notice.id] = notice
        self.next = max(self.next, notice.id + 1)
        if notice.kind is NoticeKind.REMINDER:
            self._reminders[notice.person, notice.cause] = notice.id

    def tick(self, mono: float) -> None:
        """Take second ways, let old ones expire, keep the bounds."""
        for notice in self.notices.values():
            if notice.tick(mono):
                self.dirty.add(notice.id)
        done = [number for number, notice in self.notices.items() if notice.done]
        gone = done[: max(0, len(done) - KEPT)]
        surplus = len(self.notices) - len(gone) - MOST
        if surplus > 0:
            left = [n for n in self.notices.values() if not n.done]
            gone += [n.id for n in sorted(left, key=lambda n: (-(n.level or 5), n.id))[:surplus]]
            self.dropped += surplus
        for number in gone:
            notice = self.notices.pop(number)
            self.dirty.add(number)
            if self._reminders.get((notice.person, notice.cause)) == number:
                del self._reminders[notice.person, notice.cause]

    def take_dirty(self, mono: float) -> list[tuple[str, dict[str, Any] | None]]:
        """Return what changed since the last call; None: it is no more."""
        found = [(str(n), self.notices[n].to_json(mono) if n in self.notices else None) for n in self.dirty]
        self.dirty.clear()
        return found


def together(climbs: Sequence[Climb]) -> dict[str, str]:
    """Return the title of several alarms in one notice."""
    begun, over = sum(not climb.over for climb in climbs), sum(climb.over for climb in climbs)
    zh, en = CLASSES[climbs[0].alarm_class]
    parts_zh = [f"{begun} 个{zh}告警"] * bool(begun) + [f"{over} 个解除"] * bool(over)
    parts_en = [f"{begun} {en} alarms"] * bool(begun) + [f"{over} over"] * bool(over)
    first = climbs[0].title
    return {
        "zh": f"{'，'.join(parts_zh)}：{first['zh']} 等",
        "en": f"{', '.join(parts_en)}: {first['en']} ...",
    }
