"""Boolean expressions over readings and alarms: a small parser, and their value by Kleene's logic. Pure.

    gas-b1-07.lel >= 10 and (fan-b1.running == false or not fan-b1/power-ok)

    expression := term ("or" term)*            device.point   a reading
    term       := factor ("and" factor)*       device/rule    an alarm that stands
    factor     := "not" factor | "(" expression ")" | test      self     the device the rule is written at
    test       := operand [("<" | "<=" | ">" | ">=" | "==" | "!=") operand]
    operand    := device.point | device/rule | number | 'text' | true | false

What is missing, bad or too old is unknown, and so is a comparison of things that cannot be compared.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.model import Value

LONGEST, DEEPEST = 2000, 40
TOKEN = re.compile(
    r"""\s*(?:
      (?P<point>[a-z0-9]+(?:[-.][a-z0-9]+)*\.[a-z][a-z0-9_]*)(?![\w/-])
    | (?P<alarm>[a-z0-9]+(?:[-.][a-z0-9]+)*/[a-z0-9]+(?:-[a-z0-9]+)*)(?![\w/.])
    | (?P<number>-?\d+(?:\.\d+)?(?:e-?\d+)?)(?![\w.])
    | (?P<text>'[^']*')
    | (?P<word>and|or|not|true|false)(?![\w./-])
    | (?P<sign><=|>=|==|!=|<|>|\(|\))
    )""",
    re.VERBOSE,
)
SIGNS = frozenset({"<", "<=", ">", ">=", "==", "!="})


class Wrong(ValueError):
    """It is no expression. Says where and what."""


class World(Protocol):
    """What an expression is about."""

    def reading(self, device: str, point: str) -> Value | None:
        """Return a value; None when it is not known."""
        ...

    def alarm(self, device: str, rule: str) -> bool | None:
        """Return whether an alarm stands; None when nobody can tell."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text, true or false."""

    value: Value


@dataclass(frozen=True, slots=True)
class Name:
    """A reading (`device.point`) or an alarm (`device/rule`)."""

    device: str
    what: str
    alarm: bool


@dataclass(frozen=True, slots=True)
class Test:
    """Two things compared."""

    left: Constant | Name
    sign: str
    right: Constant | Name


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    of: Node


@dataclass(frozen=True, slots=True)
class Many:
    """All of them (and), or at least one (or)."""

    every: bool
    of: tuple[Node, ...]


Node = Name | Test | Not | Many | Constant


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """Return the tree of an expression. Raises Wrong."""
    if len(text) > LONGEST:
        raise Wrong(f"longer than {LONGEST} characters")
    return _Parser(text).whole()


class _Parser:
    """One expression; reads forward only."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        found = self._many("or")
        if self._next < len(self._tokens):
            raise Wrong(f"{self._here()}: nothing was expected any more")
        return found

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next][:2] if self._next < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._next += 1
        return token

    def _here(self) -> str:
        if self._next >= len(self._tokens):
            return "at its end"
        _, text, at = self._tokens[self._next]
        return f"at character {at + 1} ('{text}')"

    def _many(self, word: str) -> Node:
        found = [self._part(word)]
        while self._peek() == ("word", word):
            self._take()
            found.append(self._part(word))
        return found[0] if len(found) == 1 else Many(word == "and", tuple(found))

    def _part(self, word: str) -> Node:
        return self._many("and") if word == "or" else self._factor()

    def _factor(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Wrong(f"nested deeper than {DEEPEST}")
        found = self._one()
        self._depth -= 1
        return found

    def _one(self) -> Node:
        if self._peek() == ("word", "not"):
            self._take()
            return Not(self._factor())
        if self._peek() == ("sign", "("):
            self._take()
            found = self._many("or")
            if self._take() != ("sign", ")"):
                self._next -= 1
                raise Wrong(f"{self._here()}: a closing bracket is missing")
            return found
        return self._test()

    def _test(self) -> Node:
        left = self._operand()
        kind, sign = self._peek()
        if kind == "sign" and sign in SIGNS:
            self._take()
            right = self._operand()
            if isinstance(left, Constant) and isinstance(right, Constant):
                raise Wrong(f"{left.value} {sign} {right.value} compares two constants")
            return Test(left, sign, right)
        if isinstance(left, Constant) and not isinstance(left.value, bool):
            raise Wrong(f"{left.value!r} is neither true nor false: compare it with something")
        return left

    def _operand(self) -> Constant | Name:
        where = self._here()
        kind, text = self._take()
        if kind in {"point", "alarm"}:
            device, _, what = text.rpartition("/" if kind == "alarm" else ".")
            return Name(device, what, alarm=kind == "alarm")
        if kind == "number":
            number = float(text)
            if not math.isfinite(number):
                raise Wrong(f"{where}: too large")
            return Constant(number)
        if kind == "text":
            return Constant(text[1:-1])
        if (kind, text) in {("word", "true"), ("word", "false")}:
            return Constant(text == "true")
        raise Wrong(f"{where}: wanted device.point, device/rule, a number or a 'text'")


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    at, end = 0, len(text.rstrip())
    if not end:
        raise Wrong("is empty")
    while at < end:
        match = TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            rest = text[at:].strip()
            raise Wrong(f"at character {text.index(rest, at) + 1} ('{rest[:12]}'): not understood")
        yield match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)
        at = match.end()


def names(node: Node) -> Iterator[Name]:
    """Yield every name, in order."""
    match node:
        case Name():
            yield node
        case Test(left, _, right):
            yield from (each for each in (left, right) if isinstance(each, Name))
        case Not(of):
            yield from names(of)
        case Many(_, of):
            for each in of:
                yield from names(each)


def evaluate(node: Node, world: World) -> bool | None:
    """Return the value by Kleene: unknown unless what is known decides."""
    match node:
        case Many(every, of):
            found = [evaluate(each, world) for each in of]
            if (not every) in found:
                return not every
            return None if None in found else every
        case Not(of):
            inner = evaluate(of, world)
            return None if inner is None else not inner
        case Test(left, sign, right):
            return compare(value_of(left, world), sign, value_of(right, world))
    value = value_of(node, world)
    if value is None or isinstance(value, str) or value != value:  # noqa: PLR0124  NaN is not itself
        return None
    return bool(value)


def value_of(operand: Constant | Name, world: World) -> Value | None:
    """Return what an operand is worth now."""
    if isinstance(operand, Constant):
        return operand.value
    if operand.alarm:
        return world.alarm(operand.device, operand.what)
    return world.reading(operand.device, operand.what)


def compare(left: Value | None, sign: str, right: Value | None) -> bool | None:
    """Return how two values compare; unknown when one is missing, no number, or of another kind."""
    if left is None or right is None or isinstance(left, str) is not isinstance(right, str):
        return None
    if isinstance(left, str) or isinstance(right, str):
        same = left == right
        return {"==": same, "!=": not same}.get(sign)
    if not (math.isfinite(left) and math.isfinite(right)):
        return None
    tests: dict[str, Callable[[], bool]] = {
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
        "==": lambda: left == right,
        "!=": lambda: left != right,
    }
    return tests[sign]()
