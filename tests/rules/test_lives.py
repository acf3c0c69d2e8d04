"""The transition table of alarms.md 3.3 as lives: what happens, when, what is told, and the letter it leaves."""

from __future__ import annotations

from typing import Any

import pytest
from alarm_life import Life, limit

from gateway.model import AlarmClass, EventKind
from rules.actions import Ack
from rules.conditions import Level, OnBad, OverRange

Story = list[tuple[float, str, str, str]]

LATCH: dict[str, Any] = {"latch": True}
LEVEL1: dict[str, Any] = {"level": 1, "on_delay": 0.0}
LEVEL2: dict[str, Any] = {"level": 2, "on_delay": 0.0}
FAULT: dict[str, Any] = {"alarm_class": AlarmClass.FAULT, "level": 0}
GAS: dict[str, Any] = {"alarm_class": AlarmClass.GAS, "level": 2, "over_range": OverRange.ALARM}
TWO: dict[str, Any] = {
    "limit": None,
    "levels": (
        Level(limit=80, level=1, deadband=5, off_delay=2),
        Level(limit=50, level=3, deadband=5, on_delay=2, off_delay=3),
    ),
}
RAISED: Story = [(1, "on", "", "A"), (2, "on", "", "A"), (3, "on", "raise", "B")]
RETURNED: Story = [
    *RAISED,
    (4, "off", "", "B"),
    (5, "off", "", "B"),
    (6, "off", "", "B"),
    (7, "off", "clear", "D"),
]
LATCHED: Story = [*RETURNED[:-1], (7, "off", "cond_normal", "E")]

