"""The questions with which two builds' answers are compared, about whatever a data directory holds."""

from __future__ import annotations

import json
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loadgen.traces import PROBE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: How many pages of a list are compared.
_PAGES = 3
_FILTERS = [
    "status = error",
    f'service.name = "{PROBE["service"]}" and name = "{PROBE["operation"]}" and duration > {PROBE["min_ms"]}ms',
    'app.tenant.id = "tenant-0007"',
    'app.tenant.id = "there-is-none"',
    "kind = client and duration < 5ms",
    'name ~ "POST" or status = error',
]
_LOG_FILTERS = ["severity >= error", '"order"', 'service.name = "checkout"']
_STATEMENTS = [
    "SELECT count(*), min(start_time), max(start_time) FROM spans",
    "SELECT service_name, count(*) AS n FROM spans GROUP BY ALL ORDER BY ALL",
    "SELECT count(*) FROM logs",
    "SELECT count(*) FROM metrics",
]
_EXPRESSIONS = [
    "sum by (service_name) (rate(spans_total[5m]))",
    'sum(increase(spans_total{__filter__="status = error"}[5m]))',
    "histogram_quantile(0.95, sum by (le, service_name) (rate(span_duration_seconds_bucket[5m])))",
    "sum by (severity) (rate(log_records_total[5m]))",
    "max by (service_name) (jvm_thread_count)",
]


@dataclass(frozen=True)
class Asked:
    """One question: GET of a path, or POST of a body; ``pages`` says how many pages are followed."""

    path: str
    body: bytes | None = None
    pages: int = 1

    @property
    def name(self) -> str:
        """The question as people read it."""
        return urllib.parse.unquote_plus(self.path) + (f" {self.body.decode()}" if self.body else "")


def questions(get: Callable[[str], Any], start_ns: int, end_ns: int, *, issues: bool) -> list[Asked]:
    """Return the questions over a window; ``get`` asks one build for what can be asked about: ids, services, names.

    ``issues``: those about issues too. They are numbered in the order of batches, which are made by the clock: two
    servers that grouped the same exceptions for themselves number them otherwise.
    """
    window = {"start": start_ns, "end": end_ns}

    def path(route: str, **parameters: object) -> str:
        return f"/api/v1{route}?{urllib.parse.urlencode({**window, **parameters})}"

    made = [Asked(path(route)) for route in _plain_routes()]
    made += _searches(path)
    made += _of_services(get, path)
    made += _of_traces(get, path)
    made += _of_metrics(get, path)
    made += _of_issues(get, path) if issues else []
    made += _of_promql(start_ns, end_ns)
    made += [Asked("/api/v1/sql", json.dumps({"sql": statement}).encode()) for statement in _STATEMENTS]
    return made


def _plain_routes() -> list[str]:
    return [
        *("/services", "/requests", "/traces/counts", "/logs/counts", "/metrics", "/metrics/catalog", "/senders"),
        *("/hosts", "/processes", "/running", "/keys", "/facets"),
    ]


def _searches(path: Callable[..., str]) -> Iterator[Asked]:
    for words in ["", *_FILTERS]:
        yield Asked(path("/traces", filter=words), pages=_PAGES)
        yield Asked(path("/traces/counts", filter=words))
        yield Asked(path("/spans", filter=words), pages=_PAGES)
        yield Asked(path("/facets", filter=words))
        yield Asked(path("/spans/groups", filter=words, by="service.name,error.type", limit=1000))
    for sort in ("duration", "spans", "errors"):
        yield Asked(path("/traces", filter=_FILTERS[0], sort=sort))
    yield Asked(path("/traces", order="asc"), pages=_PAGES)
    yield Asked(path("/spans", filter=_FILTERS[0], format="otlp", limit=20))
    for words in ["", *_LOG_FILTERS]:
        yield Asked(path("/logs", filter=words), pages=_PAGES)
        yield Asked(path("/logs/counts", filter=words))
        yield Asked(path("/facets", signal="logs", filter=words))
    yield Asked(path("/logs", format="otlp", limit=20))
    yield Asked(path("/keys", signal="logs"))
    yield Asked(path("/keys", signal="metrics"))
    yield Asked(path("/values", key="http.route"))
    yield Asked(path("/values", key="app.tenant.id", prefix="tenant-00"))
    yield Asked(path("/filter/unknown", filter='http.rout = "x"'))


def _of_services(get: Callable[[str], Any], path: Callable[..., str]) -> Iterator[Asked]:
    for service in [row["service"] for row in get(path("/services"))["services"]]:
        name = urllib.parse.quote(service, safe="")
        yield Asked(path(f"/services/{name}/operations"))
        yield Asked(path(f"/services/{name}/series"))


def _of_traces(get: Callable[[str], Any], path: Callable[..., str]) -> Iterator[Asked]:
    newest = get(path("/traces", limit=5))["traces"]
    oldest = get(path("/traces", limit=5, order="asc"))["traces"]
    failed = get(path("/traces", limit=5, filter="status = error"))["traces"]
    for trace_id in dict.fromkeys(row["trace_id"] for row in [*newest, *oldest, *failed]):
        for shape in ("", "?format=columns", "?format=summary", "?format=otlp"):
            yield Asked(f"/api/v1/traces/{trace_id}{shape}")
        spans = get(f"/api/v1/traces/{trace_id}")["spans"]
        yield Asked(f"/api/v1/traces/{trace_id}/spans/{spans[-1]['key']}")


def _of_metrics(get: Callable[[str], Any], path: Callable[..., str]) -> Iterator[Asked]:
    for metric in get(path("/metrics"))["metrics"]:
        of_one = {"name": metric["name"], "type": metric["type"], "unit": metric["unit"]}
        yield Asked(path("/metrics/series", **of_one))
        is_histogram = "histogram" in metric["type"]
        for aggregate in ("quantile", "count") if is_histogram else ("avg", "max"):
            wanted = {"aggregate": aggregate, **({"q": 0.95} if aggregate == "quantile" else {})}
            yield Asked(path("/metrics/query", **of_one, **wanted, by="service.name"))
        yield Asked(path("/metrics/points", name=metric["name"], limit=50), pages=_PAGES)


def _of_issues(get: Callable[[str], Any], path: Callable[..., str]) -> Iterator[Asked]:
    for route in ("/issues", "/releases", "/issue-events"):
        yield Asked(path(route))
    for issue in get(path("/issues", limit=5))["issues"]:
        yield Asked(path(f"/issues/{issue['id']}"))
        yield Asked(path(f"/issues/{issue['id']}/occurrences"), pages=_PAGES)


def _of_promql(start_ns: int, end_ns: int) -> Iterator[Asked]:
    window = {"start": start_ns // 10**9, "end": end_ns // 10**9, "step": 60}
    for expression in _EXPRESSIONS:
        yield Asked(f"/prometheus/api/v1/query_range?{urllib.parse.urlencode({'query': expression, **window})}")
    yield Asked(f"/prometheus/api/v1/labels?start={window['start']}&end={window['end']}")
