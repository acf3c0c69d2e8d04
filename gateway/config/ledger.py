"""Reads the ledger of devices that operators keep in a spreadsheet: CSV as Excel writes it, also in China.

UTF-8 with or without BOM, UTF-16 ("Unicode text") and GB18030 (which holds GBK); comma, semicolon or tab;
English or Chinese column names. A column with a dot is a field of a rule: `lel-high.limit`.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.config.devices import RawDevice
from gateway.config.report import Path, Report, missing, suggest
from gateway.config.yamltext import plain
from gateway.language import say

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

# column -> (path in a device, Chinese names a spreadsheet may use instead)
COLUMNS: dict[str, tuple[Path, tuple[str, ...]]] = {
    "name": (("name",), ("设备", "设备名", "设备编号", "名称")),
    "profile": (("profile",), ("型号", "设备型号")),
    "line": (("line",), ("线路",)),
    "address": (("address",), ("地址", "站号", "从站地址")),
    "every": (("every",), ("周期", "轮询周期")),
    "alarm_every": (("alarm_every",), ("告警周期",)),
    "place": (("place", "text"), ("位置", "安装位置")),
    "building": (("place", "building"), ("楼栋", "楼号")),
    "floor": (("place", "floor"), ("楼层",)),
    "lat": (("place", "lat"), ("纬度",)),
    "lon": (("place", "lon"), ("经度",)),
    "crs": (("place", "crs"), ("坐标系",)),
    "district": (("area", "district"), ("区县", "区")),
    "street": (("area", "street"), ("街道",)),
    "community": (("area", "community"), ("社区",)),
    "grid": (("area", "grid"), ("网格",)),
    "zone": (("zone",), ("分区", "防火分区")),
    "owner": (("owner",), ("责任单位", "业主单位", "产权单位")),
    "gateway": (("gateway",), ("网关", "归属网关")),
    "installed": (("installed",), ("安装日期",)),
    "calibrated": (("calibrated",), ("标定日期", "校准日期")),
    "allow_writes": (("allow_writes",), ("允许写入",)),
}
NUMBERS = frozenset({("address",), ("place", "lat"), ("place", "lon"), ("every",), ("alarm_every",)})
SEPARATORS = (",", ";", "\t", "，", "；")
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def _aliases() -> dict[str, Path]:
    return {word: path for column, (path, others) in COLUMNS.items() for word in (column, *others)}


ALIASES = _aliases()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title as the operator wrote it, and what it means."""

    title: str
    path: Path


@dataclass(frozen=True, slots=True)
class Row:
    """The place of one row in its file."""

    file: str
    number: int
    titles: dict[Path, str]

    def line(self, path: Path, *, key: bool = False) -> int:
        """Return the line of the row."""
        del path, key
        return self.number

    def label(self, path: Path) -> str:
        """Return the title of the column, or the path where the file has no such column."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.titles:
                return self.titles[path[:length]]
        return ".".join(map(str, path))


def decode(raw: bytes) -> str | None:
    """Return the text of a file whose encoding nobody stated; None when it is no text."""
    for mark, encoding in MARKS.items():
        if raw.startswith(mark):
            return _try(raw, encoding)
    text = _try(raw, "utf-8")
    return text if text is not None else _try(raw, "gb18030")


def _try(raw: bytes, encoding: str) -> str | None:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def separator(header: str) -> str:
    """Return what separates the columns of a header: the mark that is there most often."""
    return max(SEPARATORS, key=header.count)


def read_ledger(path: pathlib.Path, file: str, report: Report) -> list[RawDevice]:
    """Return the devices of a ledger; what is wrong with its form goes into the report."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        report.at(file, 1, "", say(f"无法读取：{error.strerror}", f"cannot be read: {error.strerror}"))
        return []
    text = decode(raw)
    if text is None:
        zh = "不是 UTF-8、UTF-16 或 GB18030 文本；请把表格另存为 CSV"
        en = "is no text in UTF-8, UTF-16 or GB18030; save the sheet as CSV"
        report.at(file, 1, "", say(zh, en))
        return []
    rows = list(_rows(text, file, report))
    if not rows:
        zh = "没有表头：第一行应为列名（设备、型号、线路、地址……）"
        en = "has no header: the first row names the columns (name, profile, line, address ...)"
        report.at(file, 1, "", say(zh, en))
        return []
    (number, titles), *body = rows
    columns = _header(titles, file, number, report)
    if columns is None:
        return []
    return [d for line, cells in body if (d := _device(cells, columns, file, line, report)) is not None]