LIVES: dict[str, tuple[dict[str, Any], Story]] = {
    "row 1: a true condition waits for its delay": ({}, [(1, "on", "", "A"), (2, "on", "", "A")]),
    "row 2: without a delay it is an alarm at once": ({"on_delay": 0.0}, [(1, "on", "raise", "B")]),
    "row 3: a condition that goes away in time was nothing": (
        {},
        [(1, "on", "", "A"), (2, "off", "", "A"), (3, "on", "", "A"), (4, "on", "", "A"), (5, "on", "raise", "B")],
    ),
    "row 4: the delay completes with a sample": ({}, RAISED),
    "row 4: the delay completes between samples, while the last one is fresh": (
        {},
        [(1, "on", "", "A"), (2.5, "on", "", "A"), (2.9, "tick", "", "A"), (3, "tick", "raise", "B")],
    ),
    "row 4: a returned alarm that comes again repeats": (
        {},
        [*RETURNED, (8, "on", "", "D"), (10, "on", "repeat", "B"), (11, "off", "", "B"), (14, "off", "clear", "D")],
    ),
    "row 4: acknowledged and latched, it comes again: unacknowledged": (
        LATCH,
        [*LATCHED, (8, "ack", "ack", "F"), (9, "on", "", "F"), (11, "on", "repeat", "B")],
    ),
    "rows 5 and 7: it clears after its delay": ({}, RETURNED),
    "row 5: without a delay it clears at once": ({"off_delay": 0.0}, [*RAISED, (4, "off", "clear", "D")]),
    "row 6: true again before the delay is over is the same activation": (
        {},
        [*RAISED, (4, "off", "", "B"), (5, "on", "", "B"), (6, "off", "", "B"), (8, "off", "", "B"), (9, "off", "clear", "D")],
    ),
    "row 7: a latching alarm waits for its reset": (LATCH, LATCHED),
    "row 7: auto_ack closes by itself": (
        {"auto_ack": True},
        [*RAISED, (4, "off", "", "B"), (7, "off", "clear closed", "A")],
    ),
    "row 8: bad input changes nothing at rest": ({}, [(1, "off", "", "A"), (2, "bad", "", "A"), (99, "tick", "", "A")]),
    "row 9: bad input freezes the delay": (
        {},
        [(1, "on", "", "A"), (2, "on", "", "A"), (2.5, "bad", "", "A"), (3.5, "tick", "", "A"), (4, "on", "raise", "B")],
    ),
    "row 10: an active alarm stays active on bad input": (
        {},
        [*RAISED, (4, "bad", "update", "B"), (5, "bad", "", "B"), (99, "tick", "", "B")],
    ),
    "row 11: bad input while clearing: active again": (
        {},
        [*RAISED, (4, "off", "", "B"), (5, "bad", "update", "B"), (6, "off", "", "B"), (7, "off", "", "B"), (9, "off", "", "B"), (10, "off", "clear", "D")],
    ),
    "row 11: silence while clearing: active again": (
        {"off_delay": 10.0},
        [*RAISED, (4, "off", "", "B"), (6.9, "tick", "", "B"), (7, "tick", "update", "B"), (20, "tick", "", "B")],
    ),
    "row 12: two good samples before normality is believed": (
        {"off_delay": 0.0},
        [*RAISED, (4, "bad", "update", "B"), (5, "off", "", "B"), (6, "off", "clear", "D")],
    ),
    "row 13: the level rises": (
        TWO,
        [*RAISED, (4, "ack", "ack", "C"), (5, "at 85", "upgrade", "B")],
    ),
    "row 13: the level rises on a latched alarm": (
        {**TWO, **LATCH},
        [*RAISED, (4, "off", "", "B"), (7, "off", "cond_normal", "E"), (8, "at 85", "upgrade", "B")],
    ),
    "row 14: the level falls: consoles only": (
        TWO,
        [(1, "at 85", "raise", "B"), (2, "at 85", "", "B"), (3, "at 85", "", "B"), (4, "at 60", "", "B"), (6, "at 60", "update", "B")],
    ),
    "row 14: and rises again to what was told": (
        TWO,
        [(1, "at 85", "raise", "B"), (3, "at 85", "", "B"), (4, "at 60", "", "B"), (6, "at 60", "update", "B"), (7, "ack", "ack", "C"), (8, "at 85", "update", "B")],
    ),
    "row 15: acknowledged": ({}, [*RAISED, (4, "ack", "ack", "C"), (5, "ack", "", "C")]),
    "row 15: acknowledged after the return: closed": ({}, [*RETURNED, (8, "ack", "ack closed", "A")]),
    "row 15a: an acknowledgement of level 1 runs out": (
        {**LEVEL1, "on_bad": OnBad.HOLD},
        [(1, "on", "raise", "B"), (2, "ack", "ack", "C"), (301, "on", "update", "C"), (302, "tick", "unack", "B")],
    ),
    "row 15a: of level 2 after 30 minutes": (
        LEVEL2,
        [(1, "on", "raise", "B"), (2, "ack", "ack", "C"), (1801, "on", "update", "C"), (1802, "tick", "unack", "B")],
    ),
    "row 15a: not with a disposition": (
        LEVEL1,
        [(1, "on", "raise", "B"), (2, "ack", "ack", "C"), (3, "dispose", "disposition", "C"), (900, "on", "update", "C")],
    ),
    "row 16: nothing open to acknowledge": ({}, [(1, "ack", "gone", "A")]),
    "row 17: silence is not an acknowledgement": ({}, [*RAISED, (4, "silence", "silence", "B")]),
    "row 18: reset": (LATCH, [*LATCHED, (8, "ack", "ack", "F"), (9, "reset", "reset clear closed", "A")]),
    "row 19: no reset before the acknowledgement": (LATCH, [*LATCHED, (8, "reset", "ack_first", "E")]),
    "row 19: no reset while active": (LATCH, [*RAISED, (4, "ack", "ack", "C"), (5, "reset", "still_active", "C")]),
    "row 19: no reset while it may come again": (
        LATCH,
        [*LATCHED, (8, "ack", "ack", "F"), (9, "on", "", "F"), (9.5, "reset", "still_active", "F")],
    ),
    "row 19: no reset on bad input": (
        LATCH,
        [*LATCHED, (8, "ack", "ack", "F"), (9, "bad", "update", "F"), (10, "reset", "input_bad", "F")],
    ),
    "row 19: no reset when nobody knows, for want of samples": (
        LATCH,
        [*LATCHED, (8, "ack", "ack", "F"), (10, "tick", "update", "F"), (11, "reset", "input_bad", "F")],
    ),
    "row 20: a new life after the last one was closed": (
        {},
        [*RETURNED, (8, "ack", "ack closed", "A"), (9, "on", "", "A"), (11, "on", "raise", "B")],
    ),
    "row 21: shelved, it is not told": ({}, [(0, "shelve 60", "shelve", "G"), (1, "on", "", "G"), (3, "on", "update", "G")]),
    "row 21: a protected alarm cannot be shelved": (GAS, [(0, "shelve 60", "protected", "A")]),
    "row 21: no shelf for ever": ({}, [(0, "shelve 900000", "duration", "A")]),
    "row 22: the shelf ends, and what stands is told": (
        {},
        [(0, "shelve 4", "shelve", "G"), (1, "on", "", "G"), (3, "on", "update", "G"), (4, "tick", "unshelve raise", "B")],
    ),
    "row 22: the shelf ends, and what was told is not told again": (
        {},
        [*RAISED, (3.5, "shelve 60", "shelve", "G"), (4, "on", "", "G"), (5, "unshelve", "unshelve", "B")],
    ),
    "row 22: what came again after its clear is told": (
        {},
        [*RETURNED, (8, "shelve 60", "shelve", "G"), (9, "on", "", "G"), (11, "on", "update", "G"), (12, "unshelve", "unshelve repeat", "B")],
    ),
    "row 22: what went away on the shelf is not told": (
        {},
        [(0, "shelve 60", "shelve", "G"), (1, "on", "", "G"), (3, "on", "update", "G"), (4, "off", "", "G"), (7, "off", "", "G"), (8, "unshelve", "unshelve", "D")],
    ),
    "a clear is never hidden": (
        {},
        [*RAISED, (3.5, "shelve 60", "shelve", "G"), (4, "off", "", "G"), (7, "off", "clear", "G")],
    ),
    "row 23: a fault behind its root cause": (
        FAULT,
        [(0, "suppress", "suppress", "H"), (1, "on", "", "H"), (3, "on", "update", "H"), (4, "unsuppress", "", "H"), (5, "on", "", "H"), (6, "tick", "unsuppress raise", "B")],
    ),
    "row 23: a fault that heals within the grace is not told": (
        {**FAULT, "off_delay": 0.0, "auto_ack": True},
        [(0, "suppress", "suppress", "H"), (1, "on", "", "H"), (3, "on", "update", "H"), (4, "unsuppress", "", "H"), (5, "off", "closed", "H"), (6, "tick", "unsuppress", "A")],
    ),
    "row 23: only faults are suppressed": ({}, [(0, "suppress", "protected", "A")]),
    "row 24: out of service": ({}, [(0, "disable 60", "out_of_service", "I"), (1, "on", "", "I"), (3, "on", "update", "I")]),
    "row 24: a protected alarm takes two": (
        GAS,
        [(0, "disable 60", "second_person", "A"), (1, "disable2 60", "out_of_service", "I")],
    ),
    "row 25: back in service": (
        {},
        [(0, "disable 60", "out_of_service", "I"), (1, "on", "", "I"), (3, "on", "update", "I"), (4, "enable", "in_service raise", "B")],
    ),
    "row 25: by itself": (
        {},
        [(0, "disable 4", "out_of_service", "I"), (1, "on", "", "I"), (3, "on", "update", "I"), (4, "tick", "in_service raise", "B")],
    ),
    "rows 26 and 27: a signal that outlasts the drill is real": (
        {},
        [(0, "drill 60", "test", "A"), *RAISED, (4, "drill_stop", "test_end clear closed raise", "B")],
    ),
    "row 27: a drill alarm that has returned ends with the drill": (
        LATCH,
        [(0, "drill 60", "test", "A"), *LATCHED, (8, "drill_stop", "test_end clear closed", "A")],
    ),
    "row 27: the drill ends by itself": (
        {},
        [(0, "drill 4", "test", "A"), *RAISED, (4, "tick", "test_end clear closed raise", "B")],
    ),
    "row 27: what was real before the drill stays so": (
        {},
        [*RAISED, (4, "drill 60", "test", "B"), (5, "drill_stop", "test_end", "B")],
    ),
    "row 28: a restart says nothing and forgets nothing": (
        {},
        [*RAISED, (4, "ack", "ack", "C"), (5, "restart", "", "C"), (6, "on", "", "C"), (7, "off", "", "C"), (10, "off", "clear closed", "A")],
    ),
    "row 28: clearing starts over": (
        {},
        [*RAISED, (4, "off", "", "B"), (6, "off", "", "B"), (6.5, "restart", "", "B"), (7, "off", "", "B"), (9, "off", "", "B"), (10, "off", "clear", "D")],
    ),
    "row 28: a latch outlives the restart, and there is no reset before a good sample": (
        LATCH,
        [*LATCHED, (8, "ack", "ack", "F"), (9, "restart", "", "F"), (9.5, "reset", "input_bad", "F"), (10, "off", "", "F"), (11, "reset", "reset clear closed", "A")],
    ),
    "row 28: shelved stays shelved": (
        {},
        [(0, "shelve 60", "shelve", "G"), (1, "restart", "", "G"), (2, "on", "", "G"), (4, "on", "update", "G"), (60, "tick", "update unshelve raise", "B")],
    ),
    "row 29: an edited limit goes through the delays": (
        {},
        [(1, "at 45", "", "A"), (2, "edit 40", "", "A"), (3, "at 45", "", "A"), (5, "at 45", "raise", "B")],
    ),
    "row 29: an edited limit on a live alarm": (
        {},
        [*RAISED, (4, "edit 70", "rule_changed", "B"), (5, "on", "", "B"), (8, "on", "clear", "D")],
    ),
    "row 30: a rule is deleted": ({}, [*RAISED, (4, "delete", "clear closed", "")]),
    "row 31: the clock jumps": (
        {},
        [(1, "on", "", "A"), (2, "clock 315360000", "", "A"), (2, "on", "", "A"), (3, "on", "raise", "B"), (4, "clock -630720000", "", "B"), (4, "off", "", "B"), (7, "off", "clear", "D")],
    ),
    "3.6: gas over range is an alarm, and latches": (
        {**GAS, "on_delay": 0.0, "off_delay": 0.0, "latch": False},
        [(1, "over", "raise", "B"), (2, "off", "cond_normal", "E"), (3, "ack", "ack", "F"), (4, "reset", "reset clear closed", "A")],
    ),
    "3.6: elsewhere over range is only bad": ({"on_delay": 0.0}, [(1, "over", "", "A"), (9, "over", "", "A")]),
    "3.6: a loop that fails safe": (
        {"on_bad": OnBad.ALARM, "bad_alarm_delay": 2.0},
        [(1, "off", "", "A"), (2, "bad", "", "A"), (3, "bad", "", "A"), (4, "bad", "", "A"), (4, "tick", "raise", "B")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIVES)
def test_a_life_goes_by_the_table(name: str) -> None:
    settings, story = LIVES[name]
    life = Life(limit(**settings))
    told = []
    for at, word, _, _ in story:
        kinds = life.do(at, word)
        told.append((at, word, kinds, "" if word == "delete" else life.letter))
    assert told == story


def test_the_test_mark_is_on_what_was_born_in_a_drill_and_only_there() -> None:
    life = Life()
    for at, word, _, _ in [(0, "drill 60", "", ""), *RAISED, (4, "drill_stop", "", "")]:
        life.do(at, word)
    marks = [
        (e.kind, e.test, e.occurrence) for e in life.events if e.kind in {EventKind.RAISE, EventKind.CLEAR}
    ]
    assert marks == [
        (EventKind.RAISE, True, "1.1"),
        (EventKind.CLEAR, True, "1.1"),
        (EventKind.RAISE, False, "1.2"),
    ]


def test_row_16_an_acknowledgement_that_has_not_seen_the_newest_activation_is_refused() -> None:
    life = Life()
    for at, word, _, _ in RETURNED:
        life.do(at, word)
    life.do(8, "on")
    life.do(10, "on")
    assert life.occurrence.activations == 2
    assert life.act(11, Ack("1.1", 1, actor="li")) == "stale"
    assert life.act(11, Ack("0.9", 9, actor="li")) == "gone"
    assert life.letter == "B"
    assert life.act(11, Ack("1.1", 2, actor="li")) == "ack"
    assert life.events[-1].actor == "li"


def test_silence_lasts_until_the_next_announcement() -> None:
    life = Life()
    for at, word, _, _ in RETURNED:
        life.do(at, word)
    life.do(7.5, "silence")
    assert life.alarm.state.silenced
    life.do(8, "on")
    life.do(10, "on")
    assert not life.alarm.state.silenced


def test_events_are_numbered_and_their_times_rise() -> None:
    life = Life(limit(latch=True))
    for at, word, _, _ in [*LATCHED, (8, "ack", "", ""), (8, "reset", "", "")]:
        life.do(at, word)
    assert [e.n for e in life.events] == list(range(1, len(life.events) + 1))
    assert all(a.at < b.at for a, b in zip(life.events, life.events[1:], strict=False))


def test_a_restart_goes_on_with_the_numbers() -> None:
    life = Life()
    for at, word, _, _ in [*RAISED, (5, "restart", "", ""), (6, "off", "", ""), (9, "off", "", "")]:
        life.do(at, word)
    assert [(e.n, e.kind.value, e.occurrence) for e in life.events] == [
        (1, "raise", "1.1"),
        (2, "clear", "1.1"),
    ]
