"""What many alert rules look at: series of Prometheus, spans of many services, and the rules themselves."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loadgen.prepared import Bodies, Writer
from loadgen.traces import BASE_TIME_NS

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "e2e"))

from remote_write_bodies import Write1

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NS = 1_000_000_000
SERVICES = 50
_ROUTES = ("/", "/cart", "/checkout", "/orders/{id}", "/products/{id}", "/search")
_BOUNDS = ("0.01", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "+Inf")
_SAMPLES_PER_BODY = 2000
_SPANS_PER_BODY = 500
_SERVICES_PER_BODY = 25
_BODIES = 100  # of spans, prepared
_STEPS = 25  # of series before the first tick: more than any rule looks back
_HISTORY_S = 6 * 3600  # that the spans are spread over, less if that were fewer than these in an interval
_SPANS_PER_TICK_MIN = 2000


def service(number: int) -> str:
    """The name of a service, which is the job of its series."""
    return f"svc-{number:02d}"


class Series:
    """Counters, gauges and histograms of the services, as Prometheus scrapes them; each step adds to them.

    Of 10,000 series 3,600 are counters, 2,250 buckets and the rest gauges.
    """

    def __init__(self, count: int) -> None:
        self._random = random.Random(20_261_129)
        self.labels = list(_labels(count))
        self._values = [float(self._random.randrange(1_000_000)) for _ in self.labels]
        self._is_gauge = [labels["__name__"] in ("app_queue_depth", "app_memory_bytes") for labels in self.labels]

    def step(self) -> None:
        """Let one interval pass. Faster than a draw for each series: neighbours share one."""
        draws = [self._random.randrange(1, 100) for _ in range(97)]
        for place, is_gauge in enumerate(self._is_gauge):
            drawn = draws[place % 97]
            self._values[place] = float(drawn * 7) if is_gauge else self._values[place] + drawn

    def bodies(self, time_ms: int) -> Iterator[bytes]:
        """Requests of remote write with a sample of each series, not compressed."""
        for start in range(0, len(self.labels), _SAMPLES_PER_BODY):
            request = Write1()
            for place in range(start, min(start + _SAMPLES_PER_BODY, len(self.labels))):
                request.series(self.labels[place], (time_ms, self._values[place]))
            yield request.body()


def _labels(count: int) -> Iterator[dict[str, str]]:
    for place in range(count):
        turn, number = divmod(place, SERVICES)
        common = {"job": service(number), "instance": f"10.0.{number}.{turn % 3}:9100"}
        kind, rest = turn % 20, turn // 20
        if kind < 7:
            labels = {"route": _ROUTES[kind % 6], "status": ("200", "500")[kind // 6], "method": f"m{rest}"}
            yield {"__name__": "app_requests_total", **common, **labels}
        elif kind < 7 + len(_BOUNDS):
            labels = {"le": _BOUNDS[kind - 7], "method": f"m{rest}", "instance": f"10.0.{number}.0:9100"}
            yield {"__name__": "app_request_duration_seconds_bucket", "job": service(number), **labels}
        elif kind < 18:
            yield {"__name__": "app_memory_bytes", **common, "area": f"a{kind}-{rest}"}
        else:
            yield {"__name__": "app_queue_depth", **common, "queue": f"q{kind}-{rest}"}


class Load:
    """What is stored before the first tick, and what arrives in each interval: bodies with their kind, oldest first."""

    def __init__(self, folder: Path, spans: int, series: int, interval_s: int) -> None:
        self._bodies, self._series = write_spans(folder, _BODIES), Series(series)
        self._spans, self._interval_ns = spans, interval_s * NS
        self._history_ns = min(_HISTORY_S, spans * interval_s // _SPANS_PER_TICK_MIN) * NS
        self._spans_per_tick = spans * interval_s * NS // self._history_ns
        self._turn = 0

    def past(self, end_ns: int) -> Iterator[tuple[str, bytes]]:
        """Spans over hours and series over minutes, up to a time."""
        turns = max(1, self._spans // (_BODIES * _SPANS_PER_BODY))
        for turn in range(turns):
            at_ns = end_ns - self._history_ns + self._history_ns * turn // turns
            yield from self._some_spans(_BODIES, at_ns, self._history_ns // turns)
        for step in range(_STEPS):
            yield from self._one_step(end_ns - (_STEPS - 1 - step) * self._interval_ns)

    def arriving(self, end_ns: int) -> Iterator[tuple[str, bytes]]:
        """What arrives in the interval that ends then."""
        yield from self._one_step(end_ns)
        bodies = max(1, self._spans_per_tick // _SPANS_PER_BODY)
        yield from self._some_spans(bodies, end_ns - self._interval_ns, self._interval_ns)

    def _some_spans(self, bodies: int, begin_ns: int, length_ns: int) -> Iterator[tuple[str, bytes]]:
        for number in range(bodies):
            shift_ns = begin_ns + number * length_ns // bodies - BASE_TIME_NS
            yield "traces", self._bodies.body(number % _BODIES, shift_ns, self._turn + number // _BODIES)
        self._turn += 1 + bodies // _BODIES

    def _one_step(self, at_ns: int) -> Iterator[tuple[str, bytes]]:
        self._series.step()
        for body in self._series.bodies(at_ns // 10**6):
            yield "series", body


def write_spans(folder: Path, bodies: int) -> Bodies:
    """Prepare bodies of spans that can be moved in time: server and client spans of all services, one in 50 failed."""
    chance = random.Random(7)
    writer = Writer(folder, "traces")
    for _ in range(bodies):
        request = ExportTraceServiceRequest()
        for number in chance.sample(range(SERVICES), _SERVICES_PER_BODY):
            resource = request.resource_spans.add()
            resource.resource.attributes.add(key="service.name").value.string_value = service(number)
            scope = resource.scope_spans.add()
            for _ in range(_SPANS_PER_BODY // _SERVICES_PER_BODY):
                _add_span(scope, chance)
        writer.add(request.SerializeToString(), _SPANS_PER_BODY)
    writer.close({"group": 1, "samples": []})
    return Bodies("traces", folder)


def _add_span(scope: Any, chance: random.Random) -> None:
    route, is_server = chance.choice(_ROUTES), chance.random() < 0.5
    start_ns = BASE_TIME_NS + chance.randrange(NS)
    span = scope.spans.add(
        trace_id=chance.randbytes(16),
        span_id=chance.randbytes(8),
        name=f"GET {route}" if is_server else "SELECT orders",
        kind=2 if is_server else 3,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + int(chance.lognormvariate(-3, 1) * NS),
    )
    span.status.code = 2 if chance.random() < 0.02 else 0
    span.attributes.add(key="http.route").value.string_value = route
    span.attributes.add(key="http.response.status_code").value.int_value = chance.choice((200, 200, 200, 404, 500))
    span.attributes.add(key="app.tenant.id").value.string_value = f"tenant-{chance.randrange(200):04d}"


@dataclass(frozen=True)
class MadeRule:
    """A rule of a kind: measure, metric, promql, spans. ``promql`` is the same for Prometheus, "" if it has none."""

    name: str
    kind: str
    condition: str
    promql: str = ""


def rules(count: int) -> list[MadeRule]:
    """So many rules: 30 % measures of services, 30 % metrics by name, 20 % PromQL, 20 % filters on spans."""
    made: list[MadeRule] = []
    kinds = (_measure, _metric, _promql, _measure, _metric, _spans, _measure, _metric, _promql, _spans)
    turns = [0] * len(kinds)
    for place in range(count):
        column = place % len(kinds)
        turn = turns[column] * kinds.count(kinds[column]) + kinds[:column].count(kinds[column])
        turns[column] += 1
        made.append(kinds[column](turn))
    return made


def _measure(turn: int) -> MadeRule:
    name, kind = service(turn % SERVICES), turn // SERVICES
    forms = (
        f'error_rate{{service="{name}"}} > 0.9',
        f'p95(response_time{{service="{name}"}}) > 30s',
        f'avg_response_time{{service="{name}"}} > 20s',
        f'request_rate{{service="{name}"}} > 100000',
        f'p99(response_time{{service="{name}"}}) by (route) > 60s',
        f'error_rate{{service="{name}"}} by (route) > 0.95',
    )
    return MadeRule(f"measure {turn}", "measure", forms[kind % len(forms)])


def _metric(turn: int) -> MadeRule:
    job, kind = service(turn % SERVICES), turn // SERVICES
    metric = ("app_queue_depth", "app_memory_bytes")[kind % 2]
    aggregate = ("max", "avg", "sum")[kind // 2 % 3]
    by = "queue" if metric == "app_queue_depth" else "area"
    text = f'{aggregate} by ({by}) ({metric}{{job="{job}"}}) > 1000000'
    return MadeRule(f"metric {turn}", "metric", f'{aggregate}({metric}{{job="{job}"}}) by ({by}) > 1000000', text)


def _promql(turn: int) -> MadeRule:
    job, kind = service(turn % SERVICES), turn // SERVICES
    total = "app_requests_total"
    forms = (
        f'sum by (route) (rate({total}{{job="{job}",status="500"}}[2m]))',
        f'histogram_quantile(0.95, sum by (le) (rate(app_request_duration_seconds_bucket{{job="{job}"}}[5m])))',
        f'sum(rate({total}{{job="{job}",status="500"}}[5m])) / sum(rate({total}{{job="{job}"}}[5m]))',
        f'topk(3, sum by (instance) (increase(app_requests_total{{job="{job}"}}[10m])))',
    )
    text = forms[kind % len(forms)]
    quoted = text.replace('"', '\\"')
    return MadeRule(f"promql {turn}", "promql", f'promql("{quoted}") > 1000000', f"{text} > 1000000")


def _spans(turn: int) -> MadeRule:
    name, kind = service(turn % SERVICES), turn // SERVICES
    forms = (
        f'count(spans "service:{name} status:error") by (http.route) over 5m > 1000000',
        f'rate(spans "service:{name} http.response.status_code >= 500") > 100000',
        f'p95(spans "service:{name} kind:client") > 60s',
        f'count(spans "service:{name} app.tenant.id:tenant-00* duration > 1s") over 5m > 1000000',
    )
    return MadeRule(f"spans {turn}", "spans", forms[kind % len(forms)])


def prometheus_rules(made: Sequence[MadeRule], interval_s: int) -> str:
    """The rules that Prometheus can have, as its file: groups of fifty, evaluated at the interval."""
    own = [rule for rule in made if rule.promql]
    lines = ["groups:"]
    for start in range(0, len(own), 50):
        lines += [f"- name: g{start}", f"  interval: {interval_s}s", "  rules:"]
        for rule in own[start : start + 50]:
            lines += [f"  - alert: {rule.name.replace(' ', '_')}", f"    expr: {rule.promql}"]
    return "\n".join(lines) + "\n"
