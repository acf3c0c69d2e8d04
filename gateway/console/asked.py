"""What was asked, checked: bodies, query parameters, names. A wrong question is refused in both languages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

MOST_BODY = 64 << 10  # bytes; a longer one is refused before it is read to its end
MOST_TEXT = 200  # characters


def refusal(status: int, zh: str, en: str, **more: str) -> HTTPException:
    """Return the refusal to raise; `more` are words for machines."""
    return HTTPException(status, {"error": {"zh": zh, "en": en}, **more})  # type: ignore[arg-type]  # `told` takes it


async def told(_: Request, error: Exception) -> Response:
    """Turn a refusal into its answer."""
    assert isinstance(error, HTTPException)
    detail: Any = error.detail
    body = detail if isinstance(detail, dict) else {"error": {"zh": detail, "en": detail}}
    return JSONResponse(body, error.status_code, dict(error.headers or {}))


async def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object that was sent. Raises HTTPException."""
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > MOST_BODY:
            raise refusal(413, f"请求超过 {MOST_BODY} 字节", f"the body has more than {MOST_BODY} bytes")
    try:
        body = json.loads(bytes(raw))
    except (ValueError, RecursionError) as error:
        raise refusal(400, f"不是 JSON：{error}", f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise refusal(400, "应为 JSON 对象", "a JSON object is wanted")
    return body


def text(body: Mapping[str, Any], name: str, default: str | None = None, most: int = MOST_TEXT) -> str:
    """Return a text of the body: printable, not empty unless that is the default. Raises HTTPException."""
    value = body.get(name, default)
    fits = isinstance(value, str) and len(value) <= most and (bool(value) or value == default)
    if not fits or not _printable(value):
        raise refusal(
            400,
            f"{name} 应为文字，最多 {most} 个字符",
            f"{name} is wanted: a text of at most {most} printable characters",
        )
    return str(value)


def _printable(value: str) -> bool:
    """Return whether UTF-8 can hold it and no control character is in it; line breaks are allowed."""
    return not any(
        (ch < " " and ch not in "\n\t") or "\ud800" <= ch <= "\udfff" or ch == "\x7f" for ch in value
    )


def whole(body: Mapping[str, Any], name: str, least: int, most: int, default: int | None = None) -> int:
    """Return a whole number of the body. Raises HTTPException."""
    value = body.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise _no_number(name, least, most)
    return value


def asked(request: Request, name: str, least: int, most: int, default: int) -> int:
    """Return a whole number of the query parameters. Raises HTTPException."""
    said = request.query_params.get(name)
    if said is None:
        return default
    digits = said.removeprefix("-")
    value = int(said) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None
    if value is None or not least <= value <= most:
        raise _no_number(name, least, most)
    return value


def _no_number(name: str, least: int, most: int) -> HTTPException:
    return refusal(
        400,
        f"{name} 应为 {least} 到 {most} 的整数",
        f"{name} is wanted: a whole number from {least} to {most}",
    )


def unknown(kind_zh: str, kind_en: str, name: str, known: tuple[str, ...] = ()) -> HTTPException:
    """Return the refusal for a name nobody has."""
    there_zh, there_en = (
        (f"；现有：{', '.join(known)}", f"; there are: {', '.join(known)}") if known else ("", "")
    )
    return refusal(404, f"没有{kind_zh} {name!r}{there_zh}", f"no {kind_en} {name!r}{there_en}")
