"""`tocsin sniff`: listen to a line and say who talks, who answers how fast, and what is wrong."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from drivers.survey.ear import JITTER, RESTS, Ear, Kind
from drivers.survey.frames import hear, shown
from drivers.survey.plan import METERS, MODBUS
from drivers.survey.talk import Setting
from gateway.cli.client import add_daemon
from gateway.cli.line_access import Access, add_line
from gateway.cli.output import Failure, add_output, print_json, print_table, print_text
from gateway.cli.scan import settings
from gateway.commissioning.lines import daemon_terms, listen_daemon, listen_own, own_bench
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from drivers.line.settings import LineSettings
    from drivers.survey.ear import Trouble, Voice
    from drivers.survey.talk import Said

SECONDS: Final = 60.0
TRY: Final = 1.5  # seconds of listening at each rate until somebody is understood
LOOK: Final = 2.0  # seconds between two looks at what may be wrong
CONDITION = 4
WORDS: Final = {
    Kind.TWO_DEVICES: (
        "地址 {who}：两台设备同一地址（{share}，{count} 次重叠）",
        "unit {who}: two devices with one address ({share}; {count} collisions)",
    ),
    Kind.BROKEN: (
        "地址 {who}：{share} 的应答损坏：查线缆、接地、终端电阻",
        "unit {who}: {share} of its answers are broken: cable, ground, termination",
    ),
    Kind.SILENT: ("地址 {who}：{count} 次询问均无应答", "unit {who}: never answers ({count} questions)"),
    Kind.NOISE: (
        "全部设备的应答都有损坏（{share}）：线路干扰",
        "everybody's answers are damaged ({share}): the line is noisy",
    ),
    Kind.OTHER_MASTER: ("线路上另有主站在询问", "another master asks on this line"),
    Kind.NOTHING_UNDERSTOOD: (
        "收到 {count} 字节但无一帧可辨：速率、校验或协议不符",
        "{count} bytes, and no frame: another rate, parity or protocol",
    ),
}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    text = say(
        "只听不发：显示报文、谁答谁、应答时间、冲突、两台设备同一地址；守护进程运行时经它收听",
        "listen only: frames, who answers whom and how fast, collisions, two devices with one address; "
        "through the daemon while it runs",
    )
    parser = subparsers.add_parser("sniff", help=say("监听线路", "listen to a line"), description=text)
    add_line(parser, rates=False)
    parser.add_argument("--baud", metavar="9600", help=say("默认自动识别", "default: found out by listening"))
    parser.add_argument("--parity", metavar="none")
    parser.add_argument("--for", type=float, default=SECONDS, dest="seconds", metavar="S", help="s")
    parser.add_argument("--frames", action="store_true", help=say("显示每一帧", "show every frame"))
    add_daemon(parser)
    add_output(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Listen; 0 when all is well, 4 when something is wrong, 1 when nothing was heard."""
    if not 1 <= args.seconds <= 3600:
        raise Failure(say("--for：1 到 3600 秒", "--for: 1 to 3600 seconds"), 2)
    access = Access(args)
    if access.daemon is not None:
        terms = daemon_terms(access.daemon, access.name, interrupt=False)
        setting, pieces = terms.own or Setting(), listen_daemon(access.daemon, access.name, args.seconds)
        gap = RESTS
        if terms.network:
            raise _network(access.name)
    else:
        assert access.settings is not None
        if access.settings.serial is None and access.settings.protocol == "modbus-tcp":
            raise _network(access.name)
        own = _found_out(args, access.settings)
        setting, pieces = Setting(own.baud, own.parity, own.stop), listen_own(own, args.seconds)
        gap = JITTER
    ear = Ear(setting, gap)
    _follow(ear, pieces, show=args.frames and args.output != "json", quiet=args.output == "json")
    ear.close()
    troubles = ear.troubles()
    if args.output == "json":
        print_json(as_json(ear, setting, troubles))
    else:
        _print(ear, setting)
    return CONDITION if troubles else 0 if ear.frames else 1


def _network(name: str) -> Failure:
    zh = f"{name} 是 Modbus TCP：网络上没有可旁听的第三方"
    en = f"{name} is Modbus TCP: there are no third parties to listen to on a network end"
    return Failure(say(zh, en), 2)


