"""Filters run over hand-made rows in DuckDB: exactly which rows they find."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_server.query.language import FilterError, compile_filter, format_filter, parse_filter
from spanglass_server.query.language.parsing.ast import And, Compare, Field, Not, Operator, Or, Value
from spanglass_server.signals import Signal

SERVICE = "resource.service.name:str"
ROUTE = "span.http.route:str"
STATUS, OLD_STATUS = "span.http.response.status_code:int", "span.http.status_code:int"

SHOP = {
    "cart": {
        SERVICE: "checkout",
        "name": "POST /cart",
        "duration_ns": 600_000_000,
        STATUS: 503,
        ROUTE: "/cart",
        "kind": 2,
    },
    "health": {
        SERVICE: "checkout",
        "name": "GET /health",
        "duration_ns": 900_000_000,
        STATUS: 500,
        ROUTE: "/health",
        "kind": 2,
    },
    "old": {SERVICE: "checkout", "name": "HTTP POST", "duration_ns": 700_000_000, OLD_STATUS: 502, "kind": 3},
    "slow": {
        SERVICE: "checkout",
        "name": "reserve",
        "duration_ns": 700_000_000,
        "event.exception.type:str": [None, "TimeoutError"],
    },
    "web": {SERVICE: "web", "name": "GET /", "duration_ns": 800_000_000, STATUS: 500, ROUTE: "/"},
}


def test_example_of_the_documentation(found):
    """The filter that the project promises finds what it says: old names, events and missing keys included."""
    text = (
        'service.name = "checkout" and duration > 500ms and '
        '(http.response.status_code >= 500 or exception.type ~ "Time.*") and not http.route = "/health"'
    )

    assert found(text, SHOP) == "cart old slow"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("", "cart health old slow web"),
        ("service:checkout", "cart health old slow"),
        ("service:check*", "cart health old slow"),
        ("service:*out -kind:server", "old slow"),
        ("service in (web, nobody)", "web"),
        ("service not in (web, nobody)", "cart health old slow"),
        ('service = "check*"', ""),
        ("http.route exists", "cart health web"),
        ("http.route not exists", "old slow"),
        ("http.route:*", "cart health web"),
        ("nothing.has.this exists", ""),
        ("nothing.has.this = 1", ""),
        ("nothing.has.this != 1", "cart health old slow web"),
        ("http.route != /health", "cart old slow web"),
        ("http.route != /health http.route exists", "cart web"),
        ("http.route !~ health", "cart old slow web"),
        ("not (service:checkout or http.route:/)", ""),
        ("not (service:checkout and http.route:/cart)", "health old slow web"),
        ("not http.status_code < 502", "cart old slow"),
        ("exception.type:TimeoutError", "slow"),
        ("-exception.type:TimeoutError", "cart health old web"),
        ("event.exception.type exists", "slow"),
        ("span.exception.type exists", ""),
        ("resource.service.name:web", "web"),
        ('resource."service.name":web', "web"),
        ("span.service.name:web", ""),
        ("timeout", "slow"),
        ("TIMEOUT*R", "slow"),
        ('"post"', "cart old"),
        ("post -http", "cart"),
        ("time.*", ""),
    ],
)
def test_spans_found(found, text, labels):
    """Each operator finds its rows; a row without the key matches every negation and nothing else."""
    assert found(text, SHOP) == labels


NUMBERS = {
    "double": {"span.n:double": 500.0},
    "int": {"span.n:int": 500},
    "low": {"span.n:int": 5, "span.n:double": None},
    "nan": {"span.n:double": float("nan")},
    "text": {"span.n:str": "500"},
    "word": {"span.n:str": "many"},
}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("n = 500", "double int text"),
        ('n = "500"', "double int text"),
        ("n in (5, 500)", "double int low text"),
        ("n = 500.0", "double int"),
        ("n > 499.5", "double int text"),
        ("n >= 500", "double int text"),
        ("n < 500", "low"),
        ("n <= 4.5", ""),
        ("n < 5.5", "low"),
        ("n > 5.5", "double int text"),
        ('n > "49"', "double int text"),
        ('n >= "m"', "word"),
        ("n < 1e30", "double int low text"),
        ("n > -1e30", "double int low text"),
        ("n > 1e30", ""),
        ("n = 5*", "double int low text"),
        ('n ~ "^50"', "double int text"),
        ("n != 500", "low nan word"),
        ("n = many", "word"),
    ],
)
def test_one_key_under_several_types(found, text, labels):
    """A key stored as integer, double and text is one field: numbers compare as numbers, and NaN is above none."""
    assert found(text, NUMBERS) == labels


def test_units_on_attributes(found):
    """A duration is in seconds or in the unit that ends the key, a size in bytes."""
    rows = {"a": {"span.wait:double": 1.5, "span.wait_ms:int": 20, "span.body.size:int": 2_000_000}}

    assert found("wait > 1400ms wait < 1600ms", rows) == "a"
    assert found("wait_ms = 20ms", rows) == "a"
    assert found("body.size > 1.9MB body.size < 2MiB", rows) == "a"
    assert found("wait = 1500", rows) == ""


def test_other_types(found):
    """Booleans, arrays and bytes are found by what the API shows of them."""
    rows = {
        "array": {"span.v:json": '["a","b c"]'},
        "bytes": {"span.v:bytes": b"\x00\x01"},
        "cut": {"span.v:json": '["a","b'},
        "map": {"span.v:json": '{"a":1}'},
        "numbers": {"span.v:json": "[5,10]"},
        "true": {"span.v:bool": True},
    }

    assert found("v = a", rows) == "array"
    assert found("v in ('b c', true)", rows) == "array true"
    assert found('v = "{\\"a\\":1}"', rows) == "map"
    assert found("v > 7", rows) == "numbers"
    assert found("v = AAE=", rows) == "bytes"
    assert found('v ~ "b"', rows) == "array cut"
    assert found("v exists", rows) == "array bytes cut map numbers true"


def test_lists_of_events_match_by_any_element(found):
    """Of events and links any may match, whatever the type; an event without the key never does."""
    rows = {
        "arrays": {"event.tags:json": ['["x"]', None]},
        "none": {"event.n:int": [None, None], "link.ok:bool": [False]},
        "three": {"event.n:int": [1, None, 3], "event.s:str": ["a"], "link.ok:bool": [True]},
    }

    assert found("n = 3", rows) == "three"
    assert found("event.n > 2", rows) == "three"
    assert found("n != 3", rows) == "arrays none"
    assert found("n exists", rows) == "three"
    assert found("link.ok = true", rows) == "three"
    assert found("tags = x", rows) == "arrays"
    assert found("event.s:a*", rows) == "three"


TRACE, SPAN = bytes(range(16)), bytes(range(8))
FIXED = {
    "child": {
        "trace_id": TRACE,
        "span_id": SPAN,
        "parent_span_id": SPAN[::-1],
        "kind": 3,
        "status_code": 2,
        "status_message": "card declined",
        "name": "charge",
        "start_time_ns": 1_763_724_000_000_000_000,
        "link_trace_id": [TRACE],
        "event_name": ["exception", "retry"],
        "scope_name": "shop.pay",
        "duration_ns": 5,
    },
    "root": {
        "trace_id": TRACE[::-1],
        "span_id": SPAN[::-1],
        "kind": 2,
        "status_code": 0,
        "name": "charges",
        "duration_ns": 7,
    },
}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("status:error", "child"),
        ("status:ERROR", "child"),
        ("status:unset", "root"),
        ("-status:error", "root"),
        ("status in (ok, error)", "child"),
        ("status.message ~ declined", "child"),
        ('status_message = ""', "root"),
        ("kind:client or kind:server", "child root"),
        ("kind = 2", "root"),
        ("kind exists", "child root"),
        ("name = charge", "child"),
        ("operation:charge*", "child root"),
        ("name >= charges", "root"),
        ("root:true", "root"),
        ("root = false", "child"),
        ("root != true", "child"),
        ("root in (true, false)", "child root"),
        (f"trace_id = {TRACE.hex()}", "child"),
        (f"trace:{TRACE.hex().upper()}", "child"),
        (f"trace.id != {TRACE.hex()}", "root"),
        ("trace:0001*", "child"),
        ("trace:*0001 span_id ~ ^07", ""),
        ("trace ~ ^0f span_id ~ ^07", "root"),
        (f"span_id in ({SPAN.hex()}, {SPAN[::-1].hex()})", "child root"),
        (f"parent_id = {SPAN[::-1].hex()}", "child"),
        ("parent_id not exists", "root"),
        (f"link.trace_id = {TRACE.hex()}", "child"),
        ("link.trace_id:0001*", "child"),
        (f"link.trace_id != {TRACE.hex()}", "root"),
        (TRACE.hex(), "child"),
        (SPAN.hex(), "child"),
        ("event:exception", "child"),
        ("event.name in (retry, stop)", "child"),
        ("event exists", "child"),
        ("scope.name = shop.pay", "child"),
        ("otel.library.name:shop*", "child"),
        ("start_time >= 2025-11-21T11:20:00Z", "child"),
        ("time < 1763724000", ""),
        ("duration >= 5ns duration < 6ns", "child"),
        ("duration != 5ns", "root"),
        ("duration >= 5.5ns", "root"),
        ("duration > 0", "child root"),
        ("duration_ns in (5ns, 9ns)", "child"),
    ],
)
def test_intrinsic_fields_of_spans(found, text, labels):
    """Intrinsic fields are found by their names, with names for numbers, ids in hex, times and durations."""
    assert found(text, FIXED) == labels


def test_quotes_and_positions_name_attributes_that_shadow_intrinsic_fields(found):
    """An attribute called like an intrinsic field is reached in quotes or behind its position."""
    rows = {"a": {"span.duration:str": "short", "span.kind:str": "vip", "duration_ns": 1, "kind": 1}}

    assert found('"duration" = short', rows) == "a"
    assert found("span.kind = vip", rows) == "a"


def test_keys_that_begin_like_a_position(found):
    """``log.file.name`` is the attribute ``file.name`` of a log, and the attribute of that whole name anywhere."""
    rows = {
        "other": {"log.file.path:str": "x"},
        "own": {"log.file.name:str": "x"},
        "whole": {"log.log.file.name:str": "x"},
    }

    assert found("log.file.name = x", rows, Signal.LOGS) == "own whole"
    assert found("link.a = 1", {"a": {"log.link.a:int": 1}}, Signal.LOGS) == "a"


LOGS = {
    "audit": {"severity_number": 0, "body": "login of Ann", "event_name": "user.login"},
    "bug": {"severity_number": 17, "body": "Cart broke", "log.exception.type:str": "KeyError", "trace_id": TRACE},
    "hot": {"severity_number": 14, "body": "queue is long", "log.event.name:str": "queue.lag"},
    "note": {"severity_number": 9, "severity_text": "INFO", "body": "cart saved"},
}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("severity:error", "bug"),
        ("severity >= warn", "bug hot"),
        ("severity > warn", "bug"),
        ("severity < warn", "note"),
        ("severity <= WARNING", "hot note"),
        ("severity:unset", "audit"),
        ("severity != error", "audit hot note"),
        ("severity in (info, error)", "bug note"),
        ("severity:warn2", "hot"),
        ("severity = 17", "bug"),
        ("severity_text:INFO", "note"),
        ("cart", "bug note"),
        ("body ~ cart", "note"),
        ('body ~ "(?i)cart"', "bug note"),
        ('message:"cart saved"', "note"),
        ("keyerror", "bug"),
        ("event_name:user.login", "audit"),
        ("event.name:queue.lag", "hot"),
        ("event exists", "audit hot"),
        (f"trace_id:{TRACE.hex()} cart", "bug"),
        ("exception.type exists", "bug"),
    ],
)
def test_logs_found(found, text, labels):
    """Log records are found by severity (in order, by number), body, event name and attributes."""
    assert found(text, LOGS, Signal.LOGS) == labels


def test_metric_points_found(found):
    """Metric points are found by name, under its old and new name, by value and attributes."""
    rows = {
        "gauge": {"metric_name": "queue.depth", "value_int": 7, "metric_unit": "1", "point.queue:str": "mail"},
        "new": {"metric_name": "http.server.request.duration", "temporality": 2},
        "old": {"metric_name": "http.server.duration", "value_double": 0.5, "is_monotonic": True},
    }

    assert found("metric:http.server.request.duration", rows, Signal.METRICS) == "new old"
    assert found("name = http.server.duration", rows, Signal.METRICS) == "new old"
    assert found("value > 5 queue:mail unit:1", rows, Signal.METRICS) == "gauge"
    assert found("value <= 0.5", rows, Signal.METRICS) == "old"
    assert found("temporality:cumulative", rows, Signal.METRICS) == "new"
    assert found("is_monotonic = true", rows, Signal.METRICS) == "old"


def test_renamed_values(found):
    """A value that the conventions renamed with its key is found by both names."""
    rows = {
        "new": {"span.db.system.name:str": "microsoft.sql_server"},
        "old": {"span.db.system:str": "mssql"},
        "rpc": {"span.rpc.grpc.status_code:int": 14},
    }

    assert found("db.system = mssql", rows) == "new old"
    assert found("db.system.name in (microsoft.sql_server)", rows) == "new old"
    assert found("rpc.status_code = UNAVAILABLE", rows) == "rpc"


OVERFLOWED = {
    "column": {"span.k:str": "v"},
    "event": {
        "overflow_name": ["event.k:str", "span.n:double"],
        "overflow_value": ["v", "5.0"],
        "overflow_index": [1, None],
    },
    "other": {
        "overflow_name": ["span.n:double", "span.j:str"],
        "overflow_value": ["7.5", "v"],
        "overflow_index": [None, None],
    },
}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("k = v", "column event"),
        ("k != v", "other"),
        ("event.k = v", "event"),
        ("span.k exists", "column"),
        ("k exists", "column event"),
        ("n = 5", "event"),
        ("n > 6", "other"),
        ("k ~ v", "column event"),
        ("V", "column event other"),
        ("absent = v", ""),
    ],
)
def test_overflowed_attributes_are_found(found, text, labels):
    """Attributes past the limit of columns are found by name, position and value, as text and as number."""
    assert found(text, OVERFLOWED) == labels


@pytest.mark.parametrize(
    ("text", "signal", "column", "message"),
    [
        ("status > error", "spans", 8, "> does not work with status, which is one of unset, ok, error"),
        (
            "kind !~ s",
            "spans",
            6,
            "!~ does not work with kind, which is one of unspecified, internal, server, client, producer, consumer",
        ),
        ("duration ~ 5", "spans", 10, "~ does not work with duration, which is a duration"),
        ("trace_id < 5", "spans", 10, "< does not work with trace_id, which is an id in hex"),
        ("a status:500", "spans", 10, "status is never '500'"),
        ("kind in (server, foo)", "spans", 18, "kind is never 'foo'"),
        ("duration > 5", "spans", 12, "duration is a duration: 5 needs a unit of time"),
        ("duration:5MB", "spans", 10, "duration is a duration: 5MB needs a unit of time"),
        ("duration = fast", "spans", 12, "'fast' is not a number"),
        ("duration = 5xs", "spans", 12, "unknown unit 'xs'"),
        ("trace_id:abc", "spans", 10, "trace_id is 32 hex digits, not 'abc'"),
        ("root = maybe", "spans", 8, "root is never 'maybe'"),
        ("time > now-5m", "spans", 8, "'now-5m' is not a time"),
        ("flags = 5ms", "spans", 9, "flags is a number, not a duration"),
        ('name ~ "("', "spans", 8, "not a regular expression: missing ): ("),
        ('x !~ "(?=a)"', "spans", 6, "not a regular expression: invalid perl operator: (?="),
        ("severity >= loud", "logs", 13, "severity is never 'loud'"),
        ('event."a b" = 1', "logs", 1, "logs have no attributes in position 'event'"),
        ("value > 5s", "metrics", 9, "value is a number, not a duration"),
    ],
)
def test_values_that_do_not_suit_a_field(text, signal, column, message):
    """A wrong operator or value for an intrinsic field is an error at its column, which says what there is."""
    with pytest.raises(FilterError) as caught:
        compile_filter(parse_filter(text), Signal(signal), set())

    assert (caught.value.column, caught.value.message) == (column, message)
    assert caught.value.expected


def test_comparisons_leave_columns_bare():
    """Equality and order on native columns are plain ``column op ?``, which DuckDB pushes into Parquet."""
    compiled = compile_filter(
        parse_filter(
            f"service:checkout status:error http.response.status_code >= 499.5 trace_id = {TRACE.hex()} n < 7"
        ),
        Signal.SPANS,
        [SERVICE, STATUS, "span.n:double"],
    )

    assert compiled.sql == (
        '("resource.service.name:str" = ?) AND ("status_code" = ?) AND ("span.http.response.status_code:int" > ?)'
        ' AND ("trace_id" = ?) AND ("span.n:double" < ?)'
    )
    assert compiled.parameters == ["checkout", 2, 499, TRACE, 7.0]
    assert compiled.columns == {SERVICE, "status_code", STATUS, "trace_id", "span.n:double"}


EXCEPTION = "event.exception.type:str"
COUNTS = {SERVICE: 1000, ROUTE: 500, EXCEPTION: 10, STATUS: 400, OLD_STATUS: 20}


@pytest.mark.parametrize(
    ("text", "require"),
    [
        ("http.route = /", {ROUTE}),
        ("service:a http.route:/ exception.type exists", {"event.exception.type:str"}),
        ("http.status_code > 1", {STATUS, OLD_STATUS}),
        ("http.route:/ or service:a", {ROUTE, SERVICE}),
        ("http.route:/ or name:a", set()),
        ("http.route != /", set()),
        ("not (http.route:/ service:a)", set()),
        ("nothing = 1 or http.route:/", {ROUTE}),
        ("nothing = 1", set()),
        ("free", set()),
    ],
)
def test_required_columns(text, require):
    """``require`` holds columns of which one must be there, the rarest choice; nothing where any row may match."""
    assert compile_filter(parse_filter(text), Signal.SPANS, COUNTS).require == require


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("http.route = /a", [{(ROUTE, "/a")}]),
        ("service in (a, b) http.route = /a duration > 1s", [{(SERVICE, "a"), (SERVICE, "b")}, {(ROUTE, "/a")}]),
        ("http.status_code = 503", [{(STATUS, 503), (OLD_STATUS, 503)}]),
        ("exception.type = T or (http.route = /a and service = a)", [{(EXCEPTION, "T"), (ROUTE, "/a")}]),
        ("http.route = /a or name = x", []),
        ("http.route = /* or http.route != /a", []),
        ("not http.route = /a", []),
        ("service = unknown_service", []),  # one without a name may be meant
        ("http.status_code > 500", []),
    ],
)
def test_values_that_rows_must_have(text, values):
    """``values`` are what equalities ask for, one set a condition; nothing where a row without them may match."""
    assert list(compile_filter(parse_filter(text), Signal.SPANS, COUNTS).values) == values


def test_values_are_not_asked_for_where_the_overflow_may_have_them():
    """A row may have the key in its overflow lists, which no filter of values knows."""
    assert compile_filter(parse_filter("http.route:/"), Signal.SPANS, {ROUTE, "overflow_name"}).values == ()


def test_overflow_is_among_the_required_columns():
    """A row may have the key in its overflow lists instead of its column."""
    compiled = compile_filter(parse_filter("http.route:/"), Signal.SPANS, {ROUTE, "overflow_name"})

    assert compiled.require == {ROUTE, "overflow_name"}
    assert compiled.columns == {ROUTE, "overflow_name", "overflow_value"}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (f"trace_id = {TRACE.hex()} a", {TRACE}),
        (f"trace in ({TRACE.hex()}, {TRACE[::-1].hex()})", {TRACE, TRACE[::-1]}),
        (f"trace:{TRACE.hex()} or trace:{TRACE[::-1].hex()}", {TRACE, TRACE[::-1]}),
        (f"trace:{TRACE.hex()} or a", set()),
        (f"trace != {TRACE.hex()}", set()),
        ("trace:0001*", set()),
        (f"span_id = {SPAN.hex()}", set()),
    ],
)
def test_pinned_traces(text, ids):
    """``trace_ids`` holds the traces that a filter is about, if every match must be in one of them."""
    assert compile_filter(parse_filter(text), Signal.SPANS, set()).trace_ids == ids


def test_hostile_names_stay_names(found):
    """Quotes and SQL in keys and values are only keys and values."""
    rows = {"a": {'span.k" ^o^r 1=1 --:str': "x' OR '1'='1", "overflow_name": None}, "b": {"span.z:str": "z"}}

    assert found("""'k" OR 1=1 --' = "x' OR '1'='1" """, rows) == "a"
    assert found("""'k" OR 1=1 --' exists""", rows) == "a"


values = st.sampled_from([Value("1"), Value("2"), Value("a"), Value("a*")])
comparisons = st.builds(
    Compare, st.sampled_from([Field("x"), Field("y")]), st.sampled_from([Operator.EQUAL, Operator.NOT_EQUAL]), values
)


def _joined(children):
    terms = st.lists(children, min_size=2, max_size=3).map(tuple)
    return st.builds(And, terms) | st.builds(Or, terms) | st.builds(Not, children)


ROWS = {
    f"{x}{y}".lower(): {"span.x:str": x, "span.y:int": y if isinstance(y, int) else None}
    for x in (None, "1", "ab")
    for y in (None, 1, 2)
}


def _holds(tree, row):
    match tree:
        case And(terms):
            return all(_holds(term, row) for term in terms)
        case Or(terms):
            return any(_holds(term, row) for term in terms)
        case Not(term):
            return not _holds(term, row)
    stored = row["span.x:str"] if tree.field.name == "x" else row["span.y:int"]
    wanted = tree.value.text
    equal = stored is not None and (str(stored).startswith("a") if wanted == "a*" else str(stored) == wanted)
    return equal == (tree.operator is Operator.EQUAL)


@settings(deadline=None)
@given(st.recursive(comparisons, _joined, max_leaves=8))
def test_logic_has_two_states(found, tree):
    """However conditions nest, SQL finds the rows that plain true-and-false logic finds, nulls included."""
    expected = " ".join(sorted(label for label, row in ROWS.items() if _holds(tree, row)))

    assert found(format_filter(tree), ROWS) == expected


def test_any_characters_in_values(found):
    """Control characters, zero bytes and letters of any script reach DuckDB as they are."""
    rows = {"nul": {"span.k:str": "a\x00b"}, "script": {"span.k:str": "Ünï\n☃"}}

    assert found('k = "a\x00b"', rows) == "nul"
    assert found('k ~ "\x00"', rows) == "nul"
    assert found('"ünï"', rows) == "script"
    assert found("k:*☃", rows) == "script"


def test_only_the_star_is_special_in_wildcards(found):
    """Percent signs, underscores and backslashes in a pattern of stars stand for themselves."""
    rows = {"same": {"span.k:str": "50%_\\a-b"}, "wrong": {"span.k:str": "50xx\\a-b"}}

    assert found("k:5*%_\\a*b", rows) == "same"
    assert found("50*%_\\a", rows) == "same"
