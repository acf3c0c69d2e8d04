"""Whatever happens: no cause has two orders, none is forgotten, and nothing ever opens a valve by itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock_life import CUT, GAS, OVER, VALVE, Life

from rules import actions
from rules.errand import Guard
from rules.interlock import Release, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rules.interlocks import Due

FAN = replace(
    VALVE,
    name="fan",
    order=Target(device="f", point="relay", value="on"),
    release=Release(value="off", after=30.0),
    delay=2.0,
)
STEP = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(["p", "q", "g"]), st.sampled_from([0.0, 9.0, 60.0])),
    st.tuples(st.just("wait"), st.sampled_from([0.3, 1.0, 5.0, 70.0, 4000.0])),
    st.tuples(st.just("begin")),
    st.tuples(st.just("end"), st.booleans()),
    st.tuples(st.just("kill"), st.sampled_from([0.0, 3.0, 300.0])),
    st.tuples(st.just("say, killed"), st.sampled_from(["p", "q", "g"]), st.sampled_from([0.0, 9.0, 60.0])),
    st.tuples(st.just("end, killed"), st.booleans()),
    st.tuples(st.just("ack"), st.sampled_from([OVER, GAS])),
    st.tuples(st.just("reset"), st.sampled_from([OVER, GAS])),
    st.tuples(st.just("shelve"), st.sampled_from([OVER, GAS])),
)


class Story(Life):
    """A life, and somebody who carries out orders: one at a time for each output, sometimes killed on the way."""

    def __init__(self) -> None:
        super().__init__(CUT, VALVE, FAN)
        self.under_way: list[Due] = []
        self.proven: Counter[str] = Counter()  # causes, by the interlock and the order that proved them
        self.valve_written: list[object] = []

    def step(self, step: tuple[Any, ...]) -> None:
        """Let one thing happen."""
        match step:
            case ("say", str(device), float(value)):
                self.say(device, value)
            case ("wait", float(seconds)):
                self.at(self.t + seconds)
            case ("begin",):
                self.carry_out()
            case ("end", bool(proven)):
                self.finish(proven=proven)
            case ("say, killed", str(device), float(value)):  # before anything of it was on disk
                self.lost(lambda: self.say(device, value))
            case ("end, killed", bool(proven)):
                self.lost(lambda: self.finish(proven=proven))
            case ("kill", float(down)):
                self.under_way.clear()
                self.restart(down)
            case (str(word), key):
                self.person(word, key)

    def lost(self, deed: Callable[[], object]) -> None:
        """Do something, and be killed before the disk has it."""
        disk, proven = dict(self.disk), Counter(self.proven)
        deed()
        self.disk, self.proven = disk, proven
        self.under_way.clear()
        self.restart()

    def carry_out(self) -> None:
        for due in self.due():
            self.desk.begun(due.interlock.name, self.now)
            self.under_way.append(due)

    def finish(self, *, proven: bool) -> None:
        for due in self.under_way:
            if due.interlock.name == "valve":
                self.valve_written.append(due.errand.value)
            name, errand = due.interlock.name, due.errand.id
            self.keep(self.desk.ended(name, errand, proven=proven, why="", now=self.now).events)
            last = self.state(name)["last"]
            if proven and due.errand.act and last is not None:
                self.proven.update(f"{name}: {cause}" for cause in due.errand.causes)
        self.under_way.clear()

    def person(self, word: str, key: tuple[str, str]) -> None:
        occurrence = next((v for v in self.desk.view() if (v.device, v.rule) == key), None)
        named = ("", 0) if occurrence is None else (occurrence.occurrence, occurrence.activation)
        deed = {
            "ack": actions.Ack(*named, actor="w"),
            "reset": actions.Reset(actor="w"),
            "shelve": actions.Shelve(60, actor="w", reason="r"),
        }[word]
        self.act(key, deed)

    def settle(self) -> None:
        """Let everything that is owed be carried out."""
        for _ in range(4):
            self.at(self.t + 65)
            self.carry_out()
            self.finish(proven=True)


def break_promise(story: Story) -> str:
    """Return which promise is broken; "" for none."""
    if twice := [cause for cause, count in story.proven.items() if count > 1]:
        return f"two orders: {twice[0]}"
    if wrong := [value for value in story.valve_written if value != "closed"]:
        return f"the valve was told {wrong[0]}"
    for guard in story.desk.interlocks:
        if guard.errand is not None and guard.interlock.name == "valve" and guard.errand.value != "closed":
            return "the valve is to open"
    return ""


def unserved(story: Story) -> str:
    """Return an alarm that stands and has had no order, after all was settled; "" for none."""
    for guard in story.desk.interlocks:
        for key, cause in guard.causes.items():
            name = f"{guard.interlock.name}: {'/'.join(key)} {cause.occurrence} x{cause.activation}"
            if cause.live and name not in story.proven:
                return name
    return ""


def tell(steps: Sequence[tuple[Any, ...]]) -> str:
    story = Story()
    for step in steps:
        story.step(step)
        if broken := break_promise(story):
            return broken
    story.settle()
    return break_promise(story) or unserved(story)


@settings(max_examples=40, deadline=None)
@given(st.lists(STEP, max_size=30))
def test_no_story_breaks_a_promise(steps: list[tuple[Any, ...]]) -> None:
    assert tell(steps) == ""


@pytest.mark.slow
@settings(max_examples=5000, deadline=None)
@given(st.lists(STEP, max_size=60))
def test_no_long_story_breaks_a_promise(steps: list[tuple[Any, ...]]) -> None:
    assert tell(steps) == ""


# Controls: guards with one thing wrong each, and a story that finds it.

STORY = [
    ("say", "p", 9.0), ("begin",), ("kill", 0.0), ("begin",), ("end", True), ("kill", 3.0), ("wait", 1.0),
    ("say", "p", 9.0), ("begin",), ("end", True), ("say", "g", 60.0), ("begin",), ("end", True),
    ("wait", 70.0), ("begin",), ("end", True),
]  # fmt: skip


def forgets(_: Guard, data: dict[str, Any], now: object) -> None:
    """A restart that takes nothing up: the cause of a proven order is ordered again."""
    del data, now


def opens(guard: Guard, now: Any) -> None:
    """A valve that goes back by itself."""
    if guard.errand is None and guard.acted:
        guard.errand = guard._errand(now, act=False)
        guard.errand.value = "open"


def never_acts(*_: object) -> None:
    """The order that is lost."""


@pytest.mark.parametrize(
    ("method", "wrong", "found"),
    [
        ("restore", forgets, "two orders"),
        ("_give_up", opens, "open"),
        ("_act", never_acts, "cut: p/over"),
    ],
)
def test_a_guard_with_a_fault_is_found(
    method: str, wrong: Callable[..., None], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tell(STORY) == ""
    monkeypatch.setattr(Guard, method, wrong)
    assert found in tell(STORY)
