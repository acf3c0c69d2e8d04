"""The kinds of values a settings file holds beyond numbers and texts: durations, sizes, secrets, places."""

# ruff: noqa: ANN401 - what a settings file holds may be anything

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from gateway.config.report import must_be, unknown_key
from gateway.config.secrets import Secret
from gateway.language import say

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "y": 365 * 86400.0}
BYTES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ms|s|m|h|d|y)")
SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s?(B|kB|MB|GB|KiB|MiB|GiB|TiB)")
DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LABEL = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
ENDPOINT = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^\s:/\[\]]+):(\d{1,5})")
BROKER = re.compile(r"mqtts?://(\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+)(:\d{1,5})?/?")
HTTP = re.compile(r"https?://[^\s/@]+(/\S*)?")


def wrong(what: str, **context: Any) -> PydanticCustomError:
    """Return the error that reaches the operator as it stands."""
    return PydanticCustomError("tocsin", "{what}", {"what": what, **context})


def seconds(value: object) -> float:
    """Return the seconds of `2s`, `500ms` ... or of a bare number. Raises PydanticCustomError."""
    if isinstance(value, str) and (match := DURATION.fullmatch(value)):
        return float(match[1]) * SECONDS[match[2]]
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:
        return float(value)
    zh, en = "时长，例如 500ms、2s、5m、8h 或 30d", "a duration such as 500ms, 2s, 5m, 8h or 30d"
    raise wrong(must_be(zh, en, value))


def duration(value: object) -> float:
    """Return seconds like `seconds`, but more than none."""
    found = seconds(value)
    if found <= 0:
        raise wrong(must_be("大于零的时长", "longer than none", value))
    return found


def size(value: object) -> int:
    """Return the bytes of `2GiB`, `500MB` or of a bare whole number. Raises PydanticCustomError."""
    if isinstance(value, str) and (match := SIZE.fullmatch(value)) and float(match[1]) > 0:
        return int(float(match[1]) * BYTES[match[2]])
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise wrong(must_be("容量，例如 500MB 或 2GiB", "a size such as 500MB or 2GiB", value))


def number(value: object) -> float:
    """Return a number as float; texts, true and false are none. Raises PydanticCustomError."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf"):
        return float(value)
    raise wrong(must_be("数字", "a number", value))


def name(value: object) -> str:
    """Check a name that goes into topics and tags. Raises PydanticCustomError."""
    if isinstance(value, str) and NAME.fullmatch(value) and len(value) <= 64:
        return value
    hint = ""
    if isinstance(value, str):
        near = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:64].strip("-")
        hint = say(f"；例如 `{near}`", f"; for example `{near}`") if near else ""
    zh = "由小写字母、数字和单个连字符组成的名称（最多 64 个字符）"
    en = "a name of small letters, digits and single hyphens (at most 64)"
    raise wrong(must_be(zh, en, value) + hint)


def endpoint(value: object) -> str:
    """Check `host:port`. Raises PydanticCustomError."""
    if isinstance(value, str) and (match := ENDPOINT.fullmatch(value)) and 0 < int(match[2]) < 65536:
        return value
    zh, en = '"主机:端口"（端口 1 到 65535）', '"host:port" with a port of 1 to 65535'
    raise wrong(must_be(zh, en, value))


def day(value: object) -> dt.date:
    """Read `2026-03-01`; spreadsheets also write 2026/3/1. Raises PydanticCustomError."""
    if isinstance(value, str) and (match := DAY.fullmatch(value)):
        try:
            return dt.date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            pass  # there is no 31 April
    raise wrong(must_be("日期，例如 2026-03-01", "a date such as 2026-03-01", value))


def zone(value: object) -> zoneinfo.ZoneInfo:
    """Return the time zone of that name. Raises PydanticCustomError."""
    if isinstance(value, str) and value:
        try:
            return zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            pass
    known = zoneinfo.available_timezones()
    if not known:
        zh = "无法查到：本机没有时区数据；请安装 tzdata 软件包"
        en = "cannot be looked up: this machine has no time zone data; install the package tzdata"
        raise wrong(say(zh, en))
    raise wrong(
        must_be("时区，例如 Asia/Shanghai", "a time zone such as Asia/Shanghai", value),
        word=str(value),
        known=sorted(known),
    )


def bilingual(value: object) -> dict[str, str]:
    """Read a text for people: `{zh: ..., en: ...}`, or one text for both. Raises PydanticCustomError."""
    if isinstance(value, str) and value:
        return {"zh": value, "en": value}
    if isinstance(value, dict) and value and set(value) <= {"zh", "en"}:
        texts = list(value.values())
        if all(isinstance(text, str) and text for text in texts):
            return {"zh": value.get("zh", texts[0]), "en": value.get("en", texts[0])}
    surplus = [key for key in value if key not in {"zh", "en"}] if isinstance(value, dict) else []
    if surplus:
        raise wrong(unknown_key(surplus[0], ("zh", "en")), at=surplus[0])
    raise wrong(must_be("文字或 {zh: ..., en: ...}", "a text or {zh: ..., en: ...}", value))


def whole(value: object) -> int:
    """Return a whole number; texts, true and false are none. Raises PydanticCustomError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise wrong(must_be("整数", "a whole number", value))


