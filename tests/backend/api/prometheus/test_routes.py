"""Prometheus' API over HTTP: forms, answers, errors, over series held in memory."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest

from spanglass_server.api.errors import ApiError
from spanglass_server.api.prometheus.describing import described_paths
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.notation import read_series
from spanglass_server.store.ports import QueryError, QueryMemoryError, QueryTimeoutError


class Series(SeriesInMemory):
    """Series in memory, with what storage knows besides."""

    def metadata(self, start_ms, end_ms):
        """Two metrics, one of two kinds, and one of which nothing is known."""
        assert start_ms < end_ms
        entry = {"type": "gauge", "help": "", "unit": ""}
        unknown = {**entry, "type": "unknown"}
        return {"requests_total": [{**entry, "type": "counter"}, entry, unknown], "odd": [unknown], "up": [entry]}

    def exemplars(self, selectors):
        """An exemplar for each selector."""
        return [{"seriesLabels": {"asked": selector.matchers[0].value}, "exemplars": []} for selector in selectors]


#: A sample a minute from the beginning of 1970 on.
SERIES = Series(
    read_series(
        [
            ('requests_total{job="web",instance="a"}', "0+60x10"),
            ('requests_total{job="web",instance="b"}', "0+120x10"),
            ('up{job="web"}', "1x10"),
            ('{"http.route"="/",job="web",__name__="odd"}', "7x10"),
        ],
        60_000,
    )
)


@pytest.fixture(scope="module")
def api(serve_prometheus):
    """Serve the series above."""
    return serve_prometheus(SERIES)


def data(answer):
    """Return the data of an answer that is a success."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["status"] == "success"
    return body["data"]


