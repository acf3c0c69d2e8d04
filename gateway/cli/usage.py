"""The parser of the command line, with argparse's own words in the reader's language.

`argparse` takes its words from gettext, for the whole process; here they are put in place of its own in one
class, which subparsers inherit. A word that the tables do not have stays English.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

from gateway.language import language, say

if TYPE_CHECKING:
    from collections.abc import Iterable

WRONG = 2
COMPLAINTS: Final = (
    (r"the following arguments are required: (.*)", r"缺少参数：\1"),
    (r"unrecognized arguments: (.*)", r"无法识别的参数：\1"),
    (r"argument (.*?): invalid choice: (.*) \(choose from (.*)\)", r"参数 \1：不可为 \2（可选：\3）"),
    (r"argument (.*?): invalid \S+ value: (.*)", r"参数 \1：\2 不是有效的值"),
    (r"argument (.*?): expected one argument", r"参数 \1：需要一个值"),
    (r"argument (.*?): expected at least one argument", r"参数 \1：至少需要一个值"),
    (r"argument (.*?): expected (\d+) arguments?", r"参数 \1：需要 \2 个值"),
    (r"argument (.*?): ignored explicit argument (.*)", r"参数 \1：不带值，却给了 \2"),
    (r"argument (.*?): not allowed with argument (.*)", r"参数 \1：不能与 \2 同用"),
    (r"one of the arguments (.*) is required", r"须给出其中之一：\1"),
    (r"ambiguous option: (.*) could match (.*)", r"选项 \1 不明确，可能是：\2"),
)


class Parser(argparse.ArgumentParser):
    """A parser that speaks Chinese to who reads Chinese."""

    def __init__(self, *, add_help: bool = True, **kwargs: Any) -> None:  # noqa: ANN401 - as the base class has it
        kwargs.setdefault("formatter_class", Formatter)
        super().__init__(add_help=False, **kwargs)
        self._positionals.title = say("参数", "positional arguments")
        self._optionals.title = say("选项", "options")
        if add_help:
            self.add_argument(
                "-h", "--help", action="help", help=say("显示本帮助", "show this help message and exit")
            )

    def error(self, message: str) -> NoReturn:
        """Say how it is used and what was wrong, and end with 2."""
        self.print_usage(sys.stderr)
        self.exit(WRONG, f"{self.prog}: {say('错误：', 'error: ')}{complaint(message)}\n")


class Formatter(argparse.HelpFormatter):
    """Lays out the help."""

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """Begin with `usage: ` in the reader's language."""
        super().add_usage(usage, actions, groups, say("用法：", "usage: ") if prefix is None else prefix)


def complaint(message: str) -> str:
    """Return what argparse complains of, in the reader's language."""
    for english, chinese in COMPLAINTS if language() == "zh" else ():
        if re.fullmatch(english, message, re.DOTALL):
            return re.sub(english, chinese, message, count=1, flags=re.DOTALL)
    return message
