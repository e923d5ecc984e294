"""``spanglass users``: who was active, in which sessions, what they did and used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import Exit
from spanglass.cli.nothing import say_nothing_found
from spanglass.cli.output import Column, emit
from spanglass.terminal import show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence


def _time(key: str, title: str) -> Column:
    return Column(key, f"{title} ({show.zone()})", show.local_time, narrow=show.short_time)


_FIGURES = (
    Column("requests", show=show.number, right=True),
    Column("errors", show=show.number, right=True),
    Column("events", show=show.number, right=True, rank=2),
)
_USERS = (
    Column("user", style="cyan"),
    Column("sessions", show=show.number, right=True),
    *_FIGURES,
    _time("last_time", "last seen"),
)
_SESSIONS = (
    Column("session", style="cyan"),
    Column("user"),
    *_FIGURES,
    Column("duration_ns", "length", show.duration, right=True),
    _time("start_time", "began"),
)
_FEATURES = (
    Column("name", "event", style="cyan"),
    Column("events", show=show.number, right=True),
    Column("users", show=show.number, right=True),
    Column("sessions", show=show.number, right=True, rank=1),
    _time("last_time", "last seen"),
)
_PATHS = (
    Column("service", rank=2),
    Column("operation", style="cyan"),
    Column("route", rank=1),
    Column("requests", show=show.number, right=True),
    Column("users", show=show.number, right=True),
    Column("errors", show=show.number, right=True),
    Column("p95_ns", "p95", show.duration, right=True),
)
_COURSE = (
    _time("time", "time"),
    Column("kind"),
    Column("name", "what", style="cyan"),
    Column("failed", "", lambda failed: "failed" if failed else ""),
    Column("duration_ns", "took", lambda took: show.duration(took) if took is not None else "", right=True),
    Column("service", rank=1),
    Column("text", rank=3),
    Column("trace_id", "trace", rank=2, whole=True),
)
_USER_SORTS = ("last", "sessions", "requests", "errors", "events")
_SESSION_SORTS = ("last", "duration", "requests", "errors")


def command(argv: Sequence[str]) -> int:
    """List users, or what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    parser = _parser("users", f"List users of a range; or: spanglass users {'|'.join(_ACTIONS)} --help.")
    parser.add_argument("--text", help="only users whose id has this in it")
    parser.add_argument("--sort", choices=_USER_SORTS, default="last", help="the most first (default: last)")
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    answer = client.get("/users", {**_asked(arguments), "text": arguments.text, "sort": arguments.sort})
    found = emit(arguments.format, _USERS, answer["users"])
    if not found:
        say_nothing_found("users", "user", client, arguments)
    elif arguments.format == "table":
        asked = {**options.range_parameters(arguments), "filter": arguments.filter}
        print(f"\n{_active(client.get('/users/active', asked))}, {show.counted(answer['total'], 'user')} in this range")
    return Exit.OK


def _active(answer: Mapping[str, Any]) -> str:
    about = "" if answer["users_share"] is None else "about "
    days = ((answer["day"], "1 day"), (answer["week"], "7 days"), (answer["month"], "30 days"))
    return ", ".join(f"{about}{show.number(count)} in {length}" for count, length in days)


def _sessions(argv: Sequence[str]) -> int:
    parser = _parser("users sessions", "List sessions of a range.")
    parser.add_argument("--user", help="only of this user")
    parser.add_argument("--sort", choices=_SESSION_SORTS, default="last", help="the most first (default: last)")
    arguments = parser.parse_args(argv)
    return _list(arguments, "/sessions", "sessions", _SESSIONS, {"user": arguments.user, "sort": arguments.sort})


def _features(argv: Sequence[str]) -> int:
    parser = _parser("users features", "List events by name, with how many users each has.")
    return _list(parser.parse_args(argv), "/users/features", "features", _FEATURES, {})


def _paths(argv: Sequence[str]) -> int:
    parser = _parser("users paths", "List what requests ask for, with how many users each has.")
    return _list(parser.parse_args(argv), "/users/paths", "paths", _PATHS, {})


def _course(argv: Sequence[str]) -> int:
    parser = options.parser("users show", "Show what a user did, or what happened in a session, newest first.")
    parser.add_argument("id", help="the user's id, or the session's with --session")
    parser.add_argument("--session", action="store_true", help="the id is of a session")
    parser.add_argument("--filter", metavar="FILTER", help="only spans and log records that match")
    parser.add_argument("--errors", action="store_true", help="only what failed")
    _add_rest(parser)
    arguments = parser.parse_args(argv)
    who = {"session" if arguments.session else "user": arguments.id, "only": "errors" if arguments.errors else None}
    return _list(arguments, "/users/course", "steps", _COURSE, who)


def _parser(name: str, description: str) -> argparse.ArgumentParser:
    parser = options.parser(name, description)
    parser.add_argument("filter", nargs="?", metavar="FILTER", help="look only at spans and log records that match")
    _add_rest(parser)
    return parser


def _add_rest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=options.positive, default=100, help="at most so many (default 100)")
    options.add_range(parser)
    options.add_format(parser)


def _asked(arguments: argparse.Namespace) -> dict[str, Any]:
    return {**options.range_parameters(arguments), "filter": arguments.filter, "limit": arguments.limit}


def _list(
    arguments: argparse.Namespace, path: str, key: str, columns: Sequence[Column], more: Mapping[str, Any]
) -> int:
    answer = options.client(arguments).get(path, {**_asked(arguments), **more})
    if not emit(arguments.format, columns, answer[key]):
        print(f"spanglass users: no {key} in this range of time; look further back with --last 7d", file=sys.stderr)
    return Exit.OK


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {
    "show": _course,
    "sessions": _sessions,
    "features": _features,
    "paths": _paths,
}
