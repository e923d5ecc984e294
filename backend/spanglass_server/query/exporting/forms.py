"""Forms of files: Arrow's stream, Parquet, NDJSON, CSV, and OTLP/JSON as the Collector's file exporter writes it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from spanglass_core.csv_cells import csv_cell
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.rows.json_values import json_rows
from spanglass_server.query.rows.otlp_json import traces_data
from spanglass_server.query.rows.otlp_logs import logs_data
from spanglass_server.query.rows.otlp_metrics import metrics_data
from spanglass_server.query.rows.slices import slices
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: Of a line of OTLP/JSON, a request of about a megabyte: its records, and the bytes of their values at most.
_RECORDS_A_LINE, _BYTES_A_LINE = 1_000, 16 << 20
#: 15 % fewer bytes than Snappy for a third more time of the processor.
_COMPRESSION = "zstd"


class Form(Protocol):
    """Writes one file: first ``begin``, then tables of its schema, then ``end``. Each returns what is to be sent."""

    def begin(self) -> bytes:
        """Return what stands before the first table."""

    def write(self, table: pa.Table) -> bytes:
        """Return the rows of a table."""

    def end(self) -> bytes:
        """Return what stands behind the last table."""


class _Drained(io.RawIOBase):
    """A file that is taken away while it is written."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, content: Any) -> int:
        taken = bytes(content)
        self._waiting.append(taken)
        self._written += len(taken)
        return len(taken)

    def drain(self) -> bytes:
        taken, self._waiting = b"".join(self._waiting), []
        return taken


class _Parquet:
    """Parquet, a row group a table."""

    def __init__(self, schema: pa.Schema) -> None:
        self._file = _Drained()
        # without Arrow's own schema in it: readers of Arrow would get dictionaries where there are texts
        self._writer = _made(lambda: pq.ParquetWriter(self._file, schema, compression=_COMPRESSION, store_schema=False))

    def begin(self) -> bytes:
        return self._file.drain()

    def write(self, table: pa.Table) -> bytes:
        # a column chunk has one dictionary
        self._writer.write_table(table.unify_dictionaries(), row_group_size=table.num_rows)
        return self._file.drain()

    def end(self) -> bytes:
        self._writer.close()
        return self._file.drain()


class _Arrow:
    """The stream of Arrow IPC."""

    def __init__(self, schema: pa.Schema) -> None:
        self._file = _Drained()
        self._schema = pa.schema([field.with_type(_value_type(field.type)) for field in schema])
        self._writer = pa.ipc.new_stream(self._file, self._schema)

    def begin(self) -> bytes:
        return self._file.drain()

    def write(self, table: pa.Table) -> bytes:
        self._writer.write_table(table.cast(self._schema))
        return self._file.drain()

    def end(self) -> bytes:
        self._writer.close()
        return self._file.drain()


class _Lines:
    """NDJSON: an object a row, without the columns that have no value in it."""

    def __init__(self, schema: pa.Schema) -> None:
        self._names = schema.names

    def begin(self) -> bytes:
        return b""

    def write(self, table: pa.Table) -> bytes:
        rows = (
            {name: value for name, value in zip(self._names, row, strict=True) if value is not None}
            for row in json_rows(table)
        )
        return b"".join([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows])

    def end(self) -> bytes:
        return b""


class _Csv:
    """CSV with a heading; lists and other nested values are JSON.

    Numbers are never guarded: those that are texts here (past 2^53, exact decimals) stay numbers to a spreadsheet.
    """

    def __init__(self, schema: pa.Schema, *, guarded: bool = True) -> None:
        text: Callable[[Any], Any] = csv_cell if guarded else _as_it_is
        self._heading = [text(name) for name in schema.names]
        self._cells = [_number if _is_number(field.type) else _guarded(text) for field in schema]

    def begin(self) -> bytes:
        return _csv_lines([self._heading])

    def write(self, table: pa.Table) -> bytes:
        rows = json_rows(table)
        return _csv_lines([[cell(value) for cell, value in zip(self._cells, row, strict=True)] for row in rows])

    def end(self) -> bytes:
        return b""


class _Otlp:
    """A request of OTLP/JSON a line, of some stored records each."""

    def __init__(self, signal: Signal) -> None:
        self._message = _MESSAGES[signal]

    def begin(self) -> bytes:
        return b""

    def write(self, table: pa.Table) -> bytes:
        messages = (self._message(some) for some in slices(table, _RECORDS_A_LINE, _BYTES_A_LINE))
        return b"".join([orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE) for message in messages])

    def end(self) -> bytes:
        return b""


_MESSAGES: Mapping[Signal, Callable[[pa.Table], Mapping[str, Any]]] = {
    Signal.SPANS: traces_data,
    Signal.LOGS: logs_data,
    Signal.METRICS: metrics_data,
}
#: Forms of any table, with their media types.
TABLE_FORMS = {
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
}
#: Those of records that are sent.
RECORD_FORMS = {**TABLE_FORMS, "otlp": "application/x-ndjson"}


def form_of(name: str, schema: pa.Schema, *, signal: Signal | None = None, guarded: bool = True) -> Form:
    """Begin a file of a form; ``guarded``: no cell of CSV is a formula. BadQuestionError for types that it lacks."""
    match name:
        case "parquet":
            return _Parquet(schema)
        case "arrow":
            return _Arrow(schema)
        case "ndjson":
            return _Lines(schema)
        case "otlp" if signal is not None:
            return _Otlp(signal)
        case "csv":
            return _Csv(schema, guarded=guarded)
    expected = "parquet, arrow, ndjson or csv"
    raise BadQuestionError(f"{name!r} is no form of this", field="format", hint=f"ask for {expected}")


def _value_type(kind: pa.DataType) -> pa.DataType:
    """The type of what is in a dictionary, or the type as it is."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _made(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except pa.ArrowException as error:
        hint = "cast it to another type, or ask for csv or ndjson"
        raise BadQuestionError(f"a column can't be written: {error}", field="format", hint=hint) from error


def _csv_lines(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _is_number(kind: pa.DataType) -> bool:
    of = _value_type(kind)
    return bool(pa.types.is_integer(of) or pa.types.is_floating(of) or pa.types.is_decimal(of))


def _number(value: Any) -> Any:
    """Return a number's cell: NaN, Infinity and -Infinity by their names."""
    return value["$double"] if isinstance(value, dict) else value


def _guarded(text: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what writes the cells of a column that is not of numbers; ``text`` is done to what stands there."""
    return lambda value: text(_plain(value))


def _plain(value: Any) -> Any:
    """Return what stands in a cell: texts and numbers as they are, everything else as JSON, nothing for null."""
    return orjson.dumps(value).decode() if isinstance(value, dict | list | bool) else value


def _as_it_is(value: Any) -> Any:
    return value