def failure(answer):
    """Return what an answer says that is an error."""
    body = answer.json()
    assert body["status"] == "error"
    return answer.status_code, body["errorType"], body["error"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_instant(api, method):
    """An instant query is taken from the address or from a form."""
    texts = {"query": "sum by (job) (rate(requests_total[5m]))", "time": "600", "unknown": "1", "limit": ""}
    asked = {"params": texts} if method == "GET" else {"data": texts}

    found = data(api.request(method, "/query", **asked))

    assert found == {"resultType": "vector", "result": [{"metric": {"job": "web"}, "value": [600, "3"]}]}


def test_fields_of_the_body_come_first(api):
    """A parameter that stands in both places has the value of the body, as with Prometheus."""
    found = data(api.post("/query", params={"query": "1", "time": "7"}, data={"query": "2"}))

    assert found == {"resultType": "scalar", "result": [7, "2"]}


def test_now_is_the_clocks(api):
    """Without a time the expression is evaluated now."""
    assert data(api.get("/query", params={"query": "time()"})) == {"resultType": "scalar", "result": [2000, "2000"]}


def test_range(api):
    """A range query has a value for each step."""
    texts = {"query": "up + 0", "start": "0", "end": "1970-01-01T00:02:00Z", "step": "1m"}

    assert data(api.get("/query_range", params=texts)) == {
        "resultType": "matrix",
        "result": [{"metric": {"job": "web"}, "values": [[0, "1"], [60, "1"], [120, "1"]]}],
    }


def test_lookback(api):
    """How old a sample may be can be said."""
    asked = {"query": "up", "time": "840"}

    assert data(api.get("/query", params=asked))["result"] != []
    assert data(api.get("/query", params={**asked, "lookback_delta": "3m"}))["result"] == []


def test_notes_stand_beside_the_data(api):
    """What there is to tell of a result is told as warnings and infos."""
    cut = api.get("/query", params={"query": "requests_total", "time": "60", "limit": "1"}).json()
    info = api.get("/query", params={"query": "rate(up[5m])", "time": "300"}).json()

    assert (len(cut["data"]["result"]), cut["warnings"]) == (1, ["results truncated due to limit"])
    assert [note.startswith("PromQL info: metric might not be a counter") for note in info["infos"]] == [True]


def test_stats(api):
    """Asked for, the time it took is told."""
    found = data(api.get("/query", params={"query": "up", "time": "60", "stats": "all"}))

    assert found["stats"]["timings"]["execTotalTime"] > 0


@pytest.mark.parametrize(
    ("path", "texts", "message"),
    [
        ("/query", {}, "parse error: no expression found in input"),
        ("/query", {"query": "up", "time": "x"}, 'invalid parameter "time": cannot parse "x" to a valid timestamp'),
        (
            "/query",
            {"query": "up", "timeout": "x"},
            'invalid parameter "timeout": cannot parse "x" to a valid duration',
        ),
        ("/query", {"query": "up", "timeout": "-1"}, 'invalid parameter "timeout": timeout must be positive, got -1s'),
        ("/query", {"query": "up", "time": "1e300"}, 'invalid parameter "time": cannot parse "1e300" to a valid'),
        ("/query", {"query": "up", "lookback_delta": "0"}, 'invalid parameter "lookback_delta": it must be longer'),
        ("/query", {"query": "sum("}, 'invalid parameter "query": 1:5: parse error: '),
        ("/query_range", {"query": "up", "start": "0", "end": "1", "step": "0"}, 'invalid parameter "step": zero or'),
        ("/query_range", {"query": "'x'", "start": "0", "end": "1", "step": "1"}, 'invalid expression type "string"'),
        ("/format_query", {"query": "up up"}, "parse error"),
        ("/series", {}, "no match[] parameter provided"),
        ("/series", {"match[]": "sum(up)"}, 'invalid parameter "match[]": '),
        ("/labels", {"match[]": "up offset 1m"}, 'invalid parameter "match[]": '),
        ("/labels", {"start": "2", "end": "1"}, 'invalid parameter "end": end timestamp must not be before start time'),
    ],
)
def test_bad_data(api, path, texts, message):
    """What can't be read is a 400 with the parameter or the place in the expression."""
    status, kind, said = failure(api.get(path, params=texts))

    assert (status, kind) == (400, "bad_data")
    assert message in said


def test_execution(api):
    """What can't be evaluated is a 422."""
    status, kind, said = failure(api.get("/query", params={"query": "up + on (job) requests_total", "time": "60"}))

    assert (status, kind) == (422, "execution")
    assert "many-to-one" in said or "duplicate series" in said


class Failing:
    """An engine whose queries fail."""

    def __init__(self, error):
        self.error, self.deadline_s = error, None

    async def run(self, _, *, deadline_s):
        """Fail."""
        self.deadline_s = deadline_s
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (QueryTimeoutError("stopped"), 503, "timeout"),
        (QueryMemoryError("too large"), 422, "execution"),
        (QueryError("a file is gone"), 503, "unavailable"),
    ],
)
def test_failures_of_the_engine(serve_prometheus, error, status, kind):
    """Limits and failures below have Prometheus' types and statuses."""
    api = serve_prometheus(SERIES, engine=Failing(error))

    assert failure(api.get("/query", params={"query": "up"}))[:2] == (status, kind)


def test_timeouts_of_the_asker(serve_prometheus):
    """A timeout that is asked for holds if it is shorter than the server's own, and is named."""
    engine = Failing(QueryTimeoutError("stopped"))
    api = serve_prometheus(SERIES, engine=engine)

    said = [failure(api.get("/query", params={"query": "up", "timeout": timeout}))[2] for timeout in ("2s", "1h")]

    assert said == ["the query was stopped after 2 s (parameter timeout)", "stopped"]
    assert engine.deadline_s == 7.5


def test_series_labels_and_values(api):
    """Series, names and values are those that match any selector in the range."""
    both = {"match[]": ['requests_total{instance="a"}', "up"]}

    assert data(api.get("/series", params=both)) == [
        {"__name__": "requests_total", "instance": "a", "job": "web"},
        {"__name__": "up", "job": "web"},
    ]
    assert data(api.post("/labels", data=both)) == ["__name__", "instance", "job"]
    assert data(api.get("/labels")) == ["__name__", "http.route", "instance", "job"]
    assert data(api.get("/labels", params={"start": "1000", "end": "2000"})) == []
    assert data(api.get("/label/instance/values")) == ["a", "b"]
    assert data(api.get("/label/instance/values", params={"match[]": "up"})) == []
    assert data(api.get("/label/__name__/values", params={"limit": "2"})) == ["odd", "requests_total"]
    assert api.get("/label/__name__/values", params={"limit": "2"}).json()["warnings"]