def _rows(text: str, file: str, report: Report) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that say something, with their lines. Rows that begin with # are remarks."""
    skipped = 0
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep="):  # a note from Excel to Excel
        text, skipped = rest, 1
    header = next((s for s in text.splitlines() if s.strip() and not s.startswith("#")), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator(header), strict=True)
    begin = skipped + 1
    try:
        for cells in reader:
            cleaned = [cell.strip() for cell in cells]
            if any(cleaned) and not cleaned[0].startswith("#"):
                yield begin, cleaned
            begin = skipped + reader.line_num + 1
    except csv.Error as error:
        report.at(file, begin, "", say(f"不是正确的 CSV：{error}", f"is not CSV: {error}"))


def _header(titles: list[str], file: str, line: int, report: Report) -> list[Column | None] | None:
    """Return what each column means; None when the devices cannot be told apart."""
    columns: list[Column | None] = []
    seen: dict[Path, str] = {}
    for title in titles:
        path = _meaning(title)
        if title and path is None:
            report.at(file, line, title, say("未知的列", "unknown column") + suggest(title, ALIASES))
        elif path is not None and path in seen:
            zh, en = f"这一列重复了：`{seen[path]}`", f"this column is there twice: `{seen[path]}`"
            report.at(file, line, title, say(zh, en))
            path = None
        if path is not None:
            seen[path] = title
        columns.append(None if path is None else Column(title, path))
    if ("name",) not in seen:
        en = "the column with the names of the devices is missing (name, 设备)"
        report.at(file, line, "name", say("缺少设备名称这一列（name 或 设备）", en))
        return None
    return columns


def _meaning(title: str) -> Path | None:
    word = title.strip().lower()
    if word in ALIASES:
        return ALIASES[word]
    head, dot, tail = word.partition(".")
    if not dot or not head or not tail:
        return None
    if head in {"baseline", "基准"}:
        return ("baseline", tail)
    if head in {"place", "area"}:
        return next((path for path, _ in COLUMNS.values() if path == (head, tail)), None)
    return ("rules", head, tail)


def _device(
    cells: list[str], columns: list[Column | None], file: str, line: int, report: Report
) -> RawDevice | None:
    """Return the device of one row."""
    row = Row(file, line, {c.path: c.title for c in columns if c is not None})
    if any(cells[len(columns) :]):
        zh = f"这一行有 {len(cells)} 格，而表头只有 {len(columns)} 列"
        en = f"has {len(cells)} cells, but there are {len(columns)} columns"
        report.at(file, line, "", say(zh, en))
        return None
    data: dict[str, Any] = {}
    for column, cell in zip(columns, cells, strict=False):
        if column is None or not cell:
            continue
        block = data
        for step in column.path[:-1]:
            block = block.setdefault(str(step), {})
        block[str(column.path[-1])] = _value(column.path, cell)
    name = data.pop("name", None)
    if name is None:
        report.at(file, line, row.label(("name",)), missing())
        return None
    return RawDevice(name, data, row, ())


def _value(path: Path, cell: str) -> Any:  # noqa: ANN401  what a cell may hold
    if path == ("allow_writes",):
        return cell.replace(";", " ").replace("，", " ").replace(",", " ").split()
    if path in NUMBERS or path[0] in {"baseline", "rules"}:
        value = plain(cell)
        return value if value is not None else cell
    return cell
