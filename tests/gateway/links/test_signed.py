"""Signed orders: genuine ones are read, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.links import encode, signed
from gateway.links.signed import MOST, NotTaken, SignedOrder, read, sign, signature
from gateway.model import Answer, Outcome

TOPICS = encode.Topics("lvjing", "gw-01")
KEY = b"0123456789abcdef0123456789abcdef"
KEYS = {"centre": KEY, "street": KEY[::-1]}
ORDER: dict[str, Any] = {
    "format": 1,
    "site": "lvjing",
    "gateway": "gw-01",
    "id": "a1",
    "counter": 7,
    "device": "valve-1",
    "point": "valve",
    "value": "closed",
    "expires": 1_780_000_000_000_000_000,
}


def told(**changed: Any) -> bytes:
    return sign("centre", KEY, {k: v for k, v in {**ORDER, **changed}.items() if v is not None})


def reason(payload: bytes) -> str:
    with pytest.raises(NotTaken) as found:
        read(payload, KEYS, TOPICS)
    return found.value.reason


def test_a_genuine_order_is_read() -> None:
    order = read(told(), KEYS, TOPICS)
    assert order == SignedOrder("centre", "a1", 7, "valve-1", "valve", "closed", 1_780_000_000_000_000_000)


def test_the_signature_is_plain_hmac_sha256_over_the_bytes_of_the_text() -> None:
    """A vector for those who write the other end: `openssl dgst -sha256 -hmac KEY` gives the same."""
    text = '{"id":"甲"}'
    assert signature(KEY, text) == "fb10789957d944215c74f314791c5f9e8848ff9fdc8c75939b42c17d327b0a45"


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "malformed"),
        (b"[]", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"[" * 3000, "malformed"),
        (json.dumps(ORDER).encode(), "unsigned"),
        (json.dumps({"key": "centre", "order": json.dumps(ORDER)}).encode(), "unsigned"),
        (sign("nobody", KEY, ORDER), "unsigned"),
        (sign("street", KEY, ORDER), "unsigned"),
        (json.dumps({"key": "centre", "order": "\ud800", "signature": "é"}).encode(), "unsigned"),
        (b" " * (MOST + 1), "too_long"),
        (sign("centre", KEY, ["x"]), "malformed"),  # type: ignore[arg-type]  # no order at all
        (told(format=2), "malformed"),
        (told(site="other"), "foreign"),
        (told(gateway="gw-02"), "foreign"),
        (told(gateway=None), "foreign"),
        (told(id=""), "malformed"),
        (told(id="x" * 65), "malformed"),
        (told(id="a\nb"), "malformed"),
        (told(counter=0), "malformed"),
        (told(counter=True), "malformed"),
        (told(counter="7"), "malformed"),
        (told(counter=1 << 63), "malformed"),
        (told(expires=1.5), "malformed"),
        (told(device=["valve-1"]), "malformed"),
        (told(point=None), "malformed"),
        (told(value=None), "malformed"),
        (told(value={"a": 1}), "malformed"),
    ],
)
def test_what_is_not_genuine_or_not_for_us_is_refused_with_its_reason(payload: bytes, why: str) -> None:
    assert reason(payload) == why


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_byte_is_never_taken_for_genuine(place: int, change: int) -> None:
    good = bytearray(told())
    place %= len(good)
    good[place] ^= change
    try:
        order = read(bytes(good), KEYS, TOPICS)
    except NotTaken:
        return
    assert order == read(told(), KEYS, TOPICS), "only what means the same is read the same"


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else_happens(noise: bytes) -> None:
    with pytest.raises(NotTaken):
        read(noise, KEYS, TOPICS)


def test_an_answer_says_what_became_of_it() -> None:
    said = signed.answer(Answer("centre:a1", Outcome.DONE, data={"value": "closed"}), "a1", 5)
    assert json.loads(said) == {
        "format": 1,
        "id": "a1",
        "outcome": "done",
        "reason": "",
        "at": 5,
        "value": "closed",
    }
