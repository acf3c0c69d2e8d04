"""The past as occurrences, out of events."""

from __future__ import annotations

from typing import Any

from gateway.occurrences import occurrences


def event(kind: str, at: int, occurrence: str = "1", **more: Any) -> dict[str, Any]:
    plain = {
        "event": kind, "at": at, "occurrence": occurrence, "device": "d", "rule": "r", "class": "gas", "level": 3,
        "activation": 1, "value": 30.0, "unit": "%LEL", "status": "Actual", "title": {}, "actor": "", "reason": "",
    }  # fmt: skip
    return plain | more


def test_a_life_becomes_one_line() -> None:
    (line,) = occurrences(
        [
            event("raise", 10),
            event("upgrade", 20, level=1, activation=1),
            event("ack", 30, actor="wang"),
            event("repeat", 35, level=2, activation=2),
            event("ack", 40, actor="li", activation=2),
            event("disposition", 50, reason="false: cooking"),
            event("clear", 60),
            event("closed", 60),
        ]
    )
    times = (line["began"], line["raised"], line["acked"], line["cleared"], line["closed"])
    assert times == (10, 10, 30, 60, 60)
    assert (line["acked_by"], line["level"], line["activations"]) == ("wang", 1, 2)
    assert line["disposition"] == "false: cooking"


def test_a_fault_keeps_its_level_beside_the_colours() -> None:
    (line,) = occurrences([event("raise", 10, level=0)])
    assert line["level"] == 0


def test_the_newest_comes_first_and_what_belongs_to_none_is_left_out() -> None:
    found = occurrences([event("raise", 10), event("raise", 20, "2"), event("shelve", 30, "")])
    assert [line["occurrence"] for line in found] == ["2", "1"]


def test_what_was_hidden_was_never_raised() -> None:
    (line,) = occurrences([event("update", 10, reason="hidden"), event("closed", 20)])
    assert (line["raised"], line["closed"]) == (None, 20)
