"""``spanglass issue resolve``, ``ignore`` and the other actions: a parser each, and the request it becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.output import Column, emit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from spanglass.cli.client import Client

    Handler = Callable[[Client, argparse.Namespace], list[dict[str, Any]]]

_CHANGED = (
    Column("id", "issue", style="cyan"),
    Column("state"),
    Column("substate"),
    Column("assignee"),
    Column("title"),
)


def act(action: str, argv: Sequence[str]) -> int:
    """Do what an action says and print the issues as they are then."""
    add_options, handle, description = ACTIONS[action]
    parser = options.parser(f"issue {action}", description)
    add_options(parser)
    options.add_actor(parser)
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    emit(arguments.format, _CHANGED, handle(options.client(arguments), arguments))
    return Exit.OK


def _change(client: Client, arguments: argparse.Namespace, change: dict[str, Any]) -> list[dict[str, Any]]:
    changed: list[dict[str, Any]] = client.send(
        "PATCH", "/issues", {"ids": arguments.ids, **change, "actor": arguments.actor}
    )["issues"]
    return changed


def _add_ids(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="+", metavar="ID", help="issues, such as CHECKOUT-12")


def _add_resolve(parser: argparse.ArgumentParser) -> None:
    _add_ids(parser)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--release", help="resolved in this release: it or a later one reopens")
    group.add_argument("--next-release", action="store_true", help="resolved in the next release")


def _resolve(client: Client, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    change: dict[str, Any] = {"state": "resolved"}
    if arguments.release:
        change["release"] = arguments.release
    elif arguments.next_release:
        change["resolution"] = "in_next_release"
    return _change(client, arguments, change)


def _add_ignore(parser: argparse.ArgumentParser) -> None:
    _add_ids(parser)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--until", metavar="TIME", help="until a time: RFC 3339, or now+2h")
    group.add_argument("--events", type=options.positive, metavar="N", help="until so many more")
    group.add_argument("--users", type=options.positive, metavar="N", help="until so many more users met it")
    group.add_argument("--escalates", action="store_true", help="until there are far more in an hour than before")


def _ignore(client: Client, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    named = {
        "time": arguments.until,
        "events": arguments.events,
        "users": arguments.users,
        "escalates": arguments.escalates or None,
    }
    until = {name: value for name, value in named.items() if value is not None}
    return _change(client, arguments, {"state": "ignored", **({"until": until} if until else {})})


def _reopen(client: Client, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    return _change(client, arguments, {"state": "ongoing"})


def _add_assign(parser: argparse.ArgumentParser) -> None:
    _add_ids(parser)
    parser.add_argument("--to", required=True, metavar="NAME", help="a free name; '' for nobody")


def _assign(client: Client, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    return _change(client, arguments, {"assignee": arguments.to})


def _add_comment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the issue")
    parser.add_argument("text", help="what to say")


def _comment(client: Client, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    path = f"/issues/{options.segment(arguments.id)}"
    client.send("POST", f"{path}/comments", {"text": arguments.text, "actor": arguments.actor})
    return [client.get(path)]


def _add_merge(parser: argparse.ArgumentParser) -> None:
    _add_ids(parser)
    parser.add_argument("--into", required=True, metavar="ID", help="the issue that keeps its id and state")


def _merge(client: Client, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    body = {"ids": arguments.ids, "into": arguments.into, "actor": arguments.actor}
    return [client.send("POST", "/issues/merge", body)["issue"]]


def _add_unmerge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the issue that has the other")
    parser.add_argument("other", metavar="OTHER", help="the issue to take out again")


def _unmerge(client: Client, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    merged = client.get(f"/issues/{options.segment(arguments.id)}")["merged"]
    wanted = arguments.other.upper()
    merges = [merge["merge"] for merge in merged if merge["issue"] == wanted]
    if not merges:
        known = ", ".join(merge["issue"] for merge in merged) or "none"
        raise CliError(
            f"{wanted} is not merged into {arguments.id.upper()}", f"merged into it: {known}", code=Exit.NOT_FOUND
        )
    body = {"id": arguments.id, "merge": merges[-1], "actor": arguments.actor}
    issues: list[dict[str, Any]] = client.send("POST", "/issues/unmerge", body)["issues"]
    return issues


#: Name of an action: its options, what it does, and its help.
ACTIONS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], Handler, str]] = {
    "resolve": (_add_resolve, _resolve, "Resolve issues: now, in a release, or in the next one."),
    "ignore": (_add_ignore, _ignore, "Ignore issues: for ever, or until something."),
    "reopen": (_add_ids, _reopen, "Make resolved or ignored issues ongoing again."),
    "assign": (_add_assign, _assign, "Assign issues to somebody."),
    "comment": (_add_comment, _comment, "Comment on an issue."),
    "merge": (_add_merge, _merge, "Make several issues of one service one."),
    "unmerge": (_add_unmerge, _unmerge, "Take an issue out of the one that it was merged into."),
}
