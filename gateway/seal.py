"""The seal of the gateway: with it the exports of its books are signed (alarms.md 8), and proved.

The key is made at the first start and never leaves the data folder. Its public half is told in `health`, once
a day beside the head of the audit in InfluxDB, and in the audit itself: who keeps it knows whose seal it is.
What is signed is a statement, as canonical JSON:

    {"format":1,"kind":"audit","site":"lvjing","gateway":"gw-01","sha256":"...","size":81234,"entries":1204,
     "last":"1204:9f86...","head":"1205:2c26...","by":"wang","at":1790000000000000000}
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

from gateway import ed25519

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "seal.key"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Seal:
    """The key of this gateway."""

    secret: bytes
    fresh: bool = False  # made at this start
    why: str = ""  # it was made although there had been one, or will be forgotten at the end

    @property
    def key(self) -> str:
        """The public key, as hex digits."""
        return _public(self.secret)

    def set(self, statement: Mapping[str, Any]) -> dict[str, Any]:
        """Return a statement with its signature, as it lies beside an export."""
        said = {"format": FORMAT, **statement}
        signature = ed25519.sign(self.secret, canonical(said)).hex()
        return {"statement": said, "key": self.key, "signature": signature}


@lru_cache(maxsize=4)
def _public(secret: bytes) -> str:
    return ed25519.public_key(secret).hex()  # takes milliseconds, and is told every few seconds


def open_seal(folder: Path) -> Seal:
    """Return the seal of a data folder; a fresh one where there is none.

    A key file that is none is set aside, and on a disk that refuses the key lives in memory: that alarms are
    judged and told does not hang on a signature. `why` says so, for the log and for the audit.
    """
    path = folder / FILE
    secret, why = os.urandom(ed25519.SIZE), ""
    try:
        if path.exists():
            kept = _parsed(path.read_bytes())
            if kept is not None:
                return Seal(kept)
            aside = _free(path)
            path.rename(aside)
            why = f"damaged, set aside as {aside.name}"
        _write(path, secret)
    except OSError as error:
        why = str(error)
    return Seal(secret, fresh=True, why=why)


def _parsed(text: bytes) -> bytes | None:
    try:
        secret = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        return None
    return secret if len(secret) == ed25519.SIZE else None


def _free(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.bad-{number}") for number in count(1))
    return next(name for name in names if not name.exists())


def _write(path: Path, secret: bytes) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as out:
        out.write(secret.hex() + "\n")
        out.flush()
        os.fsync(out.fileno())
    part.rename(path)


def canonical(statement: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed."""
    return json.dumps(statement, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def broken(seal: Mapping[str, Any], facts: Mapping[str, Any], key: str = "") -> tuple[str, str] | None:
    """Return what is wrong with a seal, in Chinese and English; None when it holds.

    `facts` is what one sees of the export itself: sha256, size. `key` is the one that the gateway told.
    """
    try:
        statement, own = seal["statement"], seal["key"]
        signature, public = bytes.fromhex(seal["signature"]), bytes.fromhex(own)
        said = canonical(statement)
    except (KeyError, TypeError, ValueError, AttributeError):
        return "不是签章文件", "this is no seal"
    if key and key.lower() != str(own).lower():
        return "签章不是该网关的密钥", "sealed with another key"
    if not ed25519.verify(public, said, signature):
        return "签名不符", "the signature is not of this statement"
    for name, value in facts.items():
        if statement.get(name) != value:
            return f"文件与签章不符（{name}）", f"the file is not the one that was sealed ({name})"
    return None
