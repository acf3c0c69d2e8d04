"""Collects every mistake of a settings file, each with its place. Says what would be right."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Protocol

from gateway.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable

Path = tuple[str | int, ...]
"""Where a value stands inside a file: the keys that lead to it."""

SHOWN = 12  # more names than this in one message help nobody


class ConfigError(Exception):
    """A settings file cannot be used. `messages` holds every mistake, each as `file:line: key: what`."""

    def __init__(self, messages: Iterable[str]) -> None:
        self.messages = list(messages)
        super().__init__("\n".join(self.messages))


class Place(Protocol):
    """A file that knows on which of its lines a key stands."""

    @property
    def file(self) -> str:
        """The name of the file as the operator wrote it."""
        ...

    def line(self, path: Path, *, key: bool = False) -> int:
        """Return the line (from 1) of the value at `path`, or of its key; else of the nearest parent."""
        ...

    def label(self, path: Path) -> str:
        """Return how this file calls `path`: `lines.rs485-1.baud`, or the name of a column."""
        ...


class Report:
    """The mistakes and the remarks of one run over one site."""

    def __init__(self, *files: str) -> None:
        self._errors: list[tuple[int, int, str]] = []
        self._files = list(files)  # in the order in which they are reported
        self.notes: list[str] = []

    def add(self, place: Place, path: Path, what: str, *, key: bool = False) -> None:
        """Record a mistake at `path`; `key` when it is the key and not its value that is wrong."""
        self.at(place.file, place.line(path, key=key), place.label(path), what)

    def at(self, file: str, line: int, label: str, what: str) -> None:
        """Record a mistake on a known line; `label` may be empty."""
        if file not in self._files:
            self._files.append(file)
        text = f"{file}:{line}: {label}: {what}" if label else f"{file}:{line}: {what}"
        entry = (self._files.index(file), line, text)
        if entry not in self._errors:
            self._errors.append(entry)

    def note(self, text: str) -> None:
        """Record something the operator should know but that stops nothing."""
        if text not in self.notes:
            self.notes.append(text)

    def absorb(self, other: Report) -> None:
        """Take over what another report found."""
        for index, line, text in other._errors:
            file = other._files[index]
            if file not in self._files:
                self._files.append(file)
            self._errors.append((self._files.index(file), line, text))
        self.notes += other.notes

    @property
    def count(self) -> int:
        """How many mistakes there are."""
        return len(self._errors)

    @property
    def failed(self) -> bool:
        """True when there was at least one mistake."""
        return bool(self._errors)

    def finish(self) -> None:
        """Raise ConfigError with all mistakes in the order of the file, if there are any."""
        if self._errors:
            raise ConfigError([text for _, _, text in sorted(self._errors, key=lambda e: e[:2])])


def suggest(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean `baud`?`, or the known names when none is near."""
    names = sorted(set(known))
    if not names:
        return ""
    if hint := near(word, names):
        return hint
    surplus = len(names) > SHOWN
    zh = "、".join(names[:SHOWN]) + (f" ……（共 {len(names)} 个）" if surplus else "")
    en = ", ".join(names[:SHOWN]) + (f" ... ({len(names)} in all)" if surplus else "")
    return say(f"；这里可用的有：{zh}", f"; known here: {en}")


def near(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean `baud`?`, or "" when no known name is near."""
    found = difflib.get_close_matches(str(word).lower(), sorted(set(known)), n=1, cutoff=0.6)
    return say(f"；是不是 `{found[0]}`？", f"; did you mean `{found[0]}`?") if found else ""


def must_be(zh: str, en: str, value: object) -> str:
    """Return what would be right, given in both languages, and what was read instead."""
    return say(f"必须是{zh}，现在是 {describe(value)}", f"must be {en}, not {describe(value)}")


def must_be_name(*, limited: bool = True) -> str:
    """Return what a name must be; `limited`: it may not be of any length."""
    zh, en = ("（最多 64 个字符）", " (at most 64)") if limited else ("", "")
    return say(
        f"名称只能用小写字母、数字和单个连字符{zh}",
        f"must be a name of small letters, digits and single hyphens{en}",
    )


def missing() -> str:
    """Say that something must be given and is not."""
    return say("缺少这一项，必须给出", "is missing and must be given")


def unknown_key(key: object, known: Iterable[str]) -> str:
    """Say that there is no such key, and which one may be meant."""
    return say("未知的键", "unknown key") + suggest(key, known)


def describe(value: object) -> str:
    """Name a value that was read, so that an operator recognises it in his file."""
    match value:
        case None:
            return say("空值", "nothing")
        case bool():
            return "true" if value else "false"
        case dict():
            return say("一组键", "a block of keys")
        case list() | tuple():
            return say("一个列表", "a list")
        case str():
            return f"'{value}'" if len(value) <= 40 else f"'{value[:37]}...'"
        case _:
            return str(value)[:40]
