"""``spanglass retention``: policies of which traces stay how long: shown, previewed, kept, and who changed them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.files import read, tell_all, told
from spanglass.cli.output import Column, emit
from spanglass.terminal import show
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass.cli.client import Client

_DAY_S = 86_400
_COLUMNS = (
    Column("name", "traces", style="cyan"),
    Column("keep"),
    Column("age", "stay", right=True),
    Column("where", rank=2),
)
_PREVIEW = {
    "policy": (
        Column("name", "traces", style="cyan"),
        Column("age", "stay", right=True),
        Column("spans", show=show.number, right=True),
        Column("traces", "traces stored", show=show.number, right=True, rank=3),
        Column("bytes", show=show.size, right=True),
        Column("freed_spans", "freed spans", show=show.number, right=True, rank=2),
        Column("freed_bytes", "freed", show=show.size, right=True),
        Column("freed_error", "± bytes", show=show.size, right=True, rank=4),
    ),
    "service": (
        Column("service", style="cyan"),
        Column("spans", show=show.number, right=True),
        Column("bytes", show=show.size, right=True),
        Column("freed_spans", "freed spans", show=show.number, right=True),
        Column("freed_bytes", "freed", show=show.size, right=True),
    ),
}
_CHANGES = (
    Column("time", f"time ({show.zone()})", show.local_time, narrow=show.short_time),
    Column("version", right=True),
    Column("by"),
    Column("note", rank=2),
)


def command(argv: Sequence[str]) -> int:
    """Show the policies in force, or do what an action says."""
    if argv and argv[0] in _ACTIONS:
        return _ACTIONS[argv[0]](argv[1:])
    actions = "|".join(_ACTIONS)
    parser = options.parser(
        "retention", f"Show which traces stay how long, or act: spanglass retention {actions} --help."
    )
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    answer = options.client(arguments).get("/retention")
    rows = [
        {
            **one,
            "keep": f"{one['keep']} ({one['slower_than']})" if one["slower_than"] else one["keep"],
            "age": "for ever" if one["age"] == "0" else one["age"],
            "where": " ".join([*one["services"], one["filter"]]).strip(),
        }
        for one in answer["policies"]
    ]
    others = answer["ordinary"]
    thinned = f"one in {others['keep_one_in']} after {others['after']}" if others else ""
    rows.append({"name": "all others", "keep": thinned, "age": _age(answer["ages_s"]["spans"]), "where": ""})
    emit(arguments.format, _COLUMNS, rows)
    if arguments.format == "table":
        due = answer["standing"]["segments_due"]
        if due:
            print(f"{show.number(due)} of {show.number(answer['standing']['segments'])} segments wait", file=sys.stderr)
        if answer["file"]:
            print(terminal_text(f"the policies stand in {answer['file']}"), file=sys.stderr)
    return Exit.OK


def _age(seconds: float) -> str:
    """An age as policies have it; days where they are whole."""
    if not seconds:
        return "for ever"
    return f"{seconds / _DAY_S:g}d" if seconds >= _DAY_S else f"{seconds / 3600:g}h"


def _preview(argv: Sequence[str]) -> int:
    parser = options.parser(
        "retention preview", "Say what a file of policies would free of the stored spans, and keep."
    )
    parser.add_argument("file", metavar="FILE", help="YAML; - reads standard input")
    parser.add_argument("--by", choices=tuple(_PREVIEW), default="policy", help="what to list (default policy)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client, yaml = options.client(arguments), read(arguments.file)
    _check_text(client, arguments.file, yaml)
    answer = client.post("/retention/preview", {"yaml": yaml})
    rows = [_row(one) for one in answer["classes"]] if arguments.by == "policy" else answer["services"]
    emit(arguments.format, _PREVIEW[arguments.by], rows)
    if arguments.format == "table":
        freed = answer["freed"]
        error = {None: ", of too few segments to say how exactly", 0.0: ""}.get(
            freed["bytes_error"], f" ± {show.size(freed['bytes_error'])}"
        )
        waiting = answer.get("waiting_bytes", 0)
        later = f"about {show.size(waiting)} more when their segments are due; " if waiting >= 1 else ""
        print(
            f"{show.size(freed['bytes'])}{error} of {show.size(answer['stored']['bytes'])} would go at once; {later}"
            f"{answer['segments_read']} of {answer['segments']} segments were read; "
            f"in the long run {_pace(answer['bytes_at_pace'])} of spans, "
            f"{_pace(answer['bytes_at_pace_before'])} without",
            file=sys.stderr,
        )
    return Exit.OK


def _pace(size: float | None) -> str:
    return "ever more" if size is None else show.size(size)


def _row(one: dict[str, Any]) -> dict[str, Any]:
    stored, freed = one["stored"], one["freed"]
    sizes = {"freed_spans": freed["spans"], "freed_bytes": freed["bytes"], "freed_error": freed["bytes_error"]}
    return {**one, "age": _age(one["age_s"]), **{key: stored[key] for key in ("spans", "traces", "bytes")}, **sizes}


def _check_text(client: Client, file: str, yaml: str) -> None:
    """End with all that is wrong with a text."""
    problems = client.post("/retention/check", {"yaml": yaml})["problems"]
    if problems:
        first, *more = (told({"kind": "problem", **problem, "file": file}) for problem in problems)
        raise CliError(first, *more, code=Exit.USAGE)


def _check(argv: Sequence[str]) -> int:
    parser = options.parser("retention check", "Say what is wrong with a file of policies (exit code 1).")
    parser.add_argument("file", metavar="FILE", help="YAML; - reads standard input")
    parser.add_argument("--format", choices=("text", "ndjson"), default="text", help="how to print (default text)")
    arguments = parser.parse_args(argv)
    checked = options.client(arguments).post("/retention/check", {"yaml": read(arguments.file)})
    problems = tell_all(arguments.format, arguments.file, {**checked, "notes": []})
    return Exit.FAILED if problems else Exit.OK


def _apply(argv: Sequence[str]) -> int:
    parser = options.parser("retention apply", "Have the policies of a file in force, in the place of all others.")
    parser.add_argument("file", metavar="FILE", help="YAML; - reads standard input")
    parser.add_argument("--note", default="", help="why")
    options.add_actor(parser, dest="by")
    arguments = parser.parse_args(argv)
    client, yaml = options.client(arguments), read(arguments.file)
    _check_text(client, arguments.file, yaml)
    version = client.get("/retention")["version"]
    body = {"yaml": yaml, "version": version, "note": arguments.note, "by": arguments.by}
    answer = client.send("PUT", "/retention", body)
    print(f"version {answer['version']} is in force; {answer['standing']['segments_due']} segments wait to be judged")
    return Exit.OK


def _export(argv: Sequence[str]) -> int:
    arguments = options.parser("retention export", "Print the policies in force as YAML, for a file.").parse_args(argv)
    lines = str(options.client(arguments).get("/retention")["yaml"]).splitlines()
    print(*(map(terminal_text, lines) if sys.stdout.isatty() else lines), sep="\n")
    return Exit.OK


def _changes(argv: Sequence[str]) -> int:
    parser = options.parser("retention changes", "List who changed the policies, newest first.")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    if not emit(arguments.format, _CHANGES, options.client(arguments).get("/retention/changes")["changes"]):
        print("spanglass retention: nothing was changed", file=sys.stderr)
    return Exit.OK


_ACTIONS: dict[str, Callable[[Sequence[str]], int]] = {
    "preview": _preview,
    "check": _check,
    "apply": _apply,
    "export": _export,
    "changes": _changes,
}
