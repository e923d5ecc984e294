"""``spanglass rules backtest``: when a rule would have fired, and what would have been quieter."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.output import Column, console, emit, print_json
from spanglass.terminal import show
from spanglass.terminal.printing import text
from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from spanglass.cli.client import Client


def _labels(labels: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items()) or show.NOTHING


_FIRED = (
    Column("fired_time", f"fired ({show.zone()})", show.local_time, whole=True),
    Column("firing_ns", "for", show.duration, right=True),
    Column("severity"),
    Column("peak", show=lambda value: show.NOTHING if value is None else show.digits(value), right=True),
    Column("labels", show=_labels),
)


def command(argv: Sequence[str]) -> int:
    """Print what a rule would have done over a range."""
    parser = options.parser("rules backtest", "Say when a rule would have fired over what is stored.")
    parser.add_argument("rule", metavar="RULE", help="the uid of a rule, a condition, or a YAML file with one rule")
    options.add_range(parser)
    parser.add_argument("--step", metavar="DURATION", help="a multiple of the rule's interval, for long ranges")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    client = options.client(arguments)
    asked = {**_rule(client, arguments.rule), **options.range_parameters(arguments), "step": arguments.step}
    answer = client.post("/rules/backtest", {name: value for name, value in asked.items() if value is not None})
    if answer["failure"]:
        raise _failed(arguments, answer["failure"])
    if arguments.format == "ndjson":
        print_json(answer)
    else:
        _print(arguments.format, answer)
    return Exit.OK


def _rule(client: Client, word: str) -> dict[str, str]:
    """What a word means: a rule that there is, a file, or a condition."""
    if word == "-" or word.endswith((".yaml", ".yml")):
        try:
            return {"yaml": sys.stdin.read() if word == "-" else Path(word).read_text(encoding="utf-8")}
        except OSError as error:
            raise CliError(f"{terminal_text(word)} can't be read: {error.strerror}") from None
    known = {row["uid"] for row in client.get("/rules")["rules"]}
    return {"uid": word} if word in known else {"condition": word}


def _failed(arguments: argparse.Namespace, failure: dict[str, Any]) -> CliError:
    """A condition that can't be evaluated, with the place in it."""
    details = []
    if failure["column"] and "\n" not in arguments.rule and not arguments.rule.endswith((".yaml", ".yml")):
        details = [terminal_text(arguments.rule), " " * (failure["column"] - 1) + "^"]
    return CliError(terminal_text(failure["message"]), *details, code=Exit.USAGE)


def _print(form: str, answer: dict[str, Any]) -> None:
    spans = [{**span, "labels": key["labels"]} for key in answer["keys"] for span in key["fired"]]
    spans.sort(key=lambda span: str(span["fired_time"]), reverse=True)
    if form == "csv":
        emit(form, _FIRED, spans)
        return
    out = console()
    for line in _sentences(answer):
        out.line(text(line))
    if spans:
        out.line()
        emit(form, _FIRED, spans)
    if answer["suggestions"]:
        out.line()
        out.line(text("quieter would be", "bold"))
        for each in answer["suggestions"]:
            missed = f", and would miss {show.number(each['missed_count'])}" if each["missed_count"] else ""
            out.line(text(f"  {each['text']}: fires {show.counted(each['fires'], 'time')}{missed}"))
    for warning in answer["warnings"]:
        print(f"spanglass rules: {terminal_text(warning)}", file=sys.stderr)


def _sentences(answer: dict[str, Any]) -> Iterator[str]:
    totals, evaluated = answer["totals"], answer["evaluated"]
    start, end = show.local_time(evaluated["start_time"]), show.local_time(evaluated["end_time"])
    cut = "" if answer["complete"] else ", then time ran out: give a longer --step, or a shorter range"
    yield f"{start} to {end} {show.zone()}, {show.counted(answer['ticks'], 'evaluation')}{cut}"
    if not totals["keys"]:
        yield "no data: nothing that the condition asks for is stored there"
        return
    fired = f"would have fired {show.counted(totals['fires'], 'time')}" if totals["fires"] else "would not have fired"
    whole = f", for {show.duration(totals['firing_ns'])} in all" if totals["fires"] else ""
    nearly = f"; {show.counted(totals['pending_only'], 'time')} not for long enough" if totals["pending_only"] else ""
    yield f"{fired} for {show.number(totals['keys_fired'])} of {show.counted(totals['keys'], 'key')}{whole}{nearly}"
