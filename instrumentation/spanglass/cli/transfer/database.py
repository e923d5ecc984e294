"""One database of an export, which any DuckDB opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.cli.errors import CliError, missing

if TYPE_CHECKING:
    from pathlib import Path

    from spanglass.cli.transfer.job import Columns, Job

#: What building takes at most.
_CONFIG: dict[str, Any] = {"memory_limit": "400MB", "threads": 2, "preserve_insertion_order": False}


def _duckdb() -> Any:
    try:
        import duckdb  # noqa: PLC0415 - optional: the extra [dataframes]
    except ImportError:
        raise missing("DuckDB is needed to make a database", "dataframes", "or export as parquet") from None
    return duckdb


def check_installed() -> None:
    """Raise ``CliError`` if DuckDB is not there, before anything is asked for."""
    _duckdb()


def build(job: Job, target: Path) -> None:
    """Make the database of the parts of a job: tables with what is stored, and views as the server's SQL has them.

    It appears when it is whole; ``CliError`` if it can't be made.
    """
    duckdb = _duckdb()
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with duckdb.connect(str(partial), config=_CONFIG) as database:
            _fill(database, job)
        partial.replace(target)
    except (duckdb.Error, OSError) as error:
        raise CliError(f"{target} can't be made: {error}", "the same command again goes on from here") from None
    finally:
        partial.unlink(missing_ok=True)
        partial.with_name(f"{partial.name}.wal").unlink(missing_ok=True)


def _fill(database: Any, job: Job) -> None:
    database.execute("CREATE SCHEMA stored")
    for signal in dict.fromkeys(part.signal for part in job.parts):
        files = [str(job.path(part)) for part in job.parts if part.signal == signal and part.size]
        name = f"stored.{signal}" if signal in job.columns else signal
        database.execute(f"CREATE TABLE {name} AS FROM read_parquet(?, union_by_name = true)", [files])
    # what follows is the server's text: it may make views, and reach no file
    database.execute("SET enable_external_access = false")
    for signal, columns in job.columns.items():
        _make_view(database, signal, columns)


def _make_view(database: Any, signal: str, columns: Columns) -> None:
    """Make the view that has the columns of the server's own; those that went meanwhile are null."""
    there = {row[0] for row in database.execute(f"DESCRIBE stored.{signal}").fetchall()}
    for name, kind in columns.stored.items():
        if name not in there:
            database.execute(f"ALTER TABLE stored.{signal} ADD COLUMN {_quoted(name)} {kind}")
    readable = ", ".join(f"{sql} AS {_quoted(name)}" for name, sql in columns.readable.items())
    database.execute(f"CREATE VIEW {signal} AS SELECT {readable} FROM stored.{signal}")  # noqa: S608 - see above


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
