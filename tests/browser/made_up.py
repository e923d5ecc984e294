"""Made-up telemetry in the shapes of docs/api.md: a shop, and the extremes that pages must bear."""

# ruff: noqa: S311, E501 - made-up data needs no secrets, and reads best as a table
from __future__ import annotations

import random
from datetime import UTC, datetime

from spanglass_core.traces.trace_nodes import Span
from spanglass_core.traces.trace_tree import build_tree
from spanglass_server.query.one_trace.failures import Place, where_it_began
from spanglass_server.query.one_trace.reasons import reason

NOW_NS = 1_763_726_400 * 1_000_000_000 + 123_456_789
HOUR_NS = 3_600_000_000_000
MS = 1_000_000

SERVICES = ("storefront", "checkout", "payments", "cart", "inventory", "catalog", "mailer", "recommend")
SLOTS = {
    "storefront": 2,
    "checkout": 0,
    "payments": 5,
    "cart": 3,
    "inventory": 4,
    "catalog": 9,
    "mailer": 8,
    "recommend": 7,
}
HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=2</script>"\'&{{7*7}}${7*7}\u202e\u0000'
HOSTILE_LINK = "javascript:window.pwned=3"

STACK = """Traceback (most recent call last):
  File "/usr/lib/python3.12/site-packages/starlette/routing.py", line 76, in app
    response = await f(request)
  File "/usr/lib/python3.12/site-packages/fastapi/routing.py", line 301, in app
    raw_response = await run_endpoint_function(
  File "/app/shop/checkout/orders.py", line 142, in place_order
    total = pricing.total_for(cart)
  File "/app/shop/checkout/pricing.py", line 89, in convert
    raise CurrencyNotPriced(to, rates.name) from None
shop.checkout.pricing.CurrencyNotPriced: no rate for 'NOK' in price list 2026-10
"""


