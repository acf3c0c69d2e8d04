"""The seal of exports: signatures against the vectors of RFC 8032 7.1, and what a seal proves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from disks import remount

from gateway import ed25519
from gateway.cli.sealed import unchained
from gateway.seal import broken, open_seal
from gateway.store.chain import compact, link

if TYPE_CHECKING:
    from pathlib import Path


VECTORS = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0"
            "595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eae"
            "b4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9"
            "716ed28dc027beceea1ec40a"
        ),
    ),
)


@pytest.mark.parametrize("vector", VECTORS)
def test_signatures_are_those_of_the_rfc(vector: tuple[str, str, str, str]) -> None:
    secret, key, message, signature = map(bytes.fromhex, vector)
    assert ed25519.public_key(secret) == key
    assert ed25519.sign(secret, message) == signature
    assert ed25519.verify(key, message, signature)


def test_one_bit_anywhere_spoils_a_signature() -> None:
    _, key, message, signature = map(bytes.fromhex, VECTORS[2])
    for at in (0, 17, 31, 32, 50, 63):
        spoilt = bytearray(signature)
        spoilt[at] ^= 4
        assert not ed25519.verify(key, message, bytes(spoilt))
    assert not ed25519.verify(key, message + b"!", signature)
    assert not ed25519.verify(ed25519.public_key(bytes(32)), message, signature)
    assert not ed25519.verify(key, message, signature[:-1])
    beyond = int.from_bytes(signature[32:], "little") + ed25519.ORDER
    assert not ed25519.verify(key, message, signature[:32] + beyond.to_bytes(32, "little"))


@pytest.mark.parametrize("key", [b"\x02" + bytes(31), b"\xff" * 32, b"\x01" + bytes(30) + b"\x80"])
def test_what_is_no_point_is_no_key(key: bytes) -> None:
    assert not ed25519.verify(key, b"", bytes(64))


FACTS: dict[str, Any] = {"sha256": "00" * 32, "size": 7}


def test_a_seal_holds_for_its_file_and_its_key_alone(tmp_path: Path) -> None:
    mine = open_seal(tmp_path)
    seal = json.loads(json.dumps(mine.set({"kind": "audit", "site": "绿景", **FACTS})))
    assert broken(seal, FACTS) is None
    assert broken(seal, FACTS, mine.key.upper()) is None
    assert broken(seal, {**FACTS, "size": 8}) is not None
    assert broken(seal, FACTS, "00" * 32) == ("签章不是该网关的密钥", "sealed with another key")
    forged = {**seal, "statement": {**seal["statement"], "by": "somebody"}}
    assert broken(forged, FACTS) == ("签名不符", "the signature is not of this statement")


@pytest.mark.parametrize("seal", [{}, [], "x", {"statement": {}, "key": "zz", "signature": ""}])
def test_what_is_no_seal_is_said_to_be_none(seal: Any) -> None:
    assert broken(seal, FACTS) == ("不是签章文件", "this is no seal")


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first, again = open_seal(tmp_path), open_seal(tmp_path)
    assert (first.fresh, again.fresh, first.key == again.key) == (True, False, True)
    assert [path.name for path in tmp_path.iterdir()] == ["seal.key"]
    assert (tmp_path / "seal.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "zz", "00" * 31, "\u00fc"])
def test_a_damaged_key_is_set_aside_and_a_new_one_made_which_says_so(tmp_path: Path, text: str) -> None:
    for number in (1, 2):
        (tmp_path / "seal.key").write_text(text, "utf-8")
        made = open_seal(tmp_path)
        assert (made.fresh, made.why) == (True, f"damaged, set aside as seal.key.bad-{number}")
        assert (tmp_path / f"seal.key.bad-{number}").read_text("utf-8") == text
        again = open_seal(tmp_path)
        assert (again.fresh, again.why, again.key) == (False, "", made.key)


def test_where_no_key_can_be_written_one_in_memory_signs_and_says_so(small_disk: Path) -> None:
    remount(small_disk, "ro")
    try:
        made = open_seal(small_disk)
    finally:
        remount(small_disk, "rw")
    assert made.fresh
    assert "Read-only" in made.why
    assert broken(made.set(FACTS), FACTS) is None


def test_a_line_that_was_taken_out_of_an_export_shows() -> None:
    lines, before = [], bytes(32)
    for n in range(1, 5):
        body = {"n": n, "at": n, "record": None, "entry": {"type": "trial"}}
        before = link(before, compact(body))
        lines.append(json.dumps({**body, "hash": before.hex()}).encode())
    assert unchained(lines) is None
    assert unchained(lines[1:]) is None
    assert unchained([lines[0], *lines[2:]]) is not None
    assert unchained([*lines[:2], lines[2].replace(b"trial", b"treat"), lines[3]]) is not None
