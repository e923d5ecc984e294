"""Answers as tables, for pandas, Polars and Arrow: SQL over what is stored, and whole ranges of records.

They come over Arrow's IPC. pyarrow is needed (``pip install 'spanglass[dataframes]'``), and imported at the first
question.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from spanglass.client.errors import ClientError
from spanglass.client.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

#: Twice the default deadline of a query: the server's own answer comes first.
_TIMEOUT_S = 60.0


class MissingLibraryError(ClientError):
    """A library that is needed for this is not installed; the message says how to install it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A table. ``arrow`` is a ``pyarrow.Table``: times have nanoseconds, in UTC."""

    arrow: Any

    def __len__(self) -> int:
        """How many rows there are."""
        return int(self.arrow.num_rows)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.arrow.column_names)

    def to_arrow(self) -> Any:
        """Return the ``pyarrow.Table``."""
        return self.arrow

    def to_pandas(self) -> Any:
        """Return a ``pandas.DataFrame``, times with the zone UTC; MissingLibraryError without pandas."""
        _imported("pandas", "pip install pandas")
        return self._zoned().to_pandas()

    def to_polars(self) -> Any:
        """Return a ``polars.DataFrame``, times with the zone UTC; MissingLibraryError without Polars."""
        return _imported("polars", "pip install polars").from_arrow(self._zoned())

    def _zoned(self) -> Any:
        """The table with the zone at all times, so that they compare with others that have one."""
        pa = _pyarrow()
        return self.arrow.cast(pa.schema([each.with_type(_in_utc(pa, each.type)) for each in self.arrow.schema]))

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a dict a row; times, also those in lists and structs, are numbers of nanoseconds since 1970.

        ClientError for a time that such a number can't tell.
        """
        pa = _pyarrow()
        table = self.arrow
        try:
            for place, field in enumerate(table.schema):
                column = table.column(place)
                if _numbered(pa, field.type) != field.type:
                    column = column.cast(_numbered(pa, field.type, in_ns=True)).cast(_numbered(pa, field.type))
                    table = table.set_column(place, field.name, column)
            rows: list[dict[str, Any]] = table.to_pylist()
        except (pa.ArrowException, ValueError, OverflowError) as error:
            message = f"a value can't be given as Python's ({error}): take to_arrow(), or cast it in SQL"
            raise ClientError(message) from None
        return rows


def _numbered(pa: Any, kind: Any, *, in_ns: bool = False) -> Any:
    """A type of Arrow with numbers of nanoseconds for times, wherever they stand; ``in_ns``: with times that have them.

    Durations and times of a day are such numbers too.
    """
    types = pa.types

    def number(kind: Any) -> Any:
        if types.is_timestamp(kind):
            return pa.timestamp("ns", kind.tz) if in_ns else pa.int64()
        if types.is_duration(kind):
            return pa.duration("ns") if in_ns else pa.int64()
        if types.is_time(kind):
            return pa.time64("ns") if in_ns else pa.int64()
        return kind

    return _replaced(pa, kind, number)


def _in_utc(pa: Any, kind: Any) -> Any:
    """A type of Arrow with the zone UTC for times, wherever they stand."""
    return _replaced(
        pa, kind, lambda each: pa.timestamp(each.unit, each.tz or "UTC") if pa.types.is_timestamp(each) else each
    )


def _replaced(pa: Any, kind: Any, of: Callable[[Any], Any]) -> Any:
    """A type of Arrow with others for those of its values, also where they stand in lists, structs and maps."""
    types = pa.types
    if types.is_struct(kind):
        return pa.struct([each.with_type(_replaced(pa, each.type, of)) for each in kind])
    if types.is_map(kind):
        return pa.map_(*(_replaced(pa, each, of) for each in (kind.key_type, kind.item_type)))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        inside = kind.value_field.with_type(_replaced(pa, kind.value_type, of))
        size = kind.list_size if types.is_fixed_size_list(kind) else -1
        return pa.large_list(inside) if types.is_large_list(kind) else pa.list_(inside, size)
    return of(kind)


class DataClient:
    """Asks a server for tables. Any thread may use one.

    ``url`` and ``token`` are SPANGLASS_URL and SPANGLASS_READ_TOKEN unless given; ``timeout_s`` is how long the server
    may be silent. All errors are ``ClientError``.
    """

    def __init__(self, url: str = "", token: str = "", *, timeout_s: float = _TIMEOUT_S) -> None:
        self._transport = Transport(url, token, timeout_s)

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def query(self, sql: str, *, limit: int = 1_000_000) -> Answer:
        """Run read-only SQL (docs/data-layout.md); RequestError for one that has more than ``limit`` rows."""
        return self._ask("/api/v1/sql/export", {"sql": sql, "limit": limit})

    def spans(self, filter: str = "", *, columns: Sequence[str] = (), **range_: str) -> Answer:  # noqa: A002 - as the API
        """All spans of a range that match a filter, with the columns of SQL's view, or some of them.

        The range is ``last="2h"``, or ``start`` and ``end``: the last hour unless said.
        """
        return self._records("spans", filter, columns, range_)

    def logs(self, filter: str = "", *, columns: Sequence[str] = (), **range_: str) -> Answer:  # noqa: A002 - as the API
        """As ``spans``, of log records."""
        return self._records("logs", filter, columns, range_)

    def metrics(self, filter: str = "", *, columns: Sequence[str] = (), **range_: str) -> Answer:  # noqa: A002 - as the API
        """As ``spans``, of data points."""
        return self._records("metrics", filter, columns, range_)

    def _records(self, signal: str, text: str, columns: Sequence[str], range_: dict[str, str]) -> Answer:
        chosen = ",".join(columns) or None
        asked = {"signal": signal, "filter": text or None, "columns": chosen, "names": "readable", **range_}
        return self._ask("/api/v1/export", asked)

    def _ask(self, path: str, params: dict[str, Any]) -> Answer:
        pa = _pyarrow()
        with self._transport.streaming(path, {**params, "format": "arrow"}) as content:
            try:
                with pa.ipc.open_stream(content) as reader:
                    return Answer(reader.read_all())
            except pa.ArrowException as error:
                message = (
                    f"the answer is no whole table ({error}): is the address that of a Spanglass server? Try again"
                )
                raise ClientError(message) from None


def query(sql: str, *, url: str = "", token: str = "", limit: int = 1_000_000) -> Answer:
    """Run read-only SQL on the server of SPANGLASS_URL, or another: ``query("FROM spans LIMIT 5").to_pandas()``."""
    with DataClient(url, token) as client:
        return client.query(sql, limit=limit)


def _pyarrow() -> Any:
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional: the extra [dataframes]
    except ImportError:
        message = "tables need pyarrow: pip install 'spanglass[dataframes]'"
        raise MissingLibraryError(message) from None
    return pa


def _imported(library: str, install: str) -> Any:
    try:
        return import_module(library)
    except ImportError:
        raise MissingLibraryError(f"{library} is not installed: {install}") from None
