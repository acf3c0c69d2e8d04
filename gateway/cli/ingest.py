"""`tocsin ingest -c FILE`: MQTT to the database, with receipts to the gateways."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.output import Failure
from gateway.config import ConfigError, SecretError, load_ingest
from gateway.ingest import service
from gateway.language import say

if TYPE_CHECKING:
    import argparse


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    about = say(
        "从 MQTT 取数据写入数据库，写入成功后才确认，并向网关发送回执",
        "take from MQTT, write to the database, acknowledge only after the write, send receipts",
    )
    parser = verbs.add_parser("ingest", help=about, description=about)
    parser.add_argument("-c", "--config", type=Path, required=True, help=say("设置文件", "settings file"))
    parser.add_argument("-v", "--verbose", action="store_true", help=say("更多日志", "say more"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM; statistics as JSON lines on stdout at the end and on SIGUSR1."""
    level = logging.INFO if args.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(message)s")
    try:
        return asyncio.run(service.run(load_ingest(args.config)))
    except ConfigError as error:
        raise Failure(str(error), 2) from None
    except SecretError as error:
        raise Failure(f"{args.config}: {error}", 2) from None
