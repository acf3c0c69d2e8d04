"""What a survey has found, as people and machines see it: sentences, a bar, JSON."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from drivers.survey.found import Found, Progress
from drivers.survey.talk import Tongue
from gateway.cli.output import clip, print_text
from gateway.language import say

if TYPE_CHECKING:
    from drivers.survey.found import Report

NARROW: Final = 64  # columns
TROUBLES: Final = {
    "garbled": (
        "应答损坏：两台设备同一地址，或线缆不良",
        "broken answers: two devices with one address, or a bad cable",
    ),
    "twice": ("应答两次：两台设备同一地址", "answers twice: two devices with one address"),
}


class Show:
    """Tells what is found as it is found, and how far it is, where people look."""

    def __init__(self, *, quiet: bool, network: bool = False) -> None:
        """`quiet`: the bar only. `network`: the line has no rate and no parity of its own."""
        self._quiet, self._network = quiet, network
        self._bar = sys.stderr.isatty()
        self._began = time.monotonic()
        self._found = 0

    def tell(self, event: Progress | Found) -> None:
        """Show one event."""
        if isinstance(event, Progress):
            if self._bar:
                print("\r" + self._line(event) + "\x1b[K", end="", file=sys.stderr, flush=True)
            return
        self._found += 1
        if not self._quiet:
            self.clear()
            narrow = sys.stdout.isatty() and shutil.get_terminal_size().columns < NARROW
            for line in sentence(event, "\n  " if narrow else "  ", network=self._network).split("\n"):
                print_text(line, 4)

    def clear(self) -> None:
        """Take the bar away."""
        if self._bar:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _line(self, event: Progress) -> str:
        share = event.done / event.total if event.total else 0.0
        took = time.monotonic() - self._began
        left = event.total - event.done
        rate = "" if self._network else f"{event.setting} "
        full = "█" * round(share * 10)
        text = f"{full:░<10} {share:4.0%} {_clock(took)} -{_clock(left)} {rate}{event.what}"
        return clip(f"{text}  +{self._found}", shutil.get_terminal_size().columns - 1)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def sentence(found: Found, glue: str = "  ", *, network: bool = False) -> str:
    """Return what was found, in one line, or in several with a glue that breaks them."""
    who = say("地址", "unit") + f" {found.who}" if found.who else say("（无地址）", "(no address)")
    took = "" if found.wait is None else f"  {found.wait * 1000:.0f} ms"
    tongue = "" if found.tongue is Tongue.MODBUS else f"  {found.tongue}"
    rate = "" if network else f"  {found.setting}"
    parts = [f"{who}{rate}{tongue}{took}"]
    if found.trouble is not None:
        parts.append("! " + say(*TROUBLES[found.trouble.value]))
    if found.matches:
        best, *others = found.matches
        parts.append(say("像是", "looks like") + f" {best.profile}, {best.share:.0%}")
        near = [m for m in others if m.share > best.share / 4][:2]
        parts += [f"({say('或', 'or')} {m.profile} {m.share:.0%})" for m in near]
    elif found.tongue is Tongue.MODBUS and found.trouble is None:
        parts.append(say("型号未知", "no known model"))
    return glue.join(parts)


def left_out(report: Report, *, network: bool = False) -> str:
    """Return what was not asked."""
    return ", ".join(step.what if network else f"{step.setting} {step.what}" for step in report.left_out)


def as_json(report: Report, took: float, held: float) -> dict[str, Any]:
    """Return the report for machines; times in seconds, shares from 0 to 1."""
    return {
        "found": [found_json(found) for found in report.found],
        "left_out": [
            {"setting": str(s.setting), "what": s.what, "shots": len(s.shots)} for s in report.left_out
        ],
        "noisy": [str(setting) for setting in report.noisy],
        "echo": report.echo,
        "took": round(took, 2),
        "held": round(held, 2),
    }


def found_json(found: Found) -> dict[str, Any]:
    """Return somebody found, for machines."""
    return {
        "protocol": found.tongue.value,
        "address": int(found.who) if found.tongue is Tongue.MODBUS else found.who,
        "baud": found.setting.baud,
        "parity": found.setting.parity,
        "stop": found.setting.stop,
        "wait": found.wait,
        "trouble": None if found.trouble is None else found.trouble.value,
        "profile": found.matches[0].profile if found.matches else None,
        "matches": [
            {
                "profile": m.profile,
                "share": round(m.share, 3),
                "seen": m.seen,
                "points": m.points,
                "values": dict(m.values),
            }
            for m in found.matches
        ],
        "frame": found.frame.hex(" ").upper(),
    }
