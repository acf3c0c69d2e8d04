"""`tocsin schema [site|profile|ingest|rulecase]`: JSON Schema, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.cli.output import print_json
from gateway.config.schema import FORMATS, schema
from gateway.language import say

if TYPE_CHECKING:
    import argparse


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    text = say("输出 JSON Schema", "print the JSON Schema of a file format")
    parser = subparsers.add_parser("schema", help=text, description=text)
    parser.add_argument("format", nargs="?", choices=FORMATS, default="site")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the schema."""
    print_json(schema(args.format))
    return 0