def rfc(time_ns):
    """RFC 3339 in UTC with nanoseconds."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def span(number, parent, depth, service, name, offset_ms, duration_ms, **more):
    """One span of a trace as the API returns it."""
    base = {
        "span_id": f"{number:016x}", "parent_span_id": parent, "depth": depth, "service": service, "name": name,
        "kind": "internal", "offset_ns": int(offset_ms * MS), "duration_ns": int(duration_ms * MS), "self_time_ns": 0,
        "skew_ns": 0, "status": "unset", "status_message": "", "orphan": False, "children": 0, "attributes": {},
        "resource": {"service.name": service, "service.version": "2.14.0", "host.name": "shop-2", "telemetry.sdk.language": "python"},
        "scope": {"name": "opentelemetry.instrumentation.fastapi", "version": "0.60b0", "attributes": {}},
        "events": [], "links": [], "trace_state": "", "flags": 257, "dropped": {"attributes": 0, "events": 0, "links": 0},
        "state": "ended", "last_heard_time": None, "start_unknown": False, "awaited": True, "critical": [],
    }  # fmt: skip
    made = {**base, **more}
    return {"key": made["span_id"], "parent_key": made["parent_span_id"], **made}


def _in_tree(one):
    parent = one["parent_span_id"]
    own_id, parent_id = bytes.fromhex(one["span_id"]), bytes.fromhex(parent) if parent else None
    return Span(own_id, parent_id, "one clock", one["offset_ns"], one["duration_ns"], one["service"], one["kind"])


def as_trace(trace_id, spans, start_ns=NOW_NS - 360_000 * MS, warnings=()):
    """Return a whole trace: children counted, self times and critical path worked out, services summed."""
    kids = {}
    for one in spans:
        kids.setdefault(one["parent_span_id"], []).append(one)
    for one in spans:
        children = kids.get(one["span_id"], [])
        busy, at = 0, one["offset_ns"]
        for child in sorted(children, key=lambda child: child["offset_ns"]):
            end = min(child["offset_ns"] + child["duration_ns"], one["offset_ns"] + one["duration_ns"])
            busy += max(0, end - max(at, child["offset_ns"]))
            at = max(at, end)
        one["children"] = len(children)
        one["self_time_ns"] = max(0, one["duration_ns"] - busy)
        one["start_time"] = rfc(start_ns + one["offset_ns"])
    for node in build_tree(_in_tree(one) for one in spans).nodes:
        spans[node.index]["critical"] = [[start, end - start] for start, end in node.critical]
    for one in spans:
        one["reason"] = reason(one) if one["status"] == "error" else None
    places = [
        Place(one["key"], one["parent_key"], one["depth"], one["offset_ns"], one["kind"], one["status"])
        for one in spans
    ]
    began = where_it_began(places, spans.__getitem__)
    told = {} if began is None else {name: spans[began][name] for name in ("key", "service", "name", "reason")}
    failure = {**told, "peer": None} if told else None
    services = {}
    for one in spans:
        row = services.setdefault(
            one["service"],
            {
                "service": one["service"],
                "slot": SLOTS.get(one["service"], 1),
                "spans": 0,
                "errors": 0,
                "self_time_ns": 0,
            },
        )
        row["spans"] += 1
        row["errors"] += one["status"] == "error"
        row["self_time_ns"] += one["self_time_ns"]
    return {
        "trace_id": trace_id, "start_time": rfc(start_ns), "duration_ns": max(one["offset_ns"] + one["duration_ns"] for one in spans),
        "span_count": len(spans), "error_count": sum(one["status"] == "error" for one in spans), "duplicate_spans": 0,
        "running_count": sum(one["state"] == "running" for one in spans), "lost_count": sum(one["state"] == "lost" for one in spans),
        "services": list(services.values()), "warnings": list(warnings), "failure": failure, "spans": spans,
    }  # fmt: skip


def checkout_trace(trace_id):
    """Return a slow, failing checkout: an N+1 query and an exception."""
    rows = [
        (None, 0, "storefront", "POST /checkout", 0, 1940, "server", "error"),
        (1, 1, "storefront", "SessionMiddleware", 2, 8, "internal", ""),
        (2, 2, "storefront", "GET session:*", 4, 3, "client", ""),
        (1, 1, "storefront", "POST checkout /orders", 16, 1906, "client", "error"),
        (4, 2, "checkout", "POST /orders", 22, 1894, "server", "error"),
        (5, 3, "checkout", "auth.current_user", 24, 10, "internal", ""),
        (5, 3, "checkout", "GET cart /cart/{id}", 36, 40, "client", ""),
        (7, 4, "cart", "GET /cart/{id}", 41, 30, "server", ""),
        (8, 5, "cart", "SELECT cart_item", 45, 16, "client", ""),
        (5, 3, "checkout", "orders.reserve", 78, 96, "internal", ""),
        (10, 4, "inventory", "Inventory/Reserve", 86, 80, "server", ""),
        (11, 5, "inventory", "SELECT stock FOR UPDATE", 90, 34, "client", ""),
        (11, 5, "inventory", "UPDATE stock", 126, 28, "client", ""),
        (5, 3, "checkout", "pricing.total_for", 176, 1250, "internal", "error"),
    ]
    rows += [(14, 4, "checkout", "SELECT price WHERE sku = ?", 184 + i * 67, 65, "client", "") for i in range(18)]
    rows += [
        (14, 4, "checkout", "pricing.convert", 1400, 5.1, "internal", "error"),
        (5, 3, "checkout", "POST payments /charge", 1430, 318, "client", ""),
        (34, 4, "payments", "POST /charge", 1436, 300, "server", ""),
        (35, 5, "payments", "POST cards.example", 1440, 288, "client", ""),
        (5, 3, "checkout", "ROLLBACK", 1760, 9, "client", ""),
        (1, 1, "storefront", "render error.html", 1925, 12, "internal", ""),
    ]
    spans = []
    for i, (parent, depth, service, name, offset, duration, kind, status) in enumerate(rows, 1):
        more = {"kind": kind, "status": status or "unset"}
        if kind == "server":
            more["attributes"] = {
                "http.request.method": "POST",
                "http.route": "/orders",
                "http.response.status_code": 500 if status else 200,
                "url.full": "https://shop.example/orders?cart=c_90311",
            }
        if name.startswith("SELECT"):
            more["attributes"] = {"db.system.name": "postgresql", "db.query.text": name, "db.namespace": "shop"}
        if name == "pricing.convert":
            more["status_message"] = "CurrencyNotPriced: no rate for 'NOK'"
            more["attributes"] = {
                "code.function.name": "shop.checkout.pricing.convert",
                "shop.currency": "NOK",
                "shop.price_list": "2026-10",
                "shop.cart.items": 18,
                "big": "9223372036854775807",
            }
            more["events"] = [
                {
                    "time": rfc(NOW_NS),
                    "offset_ns": 4 * MS,
                    "name": "exception",
                    "attributes": {
                        "exception.type": "CurrencyNotPriced",
                        "exception.message": "no rate for 'NOK' in price list 2026-10",
                        "exception.stacktrace": STACK,
                    },
                }
            ]
            more["links"] = [{"trace_id": "b" * 32, "span_id": "c" * 16, "attributes": {"why": "retry"}}]
        spans.append(span(i, f"{parent:016x}" if parent else None, depth, service, name, offset, duration, **more))
    return as_trace(trace_id, spans)


def open_trace(trace_id, *, lost_root=False):
    """Return a checkout that runs for 14 s: one call has ended, one goes on, one was lost with its process."""
    heard = rfc(NOW_NS - 1_000 * MS)
    spans = [
        span(1, None, 0, "storefront", "POST /checkout", 0, 14_200, kind="server", state="lost" if lost_root else "running", last_heard_time=heard),
        span(2, f"{1:016x}", 1, "storefront", "SessionMiddleware", 3, 900),
        span(3, f"{1:016x}", 1, "checkout", "POST /orders", 1_100, 13_100, kind="server", state="running", last_heard_time=heard,
             attributes={"http.request.method": "POST", "http.route": "/orders"}),
        span(4, f"{3:016x}", 2, "payments", "charge card", 1_900, 2_400, kind="client", state="lost",
             last_heard_time=rfc(NOW_NS - 41_000 * MS)),
        span(5, f"{3:016x}", 2, "checkout", "SELECT stock FOR UPDATE", 4_700, 9_500, kind="client", state="running", last_heard_time=heard),
    ]  # fmt: skip
    return as_trace(trace_id, spans, start_ns=NOW_NS - 14_200 * MS)


def open_spans(trace_id, service=""):
    """Return the open spans of that trace and of some others, two of which were lost."""
    names = (
        "GET /export",
        "mailer.send_all",
        "GET /report/{id}",
        "recommend.train",
        "GET /search",
        "GET /export",
        "nightly",
    )
    own = (
        "trace_id",
        "span_id",
        "parent_span_id",
        "service",
        "name",
        "kind",
        "status",
        "state",
        "start_time",
        "duration_ns",
        "last_heard_time",
    )
    found = [{**one, "trace_id": trace_id} for one in open_trace(trace_id)["spans"] if one["state"] != "ended"]
    for i, name in enumerate(names):
        ago = (3 + i * i * 40) * 1_000 * MS
        more = {
            "state": "lost" if i > 4 else "running",
            "start_time": rfc(NOW_NS - ago),
            "last_heard_time": rfc(NOW_NS - (i > 4) * 55_000 * MS),
        }
        found.append(
            {**span(900 + i, None, 0, SERVICES[i], name, 0, ago / MS), "trace_id": f"{0xABC + i:032x}", **more}
        )
    shown = [
        {**{key: one[key] for key in own}, "slot": SLOTS[one["service"]]}
        for one in found
        if service in ("", one["service"])
    ]
    shown.sort(key=lambda one: one["state"] != "running")
    states = [one["state"] for one in shown]
    return {"running": states.count("running"), "lost": states.count("lost"), "spans": shown}


def wide_trace(trace_id, count):
    """Return a trace of ``count`` spans: batches of lookups under steps of one job."""
    draw = random.Random(7)
    spans = [span(1, None, 0, "mailer", "newsletter.send", 0, count * 2, kind="consumer")]
    batch = None
    for i in range(2, count + 1):
        at = (i - 2) * 2
        if (i - 2) % 100 == 0:
            batch = f"{i:016x}"
            spans.append(span(i, f"{1:016x}", 1, "mailer", f"batch {i // 100}", at, 198))
        else:
            failing = draw.random() < 0.004
            spans.append(
                span(
                    i,
                    batch,
                    2,
                    draw.choice(("catalog", "recommend", "cart")),
                    f"GET /p/{draw.randrange(40)}",
                    at,
                    draw.uniform(0.2, 1.9),
                    kind="client",
                    status="error" if failing else "unset",
                )
            )
    return as_trace(trace_id, spans, warnings=("orphans",))


STATEMENT = (
    "SELECT p.sku, p.name, count(o.id) AS sold FROM product AS p LEFT JOIN order_line o ON o.sku = p.sku AND o.at > $1 "
    "WHERE p.active AND p.sku IN (SELECT sku FROM stock WHERE amount > 0) GROUP BY p.sku, p.name ORDER BY sold DESC LIMIT 20"
)


def talking_trace(trace_id):
    """Return a trace of an assistant: a call of a language model, a query, a message that is sent."""
    asked = '[{"role": "system", "parts": [{"type": "text", "content": "Answer briefly."}]}, {"role": "user", "parts": [{"type": "text", "content": "What sells best?"}]}]'
    answered = '[{"role": "assistant", "parts": [{"type": "text", "content": "Tea, by far."}]}]'
    chat = {"gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5", "gen_ai.response.model": "gpt-5-2026",
            "gen_ai.usage.input_tokens": 1204, "gen_ai.usage.output_tokens": 96, "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.input.messages": asked, "gen_ai.output.messages": answered}  # fmt: skip
    query = {
        "db.system.name": "postgresql",
        "db.namespace": "shop",
        "db.query.text": STATEMENT,
        "db.response.returned_rows": 20,
    }
    sent = {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.destination.name": "answers",
        "messaging.message.id": "m-17",
    }
    root = f"{1:016x}"
    return as_trace(trace_id, [
        span(1, None, 0, "recommend", "POST /ask", 0, 2_100, kind="server"),
        span(2, root, 1, "recommend", "SELECT product", 4, 38, kind="client", attributes=query),
        span(3, root, 1, "recommend", "chat gpt-5", 45, 2_010, kind="client", attributes=chat),
        span(4, root, 1, "recommend", "send answers", 2_060, 12, kind="producer", attributes=sent, links=[{"trace_id": "b" * 32, "span_id": "c" * 16, "attributes": {"why": "batch"}}]),
    ])  # fmt: skip


def linking_spans(trace_id):
    """Return a span of another trace that links to the message that was sent."""
    link = {"trace_id": trace_id, "span_id": f"{4:016x}", "attributes": {}}
    other = span(77, None, 0, "mailer", "process answers", 0, 31, kind="consumer", links=[link])
    return [{**other, "trace_id": "e" * 32, "slot": SLOTS["mailer"], "start_time": rfc(NOW_NS)}]


def hostile_trace(trace_id):
    """Return a trace in which every text that telemetry can set is hostile."""
    attributes = {
        HOSTILE: HOSTILE,
        "url.full": HOSTILE_LINK,
        "url.safe": "https://shop.example/",
        "data": {"$bytes": "AAEC"},
        "long": "x" * 5000,
        "db.query.text": f"SELECT {HOSTILE}",
        "messaging.system": HOSTILE,
        "messaging.destination.name": HOSTILE,
        "gen_ai.provider.name": HOSTILE,
        "gen_ai.input.messages": HOSTILE,
    }
    event = {
        "time": rfc(NOW_NS),
        "offset_ns": 1 * MS,
        "name": "exception",
        "attributes": {
            "exception.type": HOSTILE,
            "exception.message": HOSTILE,
            "exception.stacktrace": HOSTILE + STACK,
        },
    }
    one = span(
        1,
        None,
        0,
        HOSTILE,
        HOSTILE,
        0,
        5,
        status="error",
        status_message=HOSTILE,
        attributes=attributes,
        resource={"service.name": HOSTILE, HOSTILE: 1},
        events=[event, {**event, "name": HOSTILE}],
        links=[{"trace_id": "b" * 32, "span_id": "c" * 16, "attributes": attributes}],
    )
    return as_trace(trace_id, [one, span(2, f"{1:016x}", 1, HOSTILE, HOSTILE, 1, 2, attributes=attributes)])


TREE = ("key", "depth", "offset_ns", "duration_ns", "self_time_ns")
CODED = ("name", "service", "kind", "status", "query", "target")
USUAL = {"children": 0, "critical": [], "awaited": True, "orphan": False, "skew_ns": 0, "start_unknown": False,
         "state": "ended", "last_heard_time": None, "status_message": "", "events": []}  # fmt: skip
TOLD = ("exception.type", "exception.message", "spanglass.exception.occurrence_id", "spanglass.exception.handled")
EMPTIED = ("exception.stacktrace", "spanglass.exception.chain")


def in_columns(trace):
    """Return a trace as ``format=columns`` does."""
    spans = [{**one, "query": str(one["attributes"].get("db.query.text", "")), "target": TARGETS.get(one["name"], ""),
              "events": [brief_event(event) for event in one["events"]]} for one in trace["spans"]]  # fmt: skip
    columns = {name: [one[name] for one in spans] for name in TREE}
    for name in CODED:
        values = list(dict.fromkeys(one[name] for one in spans))
        columns[name] = {"values": values, "at": [values.index(one[name]) for one in spans]}
    for name, usual in USUAL.items():
        rows = [row for row, one in enumerate(spans) if one[name] != usual]
        columns[name] = {"else": usual, "rows": rows, "values": [spans[row][name] for row in rows]}
    found = {}
    for row, one in enumerate(trace["spans"]):
        for key, value in one["attributes"].items():
            found.setdefault(key, {}).setdefault(str(value), []).append(row)
    attributes = [{"key": key, "values": list(values),
                   "rows": [[row - before for before, row in zip([0, *rows], rows, strict=False)] for rows in values.values()]}
                  for key, values in found.items()]  # fmt: skip
    head = {name: value for name, value in trace.items() if name != "spans"}
    return {**head, "columns": columns, "attributes": attributes}


def in_waterfall(answer, *, indexed):
    """Return a trace in columns as ``format=waterfall`` does."""
    columns, whole = answer["columns"], []
    critical = {"else": [], "rows": [], "values": []}
    for row, parts in zip(columns["critical"]["rows"], columns["critical"]["values"], strict=True):
        if parts == [[columns["offset_ns"][row], columns["duration_ns"][row]]]:
            whole.append(row)
        else:
            critical["rows"].append(row)
            critical["values"].append(parts)
    distances = [row - before for before, row in zip([0, *whole], whole, strict=False)]
    drawn = {**columns, "critical": critical, "critical_whole": distances}
    return {**answer, "columns": drawn, "attributes": answer["attributes"] if indexed else None}


#: What calls go to, by their names.
TARGETS = {"POST cards.example": "/v1/charges", "SELECT stock FOR UPDATE": "stock_item"}


def brief_event(event):
    """Return what a waterfall has of an event."""
    attributes = {key: event["attributes"][key] for key in TOLD if key in event["attributes"]}
    attributes |= {key: "" for key in EMPTIED if key in event["attributes"]}
    return {"offset_ns": event["offset_ns"], "name": event["name"], "attributes": attributes}


def summary(trace):
    """Return a trace as the search lists it."""
    root = trace["spans"][0]
    return {
        "trace_id": trace["trace_id"], "root_service": root["service"], "root_operation": root["name"], "root_missing": False,
        "start_time": trace["start_time"], "duration_ns": trace["duration_ns"], "span_count": trace["span_count"],
        "error_count": trace["error_count"], "matched_spans": 2,
        "services": [{key: row[key] for key in ("service", "slot", "spans", "errors")} for row in trace["services"]],
    }  # fmt: skip


def log(number, time_ns, service, severity, body, **more):
    """One log record as the API returns it."""
    numbers = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21, "unset": 0}
    base = {
        "id": f"log-{number}", "time": rfc(time_ns), "observed_time": rfc(time_ns + 1000), "severity": severity,
        "severity_number": numbers[severity], "severity_text": severity.upper(), "service": service, "slot": SLOTS.get(service, 1),
        "body": body, "event_name": "", "trace_id": None, "span_id": None, "attributes": {},
        "resource": {"service.name": service, "host.name": "shop-2"}, "scope": {"name": f"shop.{service}"},
    }  # fmt: skip
    return {**base, **more}


LINES = (
    ("checkout", "error", "order o_88213 undone: CurrencyNotPriced", {"order": "o_88213", "currency": "NOK"}),
    ("checkout", "warn", "rate table 2026-10 has no NOK", {"price_list": "2026-10"}),
    ("payments", "info", "charge ch_55120 voided", {"amount": 2682.0, "currency": "NOK"}),
    ("inventory", "info", "released 18 lines of o_88213", {"warehouse": "malmo-2"}),
    ("storefront", "info", "POST /checkout 200", {"ms": 231, "user": "u_11873"}),
    ("cart", "info", "cart c_90311 merged", {"items": 4}),
    ("catalog", "debug", "cache hit /search?q=lamp", {"age": "12s"}),
    ("mailer", "info", "receipt sent", {"order": "o_88209", "smtp_ms": 188}),
)
