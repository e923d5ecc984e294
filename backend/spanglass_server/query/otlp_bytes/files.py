"""Files of an export with stored columns, as requests of OTLP: Parquet, NDJSON, and databases of DuckDB."""

from __future__ import annotations

import base64
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from spanglass_server.query.otlp_bytes.metrics import METRIC_TYPES
from spanglass_server.query.otlp_bytes.requests import requests_of
from spanglass_server.signals import FIXED_COLUMNS, SENT, TIME_COLUMN, AttributeColumn, Signal, sql_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_ROWS = 8_192
#: What values that are none of a column's raise.
_WRONG = (ValueError, TypeError, KeyError, OverflowError, pa.ArrowException)
_HINT = "import takes exports with stored columns, as they are without --names readable"
#: Columns that records of one signal have, and no others.
_TELLING = {"trace_state": Signal.SPANS, "metric_name": Signal.METRICS, "severity_number": Signal.LOGS}
#: Arrow's types of DuckDB's.
_TYPES = {
    "VARCHAR": pa.string(),
    "BLOB": pa.binary(),
    "BIGINT": pa.int64(),
    "UBIGINT": pa.uint64(),
    "INTEGER": pa.int32(),
    "UINTEGER": pa.uint32(),
    "UTINYINT": pa.uint8(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
}


class SentAgain(NamedTuple):
    """A request: of which signal, its bytes, and how many records are in it."""

    signal: str
    body: bytes
    records: int


def requests(file: str) -> Iterator[SentAgain]:
    """Yield requests of protobuf that together have all records of a file, the same ones each time.

    ValueError for a file that is none of ours, ``OSError`` for one that can't be read.
    """
    path = Path(file)
    read = _READERS.get(path.suffix)
    if read is None:
        raise ValueError(f"{file}: of exports .parquet, .ndjson and .duckdb can be imported")
    try:
        for signal, table in read(path):
            for body, records in requests_of(signal, table):
                yield SentAgain(signal.value, body, records)
    except (pa.ArrowException, duckdb.Error, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"{file} can't be read: {error}") from error


def _of_parquet(path: Path) -> Iterator[tuple[Signal, pa.Table]]:
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        signal = _signal(schema.names)
    texts = [field.name for field in schema if field.type == pa.string()]
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        for number in range(file.metadata.num_row_groups):
            yield signal, _checked(signal, file.read_row_group(number))


def _of_database(path: Path) -> Iterator[tuple[Signal, pa.Table]]:
    with duckdb.connect(str(path), read_only=True) as database:
        found = database.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'stored' ORDER BY table_name"
        ).fetchall()
        names = {name for (name,) in found}
        if not names.intersection(signal.value for signal in SENT):
            raise ValueError(f"there is no schema 'stored' with spans, logs or metrics; {_HINT}")
        for signal in SENT:
            if signal.value in names:
                reader = database.execute(f"FROM stored.{signal.value}").to_arrow_reader(_ROWS)
                for batch in reader:
                    yield signal, _checked(signal, pa.Table.from_batches([batch]))


def _of_lines(path: Path) -> Iterator[tuple[Signal, pa.Table]]:
    with path.open("rb") as file:
        lines = ((number, line) for number, line in enumerate(file, 1) if line.strip())
        while some := list(islice(lines, _ROWS)):
            rows = {number: _row(number, line) for number, line in some}
            names = list(dict.fromkeys(name for row in rows.values() for name in row))
            signal = _signal(names)
            columns = {name: _column(signal, name, {n: row.get(name) for n, row in rows.items()}) for name in names}
            if signal is Signal.METRICS:
                _check_types(rows)
            yield signal, pa.table(columns)


def _row(number: int, line: bytes) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"line {number} is not JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError(f"line {number} is no object; {_HINT}")  # noqa: TRY004 - of the file, not of a caller
    return row


def _check_types(rows: Mapping[int, Mapping[str, Any]]) -> None:
    for number, row in rows.items():
        if row.get("metric_type") not in METRIC_TYPES:
            told = ", ".join(METRIC_TYPES)
            raise ValueError(f"line {number}: metric_type is {row.get('metric_type')!r}, none of {told}")


def _signal(names: list[str]) -> Signal:
    """The signal that columns are of; ValueError for those of something else, or that are not stored ones."""
    # a span has a trace id in each row, and no time of its own name; lines lack what is null
    signal = next((found for name, found in _TELLING.items() if name in names), None)
    if signal is None:
        signal = Signal.SPANS if TIME_COLUMN[Signal.SPANS] in names and "duration_ns" in names else Signal.LOGS
    if TIME_COLUMN[signal] not in names:
        raise ValueError(f"there is no column {TIME_COLUMN[signal]!r}; {_HINT}")
    for name in names:
        if name not in FIXED_COLUMNS[signal] and not _is_attribute(name):
            raise ValueError(f"the column {name!r} is none of what is stored of {signal}; {_HINT}")
    return signal


def _is_attribute(name: str) -> bool:
    try:
        return AttributeColumn.parse(name) is not None
    except ValueError:  # a type that there is not
        return False


def _checked(signal: Signal, table: pa.Table) -> pa.Table:
    """The table with its columns in their types."""
    for place, field in enumerate(table.schema):
        kind = _type(signal, field.name)
        if field.type != kind and not (pa.types.is_dictionary(field.type) and field.type.value_type == kind):
            table = table.set_column(place, field.name, table.column(place).cast(kind))
    return table


def _type(signal: Signal, name: str) -> pa.DataType:
    kind = sql_type(signal, name)
    return pa.list_(_TYPES[kind[:-2]]) if kind.endswith("[]") else _TYPES[kind]


def _column(signal: Signal, name: str, values: Mapping[int, Any]) -> pa.Array:
    """A column of what stands in lines, by their numbers; ValueError that names the first that is wrong."""
    kind = _type(signal, name)
    try:
        return _made(kind, values.values())
    except _WRONG:
        for number, value in values.items():
            try:
                _made(kind, [value])
            except _WRONG as error:
                raise ValueError(f"line {number}: {name!r} is no {kind}: {str(value)[:100]}") from error
        raise


def _made(kind: pa.DataType, values: Iterable[Any]) -> pa.Array:
    is_list = pa.types.is_list(kind)
    read = _plain(kind.value_type if is_list else kind)
    made = [
        None if value is None else [_or_none(read, item) for item in value] if is_list else read(value)
        for value in values
    ]
    return pa.array(made, kind)


def _plain(kind: pa.DataType) -> Callable[[Any], Any]:
    if pa.types.is_integer(kind):
        return int
    if pa.types.is_floating(kind):
        return lambda value: float(value["$double"]) if isinstance(value, dict) else float(value)
    if pa.types.is_binary(kind):
        return lambda value: base64.b64decode(value["$bytes"])
    return lambda value: value


def _or_none(read: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else read(value)


_READERS: dict[str, Callable[[Path], Iterator[tuple[Signal, pa.Table]]]] = {
    ".parquet": _of_parquet,
    ".ndjson": _of_lines,
    ".duckdb": _of_database,
}
