"""Root causes: what counts as down, and what it hides."""

from __future__ import annotations

import pytest
from alarm_life import WALL, Life

from gateway.model import Quality, Sample
from rules.actions import Suppress
from rules.conditions import Stale
from rules.roots import CONFIRM, Leaf, Roots, detection, needed

GATEWAY = ("gateway", "lines-down")


class Net:
    """Lines with their devices; `step` gives out what was done, as words."""

    def __init__(
        self, lines: dict[str, int], restored: tuple[tuple[tuple[str, str], list[str]], ...] = ()
    ) -> None:
        self.leaves = {
            f"{line}{n}": Leaf(line, 1.0, ((f"{line}{n}", "stale"),), ((f"{line}{n}", "lel-stale"),))
            for line, count in lines.items()
            for n in range(count)
        }
        voices = {line: (line, "line-down") for line in lines}
        self.roots = Roots(self.leaves, voices, GATEWAY, restored, (), 0.0)

    def see(self, at: float, *devices: str, bad: Quality | None = None) -> list[str]:
        values, wrong = ({}, {"p": bad}) if bad else ({"p": 1}, {})
        samples = [Sample(d, WALL, at, values, wrong) for d in devices]
        return self.words(self.roots.observe(samples, at))

    def words(self, moves: object) -> list[str]:
        assert isinstance(moves, list)
        return [
            f"{'+' if isinstance(m.action, Suppress) else '-'}{'/'.join(m.key)} {m.action.root}"
            for m in moves
        ]

    def tick(self, at: float) -> list[str]:
        return self.words(self.roots.tick(at))


@pytest.mark.parametrize(("children", "need"), [(1, 3), (3, 3), (5, 3), (7, 4), (60, 30)])
def test_three_or_half(children: int, need: int) -> None:
    assert needed(children) == need


def test_a_line_is_down_when_half_of_it_fails_together_for_a_while() -> None:
    net = Net({"a": 6})
    assert net.see(10, "a0", "a1", bad=Quality.NO_ANSWER) == []
    assert net.see(11, "a2", bad=Quality.NO_ANSWER) == []
    hidden = [w for w in net.tick(11 + CONFIRM) if w.endswith(" a")]
    assert hidden == [f"+a{n}/{rule} a" for n in range(3) for rule in ("lel-stale", "stale")]


def test_a_blip_hides_nothing() -> None:
    net = Net({"a": 6})
    net.see(10, *(f"a{n}" for n in range(6)), bad=Quality.NO_ANSWER)
    assert net.see(11, *(f"a{n}" for n in range(6))) == []
    assert net.tick(60) == []
    assert net.roots.next_deadline() is None


def test_two_of_two_are_two_faults_but_a_port_is_one() -> None:
    net = Net({"a": 2})
    net.see(10, "a0", "a1", bad=Quality.NO_ANSWER)
    assert not [w for w in net.tick(30) if w.endswith(" a")]
    net.see(31, "a0", "a1", bad=Quality.LINE_DOWN)
    assert "+a0/stale a" in net.tick(40)


def test_a_silent_device_speaks_for_its_points_but_not_for_itself() -> None:
    net = Net({"a": 6})
    net.see(10, "a0", bad=Quality.NO_ANSWER)
    assert net.tick(15) == ["+a0/lel-stale a0"]
    assert net.roots.affects(("a0", "stale")) == 1
    assert net.see(16, "a0") == []
    assert net.tick(25) == [], (
        "one answer does not end the fault of a point: it needs as many as it is asked for"
    )
    assert net.tick(26) == ["-a0/lel-stale a0"]


def test_a_refusal_is_an_answer() -> None:
    net = Net({"a": 4})
    assert net.see(10, "a0", "a1", "a2", "a3", bad=Quality.REFUSED) == []
    assert net.tick(60) == []


def test_lines_that_go_down_together_are_the_gateway() -> None:
    net = Net(dict.fromkeys("abcd", 1))
    net.see(10, "a0", "b0", "c0", bad=Quality.LINE_DOWN)
    found = net.tick(15)
    assert {"+a/line-down gateway", "+b/line-down gateway", "+c/line-down gateway"} <= set(found)
    assert "+d/line-down gateway" not in found
    assert net.roots.lines_down(15) == 5
    assert net.roots.affects(GATEWAY) == 3


def test_what_nothing_hides_any_more_is_released_at_the_start() -> None:
    """A line was renamed while the gateway was down."""
    net = Net({"a": 4}, ((("a0", "stale"), ["old-line"]),))
    assert net.tick(0) == ["-a0/stale old-line"]


def test_what_was_hidden_stays_so_until_somebody_answers() -> None:
    names = [f"a{n}" for n in range(6)]
    net = Net({"a": 6}, tuple(((name, "stale"), ["a"]) for name in names))
    assert not [w for w in net.tick(0) if w.endswith("/stale a")]
    assert not [w for w in net.tick(500) if w.startswith("-")], "hours without a sample prove nothing"
    assert not [w for w in net.see(501, *names, bad=Quality.NO_ANSWER) if w.startswith("-")]
    assert "-a0/stale a" not in net.see(502, "a0")
    assert "-a0/stale a" in net.tick(512)
    assert "-a1/stale a" not in net.see(503, *names[2:])
    assert "-a1/stale a" in net.tick(520)


def test_whoever_comes_back_with_its_line_stays_hidden_until_its_fault_must_be_over() -> None:
    """Seen in the trial of a line of sixty: asked late on a line just up, devices were told in the last moment."""
    net = Net({"a": 4})
    names = [f"a{n}" for n in range(4)]
    net.see(10, *names, bad=Quality.LINE_DOWN)
    net.tick(15)
    assert net.see(20, *names[:3]) == []
    assert net.see(29, "a3") == []
    assert {f"-{name}/stale a" for name in names[:3]} <= set(net.tick(30))
    assert "-a3/stale a" not in net.tick(38)
    assert "-a3/stale a" in net.tick(39)


def test_the_head_start_follows_from_size_and_timeout() -> None:
    assert detection([1.0] * 2, 0.3) is None
    assert detection([1.0] * 60, 0.3) == pytest.approx(1 + 30 * 0.3 + CONFIRM)
    assert detection([1.0] * 60, 0.3, 8) == pytest.approx(1 + 4 * 0.3 + CONFIRM)
    assert detection([1.0, 1.0, 60.0, 60.0], 0.3) == pytest.approx(60.9 + CONFIRM)


def test_a_standing_fault_of_a_silent_device_has_no_deadline_in_the_past() -> None:
    """Seen in the trial of a line: the engine was asked for each of them a thousand times a second."""
    life = Life(Stale(name="stale", floor=5.0))
    life.see(1, 7)
    assert life.tick(10) == ["raise"]
    life.see(11, Quality.NO_ANSWER)
    assert life.alarm.due() is None
