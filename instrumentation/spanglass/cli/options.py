"""Options that the commands share."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from spanglass.cli.client import DEFAULT_URL, Client
from spanglass.cli.output import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

READ_TOKEN = "SPANGLASS_READ_TOKEN"  # noqa: S105 - the name of a variable
INGEST_TOKEN = "SPANGLASS_INGEST_TOKEN"  # noqa: S105 - the name of a variable


def parser(name: str, description: str, *, token_variable: str = READ_TOKEN) -> argparse.ArgumentParser:
    """Make a command's parser with the options for the server."""
    made = argparse.ArgumentParser(prog=f"spanglass {name}", description=description, allow_abbrev=False)
    server = made.add_argument_group("server")
    server.add_argument(
        "--url",
        default=os.environ.get("SPANGLASS_URL") or DEFAULT_URL,
        help=f"address of the server (SPANGLASS_URL, default {DEFAULT_URL})",
    )
    server.add_argument("--token", help=f"its token; better kept in {token_variable}, where no other user sees it")
    made.set_defaults(token_variable=token_variable)
    return made


def add_format(made: argparse.ArgumentParser) -> None:
    """Add ``--format``."""
    made.add_argument("--format", choices=FORMATS, default="table", help="how to print the result (default table)")


def add_range(made: argparse.ArgumentParser) -> None:
    """Add the options for a range of time."""
    group = made.add_argument_group("range of time")
    group.add_argument("--last", metavar="DURATION", help="so far back from now: 15m, 2h, 7d (default 1h)")
    group.add_argument("--start", metavar="TIME", help="RFC 3339, Unix time, or now-2h")
    group.add_argument("--end", metavar="TIME", help="the same; default now")


def range_parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the API's parameters for the range; the server knows what is left out."""
    return {"last": arguments.last, "start": arguments.start, "end": arguments.end}


def client(arguments: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> Client:
    """Make the client that the options name."""
    token = arguments.token if arguments.token is not None else environ.get(arguments.token_variable, "")
    return Client(arguments.url, token, arguments.token_variable)


def positive(text: str) -> int:
    """Read a whole number of at least 1, for argparse."""
    count = int(text) if text.isascii() and text.isdigit() else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return count
