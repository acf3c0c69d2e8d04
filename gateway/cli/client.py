"""Speaks to the daemon over its Unix socket with the console's own API."""

from __future__ import annotations

import http.client
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.cli.output import Failure, Unreachable
from gateway.language import pick, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from gateway.config import Site

SOCKET = Path("/run/tocsin/api.sock")
STATUS = {400: 2, 403: 5, 404: 1, 409: 6}  # HTTP status -> exit status; anything else is 1


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path
        self._out = bytearray()

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.close()
            raise

    def send(self, data: Any) -> None:  # noqa: ANN401 - as the base class has it
        """Keep head and body together: a server that wants no body may answer and close before it comes."""
        self._out += data

    def getresponse(self) -> http.client.HTTPResponse:
        """Send what was asked, in one piece, and read the head of the answer."""
        self.connect()
        self.sock.sendall(self._out)
        return super().getresponse()


def add_daemon(parser: argparse.ArgumentParser) -> None:
    """Give the verb the two ways to name a daemon."""
    parser.add_argument("--socket", type=Path, help=say("守护进程的套接字", "the daemon's socket"))
    parser.add_argument("-c", "--config", type=Path, metavar="SITE", help=say("站点文件", "the site file"))


def socket_of(args: argparse.Namespace) -> Path:
    """Return the socket: the one named, else the site's, else $TOCSIN_SOCKET, else the service's.

    A site that runs as a service listens in the service's folder instead of its own.
    """
    if args.socket:
        return Path(args.socket)
    if args.config:
        own = site_of(args.config).data / "api.sock"
        return own if _there(own) or not _there(SOCKET) else SOCKET
    return Path(os.environ.get("TOCSIN_SOCKET", SOCKET))


def site_of(path: Path) -> Site:
    """Return what a site file says. Raises Failure with every mistake in it."""
    from gateway.config import ConfigError, load  # noqa: PLC0415 - 100 ms that the other verbs need not pay

    try:
        return load(path)
    except ConfigError as error:
        raise Failure(str(error), 2) from error


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder of the service, closed to us
        return False


class Daemon:
    """The daemon behind a socket."""

    def __init__(self, path: Path, timeout: float = 30.0) -> None:
        self._path = path
        self._timeout = timeout

    def _open(self, method: str, path: str, body: object, timeout: float | None) -> http.client.HTTPResponse:
        connection = _UnixConnection(self._path, timeout)
        # One question a connection: it is closed when its answer is read.
        headers = {"Content-Type": "application/json", "Connection": "close"}
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, "/api/v1" + path, data, headers)
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(str(self._path), str(error)) from error
        if answer.status >= 400:
            text = b"".join(self._pieces(answer)).decode(errors="replace")
            answer.close()
            connection.close()
            raise Failure(_reason(text), STATUS.get(answer.status, 1))
        return answer

    def _pieces(self, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        """Yield the lines of the answer; a daemon that ends in the middle is one that cannot be reached."""
        try:
            yield from answer
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(str(self._path), str(error) or type(error).__name__) from error

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON behind a path. Raises Failure or Unreachable."""
        return self._json(self._open("GET", path, None, self._timeout))

    def zone(self) -> ZoneInfo | None:
        """Return the time zone of the site; None when this machine does not know it. Raises Unreachable."""
        try:
            return ZoneInfo(str(self.get("/status")["timezone"]))
        except ZoneInfoNotFoundError:
            return None

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        """Post JSON, return JSON. Raises Failure (with the exit status that fits) or Unreachable."""
        return self._json(self._open("POST", path, body, self._timeout))

    def _json(self, answer: http.client.HTTPResponse) -> Any:  # noqa: ANN401 - JSON
        try:
            return json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(str(self._path), str(error) or type(error).__name__) from error

    def lines(self, path: str, body: object) -> Iterator[Any]:
        """Post JSON, yield the JSON lines of the answer as they come."""
        for raw in self._pieces(self._open("POST", path, body, self._timeout)):
            yield json.loads(raw)

    def stream(self, path: str) -> Iterator[tuple[str, Any]]:
        """Yield (event, data) of a server-sent stream; Unreachable when it ends: it has no end of its own."""
        event = "message"
        for raw in self._pieces(self._open("GET", path, None, self._timeout)):
            line = raw.decode().rstrip("\n")
            if line.startswith("event:"):
                event = line[6:].strip()
            elif line.startswith("data:"):
                yield event, json.loads(line[5:])
        raise Unreachable(str(self._path), say("守护进程已结束", "the daemon has ended"))


def _reason(text: str) -> str:
    try:
        return pick(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return text.strip()
