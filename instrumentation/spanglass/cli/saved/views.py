"""``spanglass views``: list saved views of pages, save, change and delete them."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.output import Column, emit
from spanglass.terminal import show

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_COLUMNS = (
    Column("id", right=True, style="cyan", whole=True),
    Column("name", "view", whole=True),
    Column("owner", "kept by", rank=2),
    Column("shared", show=show.value, rank=3),
    Column("pinned", show=show.value, rank=4),
    Column("default", show=show.value, rank=5),
    Column("url", "address", rank=1),
)
_SWITCHES = (
    ("shared", "shared", "whether everybody sees it"),
    ("pin", "pinned", "whether it stands in the navigation"),
    ("default", "default", "whether the navigation opens its page so"),
)


def command(argv: Sequence[str]) -> int:
    """List views, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    parser = options.parser(
        "views", f"List saved views, yours and the shared ones; or act: spanglass views {'|'.join(_ACTIONS)} --help."
    )
    parser.add_argument(
        "--owner", default=options.user(), metavar="NAME", help="whose besides the shared ones (default: you)"
    )
    parser.add_argument("--page", help="only views of this page, /traces for example")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    asked = {"owner": arguments.owner, "page": arguments.page}
    answer = options.client(arguments).get("/views", asked)
    if not emit(arguments.format, _COLUMNS, answer["views"]):
        print("spanglass views: none is saved", file=sys.stderr)
    return Exit.OK


def _save(argv: Sequence[str]) -> int:
    parser = options.parser("views save", "Save a page's address under a name.")
    parser.add_argument("name", help="what it is called")
    parser.add_argument("address", help="of the page; its host may be left out")
    options.add_actor(parser, dest="owner", does="keeps it")
    _add_switches(parser)
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    body = {"name": arguments.name, "url": _without_host(arguments.address), "owner": arguments.owner}
    saved = options.client(arguments).send("POST", "/views", body | _switches(arguments))
    emit(arguments.format, _COLUMNS, [saved])
    return Exit.OK


def _change(argv: Sequence[str]) -> int:
    parser = options.parser("views change", "Change a view's name, address, or who sees it and where.")
    parser.add_argument("id", help="its id; spanglass views lists them")
    parser.add_argument("--name", help="what it is called from now on")
    parser.add_argument("--address", help="what it shows from now on")
    _add_switches(parser)
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    body: dict[str, Any] = _switches(arguments)
    if arguments.name is not None:
        body["name"] = arguments.name
    if arguments.address is not None:
        body["url"] = _without_host(arguments.address)
    changed = options.client(arguments).send("PATCH", f"/views/{options.segment(arguments.id)}", body)
    emit(arguments.format, _COLUMNS, [changed])
    return Exit.OK


def _delete(argv: Sequence[str]) -> int:
    parser = options.parser("views delete", "Delete views.")
    parser.add_argument("ids", nargs="+", metavar="ID", help="their ids; spanglass views lists them")
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    for each in arguments.ids:
        client.send("DELETE", f"/views/{options.segment(each)}", {})
    return Exit.OK


def _add_switches(parser: argparse.ArgumentParser) -> None:
    for name, field, text in _SWITCHES:
        parser.add_argument(f"--{name}", dest=field, action=argparse.BooleanOptionalAction, help=text)


def _switches(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return those that were said."""
    said = {field: getattr(arguments, field) for _, field, _ in _SWITCHES}
    return {field: value for field, value in said.items() if value is not None}


def _without_host(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(scheme="", netloc="", fragment="").geturl() if parts.netloc else url


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {"save": _save, "change": _change, "delete": _delete}
