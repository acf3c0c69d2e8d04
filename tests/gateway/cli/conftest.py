"""A daemon that answers what it is given, behind a real socket."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

GOLDEN = Path(__file__).parent / "golden"
REFUSED = {"error": {"zh": "没有设备 'x'", "en": "no device 'x'"}}
STALE = {"error": {"zh": "看过之后又触发了", "en": "it has come again since you looked"}}


@pytest.fixture
def answers() -> dict[str, Any]:
    """What a real daemon answered once, path by path."""
    found: dict[str, Any] = json.loads((GOLDEN / "answers.json").read_text("utf-8"))
    return found


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Mapping[str, Any]], str]]:
    """Start a daemon that gives these answers; return its socket. A query is not looked at."""
    with ExitStack() as stack:
        yield lambda said: stack.enter_context(_served(tmp_path / "api.sock", said))


@pytest.fixture
def daemon(serve: Callable[[Mapping[str, Any]], str], answers: dict[str, Any]) -> str:
    """A daemon that says what a real one said once."""
    return serve(answers)


@contextmanager
def _served(path: Path, said: Mapping[str, Any]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = said.get(self.path, said.get(self.path.partition("?")[0]))
            self.answer(404 if found is None else 200, REFUSED if found is None else found)

        def do_POST(self) -> None:
            self.answer(409, STALE)

        def answer(self, status: int, data: object) -> None:
            body = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with UnixStreamServer(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield str(path)
        finally:
            server.shutdown()
            thread.join()
