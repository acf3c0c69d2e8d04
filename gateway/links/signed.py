"""Signed orders that come over MQTT: what must be in one, and whether it is genuine. Pure.

    {"key": "centre", "order": "{...}", "signature": "..."}

`order` is a text that holds JSON; `signature` is the HMAC-SHA256 of exactly these bytes (UTF-8) under the
key of that name, in hex: nobody has to agree on how JSON is written. In it stand `format` 1, `site`,
`gateway`, `id`, `counter` (higher than in any order before under this key), `device`, `point`, `value` and
`expires` (nanoseconds since 1970 UTC, at most a minute ahead).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.links.encode import Topics
    from gateway.model import Answer, Value

FORMAT = 1
MOST = 4096  # bytes
LONGEST = 64  # characters of a name
LARGEST = 1 << 62
SHORTEST_KEY = 32  # characters


class NotTaken(Exception):
    """An order that is not looked at any further. `reason` is one word, `id` its id as far as it is known."""

    def __init__(self, reason: str, detail: str = "", name: str = "", key: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail, self.id, self.key = reason, detail, name, key


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """An order whose signature is right, for this gateway."""

    key: str  # the name of the key
    id: str
    counter: int
    device: str
    point: str
    value: Value
    expires: int  # wall nanoseconds


def signature(key: bytes, order: str) -> str:
    """Return the signature of an order."""
    return hmac.new(key, order.encode(), hashlib.sha256).hexdigest()


def sign(name: str, key: bytes, order: Mapping[str, Any]) -> bytes:
    """Return the message that carries an order; for tests, and to show how."""
    text = json.dumps(order, ensure_ascii=False)
    return json.dumps({"key": name, "order": text, "signature": signature(key, text)}).encode()


def read(payload: bytes, keys: Mapping[str, bytes], topics: Topics) -> SignedOrder:
    """Return a genuine order for this gateway. Raises NotTaken."""
    if len(payload) > MOST:
        raise NotTaken("too_long", f"{len(payload)} bytes, at most {MOST}")
    envelope = _object(payload, "the message")
    name, text, said = (envelope.get(part) for part in ("key", "order", "signature"))
    if not (isinstance(name, str) and isinstance(text, str) and isinstance(said, str)):
        raise NotTaken("unsigned", "wanted: key, order and signature, all texts")
    key = keys.get(name)
    if key is None:
        raise NotTaken("unsigned", f"there is no key {name[:LONGEST]!r} here")
    try:
        genuine = hmac.compare_digest(signature(key, text).encode(), said.lower().encode())
    except UnicodeEncodeError:  # half a character: JSON can hold it, UTF-8 cannot
        genuine = False
    if not genuine:
        raise NotTaken("unsigned", "the signature does not fit", key=name)
    return _order(_object(text.encode(), "the order"), name, topics)


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotTaken("malformed", f"{what} is no JSON object")
    return found


def _order(order: Mapping[str, Any], key: str, topics: Topics) -> SignedOrder:
    name = order.get("id")
    known = name if isinstance(name, str) and 0 < len(name) <= LONGEST and name.isprintable() else ""

    def refuse(reason: str, detail: str) -> NotTaken:
        return NotTaken(reason, detail, known, key)

    if order.get("format") != FORMAT:
        raise refuse("malformed", f"format is {FORMAT}")
    if (order.get("site"), order.get("gateway")) != (topics.site, topics.gateway):
        raise refuse("foreign", f"this is {topics.site}/{topics.gateway}")
    if not known:
        raise refuse("malformed", f"id is a text of at most {LONGEST} characters")
    for field in ("counter", "expires"):
        number = order.get(field)
        if type(number) is not int or not 0 < number < LARGEST:
            raise refuse("malformed", f"{field} is a whole number above 0")
    for field in ("device", "point"):
        text = order.get(field)
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST or not text.isprintable():
            raise refuse("malformed", f"{field} is a name")
    if not isinstance(order.get("value"), bool | int | float | str):
        raise refuse("malformed", "value is a number, a text, true or false")
    return SignedOrder(
        key, known, order["counter"], order["device"], order["point"], order["value"], order["expires"]
    )


def answer(said: Answer, name: str, at: int) -> bytes:
    """Return the message that answers an order."""
    body = {"format": FORMAT, "id": name, "outcome": said.outcome.value, "reason": said.reason, "at": at}
    return json.dumps({**body, **said.data}, ensure_ascii=False).encode(errors="replace")
