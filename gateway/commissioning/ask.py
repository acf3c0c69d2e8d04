"""Questions to a person at a terminal, also on a phone over ssh: short lines, a default for everything."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
from typing import TYPE_CHECKING, Final

from gateway.cli.output import clip, width
from gateway.language import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NARROW: Final = 40
WIDE: Final = 76


class Stopped(Exception):
    """The person has had enough: Ctrl-C, Ctrl-D."""


class Terminal:
    """Asks on the terminal. Every question shows its default in brackets; Enter takes it.

    Waits for a line or a signal, since `input()` loses the Ctrl-C that comes after its question and before
    its `read`: that is noted, and looked at when the person has pressed Enter.
    """

    def __init__(self) -> None:
        self._signalled, self._waking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)  # for the life of the program

    def heading(self, number: int, total: int, zh: str, en: str) -> None:
        """Begin a step."""
        self.show(f"\n── {number}/{total}  {say(zh, en)}")

    def tell(self, zh: str, en: str) -> None:
        """Say something, wrapped to the terminal."""
        for line in wrap(say(zh, en), self.columns()):
            self.show(line)

    def show(self, text: str) -> None:
        """Print a line as it is."""
        sys.stdout.write(text + "\n")

    def columns(self) -> int:
        """Return how wide lines may be."""
        return min(max(shutil.get_terminal_size((WIDE, 24)).columns - 1, NARROW), WIDE)

    def ask(self, zh: str, en: str, default: str = "", wrong: Callable[[str], str] | None = None) -> str:
        """Ask for a text until `wrong` has nothing against it. Raises Stopped."""
        question = say(zh, en) + (f" [{default}]" if default else "")
        while True:
            given = self._input(question + ": ").strip() or default
            why = wrong(given) if wrong is not None else ""
            if not why:
                return given
            self.show(f"  ! {why}")

    def yes(self, zh: str, en: str, *, default: bool = True) -> bool:
        """Ask yes or no. Raises Stopped."""
        word = self.ask(
            zh + ("（Y/n）" if default else "（y/N）"), en + (" (Y/n)" if default else " (y/N)")
        ).lower()
        return default if not word else word[0] in "y是好对1"

    def choose(self, zh: str, en: str, options: Sequence[str], default: int = 1) -> int:
        """Show numbered options and return the number chosen, from 1. Raises Stopped."""
        for number, option in enumerate(options, start=1):
            self.show(clip(f"  {number} {option}", self.columns()))

        def wrong(text: str) -> str:
            fits = text.isdecimal() and 1 <= int(text) <= len(options)
            return "" if fits else say(f"请输入 1 到 {len(options)}", f"a number from 1 to {len(options)}")

        return int(self.ask(zh, en, str(default), wrong))

    def secret(self, zh: str, en: str) -> str:
        """Ask for something that is not shown. Raises Stopped."""
        import getpass  # noqa: PLC0415  only here

        try:
            return getpass.getpass(say(zh, en) + ": ")
        except (EOFError, KeyboardInterrupt):
            raise Stopped from None

    def _input(self, question: str) -> str:
        try:
            sys.stdout.write(question)
            sys.stdout.flush()
            signal.set_wakeup_fd(self._waking)
            while sys.stdin not in select.select([sys.stdin, self._signalled], [], [])[0]:
                os.read(self._signalled, 4096)  # of an earlier Ctrl-C, or a signal that stops nothing
            line = sys.stdin.readline()  # a terminal gives whole lines: this does not wait
        except KeyboardInterrupt:
            raise Stopped from None
        finally:
            signal.set_wakeup_fd(-1)
        if not line:
            raise Stopped
        return line


def wrap(text: str, columns: int) -> list[str]:
    """Return the text in lines no wider than so many columns; Chinese breaks anywhere, English at spaces."""
    lines, line = [], ""
    for word in _words(text):
        if line and width(line) + width(word.rstrip()) > columns:
            lines.append(line.rstrip())
            line = word.lstrip()
        else:
            line += word
    return [*lines, line.rstrip()] if line.strip() else lines


def _words(text: str) -> list[str]:
    words, word = [], ""
    for ch in text:
        if width(ch) > 1:
            words += [word, ch] if word else [ch]
            word = ""
        else:
            word += ch
            if ch == " ":
                words.append(word)
                word = ""
    return [*words, word] if word else words
