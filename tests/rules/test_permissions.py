"""Who may do what: the table of alarms.md 3.4, row by row, for everybody."""

from __future__ import annotations

from typing import Any

import pytest

from rules.permissions import Ask, Person, Role, Task, judge

V, O, M, E, F, A = Role  # noqa: E741 - the columns of the table
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def may(role: Role, task: Task, second: Role | None = None, *, at_site: bool = True, **ask: Any) -> str:
    """Return "" for yes, else why not; a comment is given unless the test says otherwise."""
    told = Ask(task, **{"comment": "why", **ask})
    other = None if second is None else Person("li", second, "li")
    return judge(told, Person("wang", role, "wang", at_site=at_site), other).reason


TABLE = [  # task, level, who may; the others may not
    (Task.SILENCE, 1, {O, M, E, F}),
    (Task.ACK, 0, {O, M, E, F}),
    (Task.ACK, 3, {O, M, E, F}),
    (Task.ACK, 4, {O, M, E, F}),
    (Task.ACK, 1, {O, E, F}),
    (Task.ACK, 2, {O, E, F}),
    (Task.RESET, 1, {O, M, E, F}),
    (Task.DISPOSE, 1, {O, M, E, F}),
    (Task.UNSHELVE, 3, {O, M, E, F}),
    (Task.ENABLE, 1, {O, M, E, F}),
    (Task.BASELINE, 0, {M, E}),
    (Task.POLL, 0, {O, M, E, F}),
    (Task.PROBE, 0, {M, E}),
    (Task.WRITE, 0, {E}),
    (Task.SECURE, 0, {O, M, E, F}),
    (Task.INTERLOCK, 0, set()),
]


@pytest.mark.parametrize(("task", "level", "allowed"), TABLE)
def test_everybody_may_do_what_the_table_says_and_nothing_else(
    task: Task, level: int, allowed: set[Role]
) -> None:
    assert {role for role in Role if not may(role, task, level=level)} == allowed


LONGEST = [  # task, level, protected, role, the longest
    (Task.SHELVE, 3, False, O, 30 * MINUTE),
    (Task.SHELVE, 4, False, M, 8 * HOUR),
    (Task.SHELVE, 0, False, E, 24 * HOUR),
    (Task.SHELVE, 1, False, M, 30 * MINUTE),
    (Task.SHELVE, 2, False, E, 2 * HOUR),
    (Task.DISABLE, 2, False, M, 7 * DAY),
    (Task.DISABLE, 1, False, E, 30 * DAY),
    (Task.DRILL, 1, True, O, 8 * HOUR),
]


@pytest.mark.parametrize(("task", "level", "protected", "role", "longest"), LONGEST)
def test_a_time_may_be_as_long_as_the_table_says(
    task: Task, level: int, protected: bool, role: Role, longest: float
) -> None:
    ask: dict[str, Any] = {"level": level, "protected": protected}
    assert may(role, task, seconds=longest, **ask) == ""
    assert may(role, task, seconds=longest + 1, **ask) == "duration"
    assert may(role, task, seconds=0.0, **ask) == "duration"


@pytest.mark.parametrize(
    ("task", "level", "roles"),
    [
        (Task.SHELVE, 3, {V, F, A}),
        (Task.SHELVE, 2, {V, O, F, A}),
        (Task.DISABLE, 3, {V, O, F, A}),
        (Task.DRILL, 3, {V, A}),
    ],
)
def test_who_has_no_column_may_not_for_a_second(task: Task, level: int, roles: set[Role]) -> None:
    assert {role for role in Role if may(role, task, level=level, seconds=1.0) == "role"} == roles


@pytest.mark.parametrize("role", Role)
def test_nobody_shelves_what_is_protected(role: Role) -> None:
    assert may(role, Task.SHELVE, level=1, protected=True, seconds=60.0) == "protected"


@pytest.mark.parametrize("role", [M, E])
def test_disabling_what_is_protected_takes_a_fire_officer_beside_who_asks(role: Role) -> None:
    ask: dict[str, Any] = {"level": 1, "protected": True, "seconds": 8 * HOUR}
    assert may(role, Task.DISABLE, **ask) == "second_person"
    assert may(role, Task.DISABLE, F, **ask) == ""
    assert may(role, Task.DISABLE, E, **ask) == "role"
    assert may(role, Task.DISABLE, F, **{**ask, "seconds": 8 * HOUR + 1}) == "duration"


@pytest.mark.parametrize("role", [V, O, F, A])
def test_who_may_not_ask_for_a_disablement_may_not_with_a_second_person_either(role: Role) -> None:
    assert may(role, Task.DISABLE, F, level=1, protected=True, seconds=60.0) == "role"


@pytest.mark.parametrize(("name", "account"), [("wang", "other"), ("other", "wang")])
def test_one_person_is_not_two(name: str, account: str) -> None:
    ask = Ask(Task.DISABLE, 1, protected=True, seconds=60.0, comment="why")
    officer = Person(name, F, account)
    assert judge(ask, Person("wang", E, "wang"), officer).reason == "same_person"


def test_an_exercise_is_the_fire_officers_and_an_engineer_may_ask_for_one() -> None:
    assert may(F, Task.EXERCISE, seconds=HOUR) == ""
    assert may(E, Task.EXERCISE, seconds=HOUR) == "second_person"
    assert may(E, Task.EXERCISE, F, seconds=HOUR) == ""
    assert {role for role in Role if may(role, Task.EXERCISE, F, seconds=HOUR) == "role"} == {V, O, M, A}


@pytest.mark.parametrize("task", [Task.SHELVE, Task.DISABLE, Task.DRILL, Task.BASELINE])
def test_what_hides_or_moves_something_is_explained(task: Task) -> None:
    assert may(E, task, level=3, seconds=60.0, comment="") == "comment"


def test_an_operator_explains_the_acknowledgement_of_a_grave_alarm() -> None:
    assert may(O, Task.ACK, level=2, comment="") == "comment"
    assert may(O, Task.ACK, level=3, comment="") == ""
    assert may(E, Task.ACK, level=1, comment="") == ""


def test_a_reset_from_afar_is_for_engineer_and_fire_officer_with_a_reason() -> None:
    assert may(O, Task.RESET, at_site=False) == "at_site"
    assert may(M, Task.RESET, at_site=False) == "at_site"
    assert may(F, Task.RESET, at_site=False) == ""
    assert may(F, Task.RESET, at_site=False, comment="") == "comment"


def test_an_automation_may_do_nothing() -> None:
    assert all(may(A, task, F, level=3, seconds=60.0) for task in Task)


def test_levels_are_those_of_a_fire_panel() -> None:
    assert {role: role.level for role in Role} == {V: 1, O: 2, M: 2, E: 3, F: 3, A: 0}
