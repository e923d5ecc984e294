"""``spanglass sql``: one read-only statement over the views spans, logs and metrics."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from spanglass.cli import options
from spanglass.cli.errors import CliError, Exit
from spanglass.cli.output import Column, CsvWriter, emit

if TYPE_CHECKING:
    from collections.abc import Sequence


def command(argv: Sequence[str]) -> int:
    """Print a statement's rows."""
    parser = options.parser("sql", "Run a read-only SQL statement over the views spans, logs and metrics.")
    parser.add_argument("statement", help="such as: SELECT count(*) FROM spans; - reads standard input")
    parser.add_argument("--limit", type=options.positive, default=10_000, help="rows at most (default 10000)")
    options.add_format(parser)
    arguments = parser.parse_args(argv)
    statement = sys.stdin.read() if arguments.statement == "-" else arguments.statement
    if not statement.strip():
        raise CliError("there is no statement to run", "write one like: SELECT count(*) FROM spans", code=Exit.USAGE)
    answer = options.client(arguments).post("/sql", {"sql": statement, "limit": arguments.limit})
    names = [column["name"] for column in answer["columns"]]
    if arguments.format == "csv":  # by position: two columns may have one name
        CsvWriter(names).rows(answer["rows"])
    elif arguments.format == "ndjson":
        emit("ndjson", (), (dict(zip(names, row, strict=True)) for row in answer["rows"]))
    else:
        columns = [
            Column(str(index), name, right=_is_number(column["type"]))
            for index, (name, column) in enumerate(zip(names, answer["columns"], strict=True))
        ]
        emit("table", columns, ({str(index): cell for index, cell in enumerate(row)} for row in answer["rows"]))
    if answer["truncated"]:
        print(f"spanglass sql: only the first {len(answer['rows'])} rows; more with --limit", file=sys.stderr)
    return Exit.OK


def _is_number(sql_type: str) -> bool:
    return sql_type.upper().startswith(
        ("TINYINT", "SMALLINT", "INT", "BIGINT", "HUGEINT", "U", "DOUBLE", "FLOAT", "DEC")
    )