def address(value: object) -> int | str:
    """Check the address of a device on its line: a number, or the digits some protocols use."""
    if isinstance(value, int | str) and not isinstance(value, bool):
        return value
    hint = ""
    if isinstance(value, float):
        zh, en = (
            "；表格软件会把长数字取整：请把该列设为文本格式",
            "; a spreadsheet rounds long numbers: format the column as text",
        )
        hint = say(zh, en)
    raise wrong(must_be("整数或文字", "a whole number or a text", value) + hint)


def file_path(value: object, info: ValidationInfo) -> Path:
    """Return an absolute path; a relative one counts from the settings file. Raises PydanticCustomError."""
    if isinstance(value, str) and value.strip() and "\0" not in value:
        base = (info.context or {}).get("base", Path())
        return Path(base, Path(value).expanduser()).absolute()
    raise wrong(must_be("路径", "a path", value))


def secret(value: object, info: ValidationInfo) -> Secret:
    """Read `{file: path}` or `{credential: name}`. Raises PydanticCustomError."""
    match value:
        case {"file": str(path), **rest} if path and not rest:
            return Secret(file=file_path(path, info))
        case {"credential": str(word), **rest} if re.fullmatch(r"[A-Za-z0-9._-]+", word) and not rest:
            return Secret(credential=word)
        case str() if (info.context or {}).get("demo"):
            return Secret(inline=value)
        case str():
            zh = "密码不能直接写在文件里；请写 {file: 路径} 或 {credential: 名称}"
            en = "a secret never stands in the file itself; write {file: path} or {credential: name}"
            raise wrong(say(zh, en))
    ways = ("file", "credential")
    surplus = [key for key in value if key not in ways] if isinstance(value, dict) else []
    if surplus:
        raise wrong(unknown_key(surplus[0], ways), at=surplus[0])
    zh, en = " {file: 路径} 或 {credential: 名称}", "{file: path} or {credential: name}"
    raise wrong(must_be(zh, en, value))


def broker(value: object) -> str:
    """Check the address of a broker. Raises PydanticCustomError."""
    if isinstance(value, str) and BROKER.fullmatch(value):
        return value
    more = ""
    if isinstance(value, str) and "@" in value:
        more = say("；用户名和密码另有各自的键", "; user and password have keys of their own")
    zh, en = " mqtt://主机:端口 或 mqtts://主机:端口", "mqtt://host:port or mqtts://host:port"
    raise wrong(must_be(zh, en, value) + more)


def web_address(value: object) -> str:
    """Check the address of a server that speaks HTTP. Raises PydanticCustomError."""
    if isinstance(value, str) and HTTP.fullmatch(value):
        return value
    zh, en = " http://主机:端口 或 https://主机:端口", "http://host:port or https://host:port"
    raise wrong(must_be(zh, en, value))


def filled(value: str) -> str:
    """Refuse an empty text. Raises PydanticCustomError."""
    if not value.strip():
        raise wrong(say("不能为空", "must not be empty"))
    return value


TIME_SCHEMA = {"anyOf": [{"type": "string", "pattern": f"^{DURATION.pattern}$"}, {"type": "number"}]}
SIZE_SCHEMA = {"anyOf": [{"type": "string", "pattern": f"^{SIZE.pattern}$"}, {"type": "integer"}]}
SECRET_SCHEMA = {
    "type": "object",
    "properties": {"file": {"type": "string"}, "credential": {"type": "string"}},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
WORDS_SCHEMA = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
            "additionalProperties": False,
        },
    ]
}


def _text(pattern: str | None = None, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **({"pattern": f"^{pattern}$"} if pattern else {}), **more})


Seconds = Annotated[float, BeforeValidator(seconds), WithJsonSchema(TIME_SCHEMA)]
Duration = Annotated[float, BeforeValidator(duration), WithJsonSchema(TIME_SCHEMA)]
Size = Annotated[int, BeforeValidator(size), WithJsonSchema(SIZE_SCHEMA)]
Number = Annotated[float, BeforeValidator(number)]
Address = Annotated[int | str, BeforeValidator(address)]
Whole = Annotated[int, BeforeValidator(whole)]
Name = Annotated[str, BeforeValidator(name), _text(NAME.pattern)]
Endpoint = Annotated[str, BeforeValidator(endpoint), _text(ENDPOINT.pattern)]
Date = Annotated[dt.date, BeforeValidator(day), _text()]
Zone = Annotated[zoneinfo.ZoneInfo, BeforeValidator(zone), _text()]
Words = Annotated[dict[str, str], BeforeValidator(bilingual), WithJsonSchema(WORDS_SCHEMA)]
FilePath = Annotated[Path, BeforeValidator(file_path), _text()]
SecretRef = Annotated[Secret, BeforeValidator(secret), WithJsonSchema(SECRET_SCHEMA)]
Broker = Annotated[str, BeforeValidator(broker), _text(BROKER.pattern)]
WebAddress = Annotated[str, BeforeValidator(web_address), _text(HTTP.pattern)]
Filled = Annotated[str, AfterValidator(filled)]
Latitude = Annotated[Number, Field(ge=-90, le=90)]
Longitude = Annotated[Number, Field(ge=-180, le=180)]
SixBytes = Annotated[Whole, Field(ge=0, le=0xFFFF_FFFF_FFFF)]
Crs = Literal["WGS-84", "GCJ-02", "BD-09"]
