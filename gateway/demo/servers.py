"""The servers under the demo: a broker that comes in a wheel, or the distribution's Mosquitto and InfluxDB.

Private to the demo: own folder, own free port on 127.0.0.1, ended by their process when the demo ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

from gateway.cli.output import Failure
from gateway.language import say

if TYPE_CHECKING:
    from pathlib import Path

RUMQTTD = """\
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "v5-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
dynamic_filters = true
"""

MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
max_queued_messages 100000
"""

INFLUXD = """\
reporting-disabled = true
bind-address = "127.0.0.1:{inner}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
"""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def program(name: str, package: str) -> str:
    """Return the path of a server program; Failure tells which package has it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Failure(
            say(
                f"找不到 {name}；请安装 Debian 软件包 {package}",
                f"{name} is not installed (Debian package {package})",
            )
        )
    return found


async def listening(port: int, process: asyncio.subprocess.Process, seconds: float = 30.0) -> None:
    """Wait until somebody accepts connections on the port; else end the process and raise Failure."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline and process.returncode is None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    status = await end(process)
    where = f"127.0.0.1:{port}"
    raise Failure(
        say(
            f"{where} 上的服务没有启动（退出码 {status}）",
            f"no server came up on {where} (exit status {status})",
        )
    )


async def spawn(log: Path, *argv: str) -> asyncio.subprocess.Process:
    """Start a program, output to a log file, in its own session: Ctrl-C reaches only the demo."""
    with log.open("ab") as out:
        return await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )


async def embedded_broker(folder: Path, port: int) -> asyncio.subprocess.Process:
    """Start the broker that comes with the `demo` extra."""
    config = folder / "rumqttd.toml"
    config.write_text(RUMQTTD.format(port=port), "utf-8")
    process = await spawn(folder / "broker.log", sys.executable, "-m", "gateway.demo.broker", str(config))
    await listening(port, process)
    return process


async def mosquitto(folder: Path, port: int) -> asyncio.subprocess.Process:
    """Start a private Mosquitto."""
    home = folder / "mosquitto"
    home.mkdir()
    config = folder / "mosquitto.conf"
    text = MOSQUITTO.format(port=port, folder=home)
    config.write_text(text + ("user root\n" if os.geteuid() == 0 else ""), "utf-8")
    argv = (program("mosquitto", "mosquitto"), "-c", str(config))
    process = await spawn(folder / "broker.log", *argv)
    await listening(port, process)
    return process


async def influxd(folder: Path, port: int, database: str) -> asyncio.subprocess.Process:
    """Start a private InfluxDB 1.x and make the database."""
    config = folder / "influxdb.conf"
    config.write_text(INFLUXD.format(port=port, inner=free_port(), folder=folder / "influxdb"), "utf-8")
    argv = (program("influxd", "influxdb"), "run", "-config", str(config))
    process = await spawn(folder / "influxdb.log", *argv)
    await listening(port, process)
    await asyncio.to_thread(query, port, "", f"CREATE DATABASE {database}")
    return process


def query(port: int, database: str, text: str) -> bytes:
    """Ask InfluxDB; return its JSON answer."""
    data = urllib.parse.urlencode({"db": database, "q": text, "epoch": "ns"}).encode()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/query", data, timeout=60) as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.URLError as error:
        raise Failure(f"InfluxDB on 127.0.0.1:{port}: {error}") from error


async def end(process: asyncio.subprocess.Process, seconds: float = 10.0) -> int | None:
    """End a process we started: politely, then not."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            process.kill()
            await process.wait()
    return process.returncode
