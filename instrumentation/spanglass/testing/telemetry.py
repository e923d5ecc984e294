"""What a block of ``capture`` has recorded, and assertions on it whose messages show the traces."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spanglass.testing.plain import log_dict, metric_dicts, span_dict
from spanglass.testing.queries import explain, sql_is_seen, sql_queries
from spanglass.testing.tree import tree_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass.testing.plain import LogDict, MetricDict, SpanDict
    from spanglass.testing.recorder import Recorder

_NS_PER_MS = 1e6
_ERROR = 17  # the least severity number of an error in the log data model
_P95 = 0.95


class Telemetry:
    """Finished spans, log records and metrics; everything is read anew, so it can be asked during the block too.

    Attributes are given as keywords, and an underscore stands for a dot as well: ``http_route="/orders"``.
    """

    def __init__(self, recorder: Recorder, first_span: int = 0, first_log: int = 0) -> None:
        self._recorder = recorder
        self._first_span = first_span
        self._first_log = first_log
        self._end: tuple[int | None, int | None] = (None, None)

    @property
    def spans(self) -> list[SpanDict]:
        """Finished spans, by their start."""
        taken = self._recorder.spans[self._first_span : self._end[0]]
        return sorted(map(span_dict, taken), key=lambda span: (span["start_ns"], span["span_id"]))

    @property
    def logs(self) -> list[LogDict]:
        """Log records, in the order of their emission."""
        return [log_dict(record) for record in self._recorder.logs[self._first_log : self._end[1]]]

    @property
    def metrics(self) -> list[MetricDict]:
        """Data points of all that was measured in the block; observable instruments are asked only while it is open."""
        return list(metric_dicts(self._recorder.collected()))

    @property
    def queries(self) -> list[SpanDict]:
        """Spans of SQL queries; a library's span and its driver's for the same call count once."""
        return sql_queries(self.spans)

    def tree(self, *, durations: bool = False) -> str:
        """Draw the spans as text, indented; without durations it is the same in every run."""
        return tree_text(self.spans, durations=durations)

    def find(self, name: str | None = None, /, **attributes: Any) -> list[SpanDict]:
        """Return the spans of this name that have these attributes."""
        return [span for span in self.spans if _matches(span, name, attributes)]

    def find_metrics(self, name: str, /, **attributes: Any) -> list[MetricDict]:
        """Return the data points of this metric that have these attributes."""
        return [point for point in self.metrics if point["name"] == name and _has(point["attributes"], attributes)]

    def assert_span(self, name: str | None = None, /, **attributes: Any) -> SpanDict:
        """Return the first span of this name with these attributes; there has to be one."""
        __tracebackhide__ = True
        found = self.find(name, **attributes)
        if not found:
            self._fail(f"no span {_asked(name, attributes)} was recorded{self._near(name, attributes)}")
        return found[0]

    def assert_called(self, name: str, /, times: int | None = None, **attributes: Any) -> None:
        """Check that such a span was recorded: at least once, or exactly ``times``."""
        __tracebackhide__ = True
        count = len(self.find(name, **attributes))
        if count == 0 if times is None else count != times:
            wanted = "at least once" if times is None else f"{times} times"
            self._fail(f"the span {_asked(name, attributes)} was expected {wanted}, and recorded {count} times")

    def assert_no_errors(self, *, logs: bool = True) -> None:
        """Check that no span has failed, and, unless ``logs`` is False, no error was logged."""
        __tracebackhide__ = True
        failed = [f"  span {s['name']}: {s['status_message'] or 'error'}" for s in self.spans if s["status"] == "error"]
        if logs:
            failed += [f"  log {log['scope']}: {log['body']}" for log in self.logs if log["severity"] >= _ERROR]
        if failed:
            self._fail("\n".join(["no errors were expected:", *failed]))

    def assert_max_queries(self, limit: int) -> None:
        """Check that at most ``limit`` SQL queries were made."""
        __tracebackhide__ = True
        queries = self.queries
        if len(queries) > limit:
            self._fail(explain(queries, limit))
        if not queries and not sql_is_seen():
            raise AssertionError(
                "SQL queries can't be counted: no instrumentation of a database is loaded. Install the one for yours, "
                "for example opentelemetry-instrumentation-sqlalchemy, and call spanglass.configure() or use pytest's "
                "fixture capture_telemetry, which turns it on"
            )

    def assert_p95_below(self, *, ms: float, name: str | None = None, **attributes: Any) -> None:
        """Check that 95 % of these spans took less than so many milliseconds; there has to be one."""
        __tracebackhide__ = True
        taken_ms = sorted(span["duration_ns"] / _NS_PER_MS for span in self.find(name, **attributes))
        if not taken_ms:
            self._fail(f"no span {_asked(name, attributes)} was recorded, so there is no p95")
        p95_ms = taken_ms[math.ceil(_P95 * len(taken_ms)) - 1]
        if p95_ms >= ms:
            self._fail(
                f"p95 of {len(taken_ms)} spans {_asked(name, attributes)} is {p95_ms:.1f} ms, and below {ms:g} ms was "
                f"expected; the slowest took {taken_ms[-1]:.1f} ms"
            )

    @contextmanager
    def part(self) -> Iterator[Telemetry]:
        """Return the spans that end and the records that are logged in this block, a part of the whole."""
        made = Telemetry(self._recorder, len(self._recorder.spans), len(self._recorder.logs))
        try:
            yield made
        finally:
            made._end = (len(self._recorder.spans), len(self._recorder.logs))

    @contextmanager
    def at_most_queries(self, limit: int) -> Iterator[Telemetry]:
        """Check that at most ``limit`` SQL queries are made in this block."""
        __tracebackhide__ = True
        with self.part() as part:
            yield part
        part.assert_max_queries(limit)

    @contextmanager
    def no_errors(self, *, logs: bool = True) -> Iterator[Telemetry]:
        """Check that nothing fails in this block, as ``assert_no_errors`` does."""
        __tracebackhide__ = True
        with self.part() as part:
            yield part
        part.assert_no_errors(logs=logs)

    def _near(self, name: str | None, attributes: Mapping[str, Any]) -> str:
        """Return what the spans of that name have instead."""
        same = self.find(name) if name is not None else []
        if not same or not attributes:
            return ""
        return "\n" + "\n".join(f"  a span {name!r} has {span['attributes']}" for span in same)

    def _fail(self, message: str) -> None:
        __tracebackhide__ = True
        raise AssertionError(f"{message}\n\n{self.tree(durations=True)}")


def _matches(span: SpanDict, name: str | None, attributes: Mapping[str, Any]) -> bool:
    return (name is None or span["name"] == name) and _has(span["attributes"], attributes)


def _has(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    if not wanted:
        return True
    known = {key.replace(".", "_"): value for key, value in present.items()}
    return all(known.get(key.replace(".", "_"), _MISSING) == _comparable(value) for key, value in wanted.items())


def _comparable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # as the SDK keeps it


_MISSING = object()


def _asked(name: str | None, attributes: Mapping[str, Any]) -> str:
    words = [repr(name)] if name is not None else []
    words += [f"{key}={value!r}" for key, value in attributes.items()]
    return " with ".join([words[0], ", ".join(words[1:])]) if len(words) > 1 else "".join(words)