@pytest.mark.parametrize("name", ["http.route", "U__http_2e_route"])
def test_label_names_beyond_ascii_words(api, name):
    """The values of a label with dots are found by its name, plain or escaped."""
    assert data(api.get(f"/label/{name}/values")) == ["/"]


def test_metadata(api):
    """What is known of metrics is told by name, of one or of the first ones."""
    everything = data(api.get("/metadata"))

    assert [(name, len(entries)) for name, entries in everything.items()] == [("requests_total", 2), ("up", 1)]
    assert data(api.get("/metadata", params={"metric": "up"})) == {"up": everything["up"]}
    assert data(api.get("/metadata", params={"metric": "none"})) == {}
    assert data(api.get("/metadata", params={"limit": "1", "limit_per_metric": "1"})) == {
        "requests_total": everything["requests_total"][:1]
    }


def test_exemplars(api):
    """Exemplars are asked for by an expression, of every selector in it."""
    query = "sum(rate(requests_total[5m])) / on () (up offset 1m > 0) + -max_over_time(odd[1h:1m])"

    found = data(api.post("/query_exemplars", data={"query": query, "start": "0", "end": "60"}))

    assert [one["seriesLabels"]["asked"] for one in found] == ["requests_total", "up", "odd"]
    assert failure(api.get("/query_exemplars", params={"query": "sum("}))[0] == 400


def test_format(api):
    """An expression is laid out anew."""
    assert data(api.get("/format_query", params={"query": "sum by(job)(up)"})) == "sum by (job) (up)"


def test_what_the_server_says_of_itself(api):
    """Clients find out the version that is spoken; there are no targets."""
    build = data(api.get("/status/buildinfo"))

    assert build["version"].startswith("3.")
    assert build["revision"] == "spanglass-1.2.3"
    assert data(api.get("/targets"))["activeTargets"] == []


def test_nothing_else_is_served(api):
    """Other paths and methods are refused in the same shape."""
    assert failure(api.get("/nothing"))[:2] == (404, "not_found")
    assert failure(api.put("/query"))[:2] == (405, "method_not_allowed")
    assert api.put("/query").headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path", ["", "/", "/-/healthy", "/-/ready"])
def test_clients_that_look_whether_it_is_there(api, path):
    """The address itself and Prometheus' health paths answer."""
    address = api.base_url.copy_with(path=f"/prometheus{path}")

    assert httpx.get(address, trust_env=False, timeout=60).text == "Prometheus' API is below /prometheus/api/v1.\n"


def test_access_comes_first(serve_prometheus):
    """Who may not read is told so before anything else."""

    def refuse(_):
        raise ApiError("unauthorized", "no token", hint="send one")

    api = serve_prometheus(SERIES, authorize=refuse)

    for path in ("/query", "/nothing", "/status/buildinfo"):
        answer = api.get(path)
        assert failure(answer) == (401, "unauthorized", "no token; send one")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_long_answers_are_packed(api):
    """A client that takes gzip gets long answers so."""
    texts = {"query": "requests_total", "start": "0", "end": "600", "step": "1"}

    with api.stream("GET", "/query_range", params=texts, headers={"accept-encoding": "gzip"}) as answer:
        packed = b"".join(answer.iter_raw())
    plain = api.get("/query_range", params=texts, headers={"accept-encoding": "identity"})

    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed)) == plain.json()


def test_long_forms_are_refused(api):
    """A form of more than a megabyte is not read to its end."""
    assert failure(api.post("/query", data={"query": "x" * 2_000_000}))[0] == 400


def test_every_route_is_described(api):
    """The OpenAPI document has every route, with the method it is served by and its parameters."""
    paths = described_paths()

    assert {"/prometheus/api/v1/query", "/prometheus/api/v1/label/{name}/values"} <= paths.keys()
    for path, methods in paths.items():
        for method in methods:
            answer = api.request(method, path.removeprefix("/prometheus/api/v1").format(name="job"))
            assert answer.status_code in {200, 400}, (path, method, answer.text)
    assert (
        "match[]"
        in paths["/prometheus/api/v1/series"]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"][
            "schema"
        ]["properties"]
    )