def _found_out(args: argparse.Namespace, line: LineSettings) -> LineSettings:
    """Return the line with the rate that is named, or the first at which somebody is understood."""
    if line.serial is None:
        return line
    named = settings(args.baud, args.parity)
    if len(named) == 1 or "/" not in args.line:
        own = named[0] if named else Setting(line.baud, line.parity, line.stop)
    else:
        print(say("识别速率…", "finding out the rate ..."), file=sys.stderr)
        own = asyncio.run(_try(line, named or tuple(dict.fromkeys((*MODBUS, *METERS)))))
        print(say("收听于 ", "listening at ") + str(own), file=sys.stderr)
    return replace(line, baud=own.baud, parity=own.parity, stop=own.stop)


async def _try(line: LineSettings, among: tuple[Setting, ...]) -> Setting:
    async with own_bench(line) as (bench, _):
        for setting in among:
            if hear(await bench.listen(setting, TRY)):
                return setting
    return among[0]


def _follow(ear: Ear, pieces: Iterator[tuple[str, bytes, float]], *, show: bool, quiet: bool) -> None:
    """Take in what is heard; say what is wrong as soon as it is sure."""
    told: set[tuple[Kind, str]] = set()
    next_look = time.monotonic() + LOOK
    try:
        for way, data, at in pieces:
            for began, said in ear.hear(way, data, at) if way else ear.pause(at):
                if show:
                    print(_frame(said, began), flush=True)
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + LOOK
                for trouble in ear.troubles():
                    if not quiet and (key := (trouble.kind, trouble.who)) not in told:
                        told.add(key)
                        print("! " + _words(trouble), flush=True)
    except KeyboardInterrupt:  # enough was heard: say what
        pass


def _frame(said: Said, at: float) -> str:
    arrow = "→" if said.asks else "←"
    return f"{at % 1000:8.3f} {arrow} {said.tongue} {said.who or '-'}  {shown(said)}"


def _words(trouble: Trouble) -> str:
    text = say(*WORDS[trouble.kind])
    return text.format(who=trouble.who, share=f"{trouble.share:.0%}", count=trouble.count)


def _print(ear: Ear, setting: Setting) -> None:
    head = say(
        "地址,协议,询问,应答,无应答,损坏,双重,应答时间",
        "UNIT,PROTOCOL,ASKED,ANSWERED,SILENT,BROKEN,DOUBLE,TURNAROUND",
    ).split(",")
    rows = [_row(voice) for voice in ear.voices.values()]
    if rows:
        print_table(head, rows)
    text = say(
        f"{setting}：{ear.bytes} 字节，{ear.frames} 帧，{ear.lost} 字节不属于任何帧",
        f"{setting}: {ear.bytes} bytes, {ear.frames} frames, {ear.lost} bytes of no frame",
    )
    print(text, file=sys.stderr)
    for trouble in ear.troubles():
        print_text("! " + _words(trouble))


def _row(voice: Voice) -> tuple[object, ...]:
    took = "" if voice.turnaround is None else f"{voice.turnaround * 1000:.0f} ms"
    answered = voice.answered or voice.unasked
    return (
        voice.who or "-",
        voice.tongue,
        voice.asked,
        answered,
        voice.silent,
        voice.broken,
        voice.doubled,
        took,
    )


def as_json(ear: Ear, setting: Setting, troubles: list[Trouble]) -> dict[str, Any]:
    """Return what was heard, for machines; times in seconds."""
    return {
        "baud": setting.baud,
        "parity": setting.parity,
        "bytes": ear.bytes,
        "frames": ear.frames,
        "lost": ear.lost,
        "voices": [
            {
                "protocol": v.tongue.value,
                "address": v.who,
                "asked": v.asked,
                "answered": v.answered,
                "silent": v.silent,
                "broken": v.broken,
                "doubled": v.doubled,
                "unasked": v.unasked,
                "turnaround": None if v.turnaround is None else round(v.turnaround, 4),
            }
            for v in ear.voices.values()
        ],
        "troubles": [
            {
                "kind": t.kind.value,
                "address": t.who,
                "share": round(t.share, 2),
                "count": t.count,
                "text": _words(t),
            }
            for t in troubles
        ],
    }
