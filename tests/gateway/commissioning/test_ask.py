"""Questions at a real terminal: what is typed, and what Ctrl-C and Ctrl-D do at any moment."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
ASKER = """
import sys
from gateway.commissioning.ask import Stopped, Terminal
terminal = Terminal()
ask = input if sys.argv[1] == "input" else lambda question: terminal.ask(question, question)
while True:
    try:
        print("got " + ask("name") + ".", flush=True)
    except (Stopped, KeyboardInterrupt):
        print("stopped.", flush=True)
"""


class Asked:
    """A program that asks again and again at a terminal of its own."""

    def __init__(self, how: str = "terminal") -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            argv = [sys.executable, "-c", ASKER, how]
            os.execve(argv[0], argv, {**os.environ, "PYTHONPATH": str(ROOT), "TOCSIN_LANG": "en"})
        self.heard = b""

    def hears(self, words: bytes, seconds: float = 10) -> bool:
        """Take what it says up to these words; False when they do not come."""
        while words not in self.heard:
            if not select.select([self.fd], [], [], seconds)[0]:
                return False
            self.heard += os.read(self.fd, 65536)
        self.heard = self.heard.split(words, 1)[1]
        return True

    def types(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def kept(self, presses: int) -> int:
        """Press Ctrl-C at every question, as soon as it is there; return how many did something at once."""
        for done in range(presses):
            assert self.hears(b"name")
            self.types(b"\x03")
            if not self.hears(b"stopped.", 2):
                return done
        return presses

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def asked() -> Iterator[Asked]:
    it = Asked()
    yield it
    it.close()


def test_what_is_typed_is_what_is_asked_for_without_the_blanks_around(asked: Asked) -> None:
    assert asked.hears(b"name: ")
    asked.types(" 绿景 \r".encode())
    assert asked.hears("got 绿景.".encode())


def test_the_end_of_input_stops_the_questions(asked: Asked) -> None:
    assert asked.hears(b"name: ")
    asked.types(b"\x04")
    assert asked.hears(b"stopped.")


def test_lines_pasted_at_once_answer_one_question_each(asked: Asked) -> None:
    assert asked.hears(b"name: ")
    asked.types(b"one\rtwo\rthree\r")
    for word in (b"got one.", b"got two.", b"got three."):
        assert asked.hears(word)


def test_ctrl_c_just_after_a_question_is_never_lost(asked: Asked) -> None:
    assert asked.kept(3000) == 3000


def test_control_the_input_of_python_loses_one() -> None:
    it = Asked("input")
    try:
        assert it.kept(500_000) < 500_000
    finally:
        it.close()
