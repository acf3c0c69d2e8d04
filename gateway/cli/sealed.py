"""Exports with the gateway's seal: FILE.seal beside FILE, and the proof of one without a gateway."""

from __future__ import annotations

import getpass
import json
import sys
from hashlib import file_digest
from typing import TYPE_CHECKING, Any

from gateway.cli.client import Daemon, socket_of
from gateway.cli.output import Failure, print_json
from gateway.cli.paper import utc
from gateway.language import say
from gateway.seal import broken

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path

FOUND = 4


def beside(path: Path) -> Path:
    """Return where the seal of an export lies."""
    return path.with_name(f"{path.name}.seal")


def facts_of(path: Path) -> dict[str, Any]:
    """Return what of an export is sealed. Raises Failure."""
    try:
        with path.open("rb") as file:
            return {"sha256": file_digest(file, "sha256").hexdigest(), "size": path.stat().st_size}
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error


def set_seal(args: argparse.Namespace, kind: str, entries: int, last: str = "") -> None:
    """Have the gateway seal what was just written; without a file or a gateway say that it is not sealed."""
    if args.out is None or getattr(args, "data", None) is not None:
        why = say("未签章：需要 --out 和运行中的网关", "not sealed: that takes --out and a running gateway")
        print(why, file=sys.stderr)
        return
    body = {"kind": kind, "entries": entries, "last": last, "actor": getpass.getuser(), **facts_of(args.out)}
    seal = Daemon(socket_of(args)).post("/seal", body)
    path = beside(args.out)
    try:
        path.write_text(json.dumps(seal, ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error
    print(say("已签章", "sealed"), path, say("公钥", "key"), seal["key"], file=sys.stderr)


def prove(args: argparse.Namespace) -> int:
    """Prove an export by its seal; 4 when it is not what was sealed."""
    path: Path = args.file
    try:
        seal = json.loads(beside(path).read_text("utf-8"))
    except OSError as error:
        raise Failure(f"{beside(path)}: {error.strerror}") from error
    except ValueError as error:
        raise Failure(f"{beside(path)}: {error}") from error
    wrong = broken(seal, facts_of(path), args.key)
    if wrong is None and seal["statement"]["kind"] == "audit" and path.suffix == ".jsonl":
        with path.open("rb") as lines:
            wrong = unchained(lines)
    if args.output == "json":
        problem = wrong and {"zh": wrong[0], "en": wrong[1]}
        print_json({"whole": wrong is None, "problem": problem, "seal": seal})
        return FOUND if wrong else 0
    if wrong is not None:
        print(f"✗ {path}: {say(*wrong)}")
        return FOUND
    said = seal["statement"]
    print(say("✓ 与签章一致", "✓ as it was sealed"), path)
    print(f"  {said['site']}/{said['gateway']}  {said['by']}  {utc(said['at'])}  {said['entries']}")
    print(f"  {say('公钥', 'key')} {seal['key']}")
    if not args.key:
        zh, en = "请用 --key 核对网关公布过的公钥", "compare it with the one the gateway told: --key"
        print(f"  {say(zh, en)}")
    return 0


def unchained(lines: Iterable[bytes]) -> tuple[str, str] | None:
    """Return where exported entries are not a chain; None when each is bound to the one before."""
    from gateway.store.chain import compact, link  # noqa: PLC0415 - a proof only

    before: bytes | None = None
    for number, text in enumerate(lines, 1):
        line = json.loads(text)
        digest = bytes.fromhex(line["hash"])
        body = {name: line[name] for name in ("n", "at", "record", "entry")}
        if before is not None and link(before, compact(body)) != digest:
            return f"第 {number} 行与前一行不连", f"line {number} does not follow from the one before it"
        before = digest
    return None
