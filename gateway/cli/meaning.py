"""What `tocsin read` says about the registers it read: every plausible decoding, and captures of them."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drivers.modbus.pdu import crc
from drivers.registers import Table
from drivers.survey.decodings import Decoding, decodings, matching
from gateway.cli.output import Failure, number, print_table
from gateway.commissioning.captures import CaptureError, decode, entry, record
from gateway.config.profiles import load_profile
from gateway.config.report import ConfigError
from gateway.language import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from drivers.modbus.pdu import Query

TABLES: Final = {3: Table.HOLDING, 4: Table.INPUT}
MOST_PASTED: Final = 5


def add_meaning(parser: argparse.ArgumentParser) -> None:
    """Give `read` its ways to explain and to keep what was read."""
    parser.add_argument(
        "--decode",
        action="store_true",
        help=say("列出所有合理的解码", "every plausible decoding, side by side"),
    )
    parser.add_argument(
        "--expect",
        metavar="VALUE",
        help=say(
            "设备屏幕上的数值：找出哪种解码与之相符", "what the display says: find the decoding that gives it"
        ),
    )
    text = say(
        "把收发帧写入（追加到）捕获文件", "write the frames into a capture, adding to one that is there"
    )
    parser.add_argument("--record", type=Path, metavar="FILE", help=text)
    parser.add_argument(
        "--profile", metavar="KIND/MODEL", help=say("捕获所属型号", "whose capture it is; decodes it, too")
    )
    folder = say("站点目录，其中 profiles/ 为自有型号", "a site's folder, with profiles/ of its own")
    parser.add_argument("--site-folder", type=Path, metavar="DIR", help=folder)


@dataclass(frozen=True, slots=True)
class Meanings:
    """Decodings of what was read."""

    table: Table
    found: Sequence[Decoding]
    expect: str | None

    def json(self) -> list[dict[str, Any]]:
        """Return them for machines."""
        return [
            {
                "register": d.address,
                "type": d.type.value,
                "order": d.order.value,
                "scale": d.scale,
                "value": d.value,
                "plausible": round(d.plausible, 2),
                "line": d.line(self.table),
            }
            for d in self.found
        ]

    def show(self) -> None:
        """Print them: a table, and the lines to paste into a profile."""
        if not self.found:
            zh = "没有相符的解码；手册常从 1 起编号，请把范围前后各加一个寄存器"
            en = "no decoding fits; manuals often count from 1: read one register more on either side"
            print(say(zh, en), file=sys.stderr)
            return
        print()
        if self.expect is None:
            self._side_by_side()
        best = self._best()
        print("\n" + say("型号文件中的写法：", "as a profile writes it:"))
        for decoding in best:
            print(f"  {decoding.line(self.table)}  # {number(decoding.value)}")

    def _side_by_side(self) -> None:
        rows: dict[int, list[str]] = {}
        for d in self.found:
            order = "" if d.type.registers < 2 and d.order == "ABCD" else f" {d.order}"
            rows.setdefault(d.address, []).append(f"{d.type}{order} {number(d.value)}")
        head = say("寄存器,最合理,其次,再次,", "REGISTER,LIKELIEST,OR,OR,").split(",")[:4]
        print_table(head, [(f"0x{at:04X}", *[*texts, "", "", ""][:3]) for at, texts in rows.items()])

    def _best(self) -> list[Decoding]:
        if self.expect is not None:
            return list(self.found[:MOST_PASTED])
        chosen: list[Decoding] = []
        free = -1
        for d in self.found:
            if d.address >= free:
                chosen.append(d)
                free = d.address + max(d.type.registers, d.length, 1)
        return chosen


def meanings(args: argparse.Namespace, found: dict[str, Any]) -> Meanings | None:
    """Return what the registers may mean, when that was asked. Raises Failure."""
    if not args.decode and args.expect is None:
        return None
    table, words = TABLES[args.function], found["registers"]
    if args.expect is None:
        return Meanings(table, decodings(words, args.register, table), None)
    try:
        return Meanings(table, matching(words, args.register, table, args.expect), args.expect)
    except ValueError as error:
        raise Failure(f"--expect {args.expect!r}: {error}", 2) from error


def keep(args: argparse.Namespace, query: Query, found: dict[str, Any]) -> None:
    """Add the exchange to a capture. Raises Failure."""
    if args.profile is None:
        raise Failure(say("--record 需要 --profile 型号", "--record needs --profile KIND/MODEL"), 2)
    body = bytes((query.unit, query.function)) + bytes.fromhex(found["data"])
    answer = body + crc(body)
    folder = args.site_folder or (args.config.parent if args.config else None)
    try:
        values, bad = decode(load_profile(args.profile, folder), query.rtu, answer)
    except ConfigError as error:  # the profile may not be written yet: the frames come first
        values, bad = {}, {}
        print(*error.messages, sep="\n", file=sys.stderr)
        print(say("只记录报文，没有 values", "the frames are recorded, without `values`"), file=sys.stderr)
    today = dt.datetime.now(dt.UTC).date().isoformat()
    source = f"Read with `tocsin read` from unit {query.unit} on {today}; compare with the display"
    try:
        record(args.record, args.profile, source, entry(query.rtu, answer, values, bad))
    except (CaptureError, OSError) as error:
        raise Failure(str(error)) from error
    zh = f"{args.record}：已记录；请与设备屏幕核对 values"
    en = f"{args.record}: recorded; compare `values` with the display"
    print(say(zh, en), file=sys.stderr)
