"""What holds for every route of the API: described, documented, and failing in one shape."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette

from spanglass_server.api.alerting.routes import alerting_routes
from spanglass_server.api.anomalies.routes import anomaly_routes
from spanglass_server.api.dashboards.routes import dashboard_routes
from spanglass_server.api.errors import STATUS_OF_CODE, ApiError
from spanglass_server.api.factory import ROUTES as PLAIN_ROUTES
from spanglass_server.api.factory import create_api
from spanglass_server.api.findings.routes import finding_routes
from spanglass_server.api.health.routes import health_routes
from spanglass_server.api.incidents.routes import all_incident_routes
from spanglass_server.api.issues.routes import issue_routes
from spanglass_server.api.notifications.routes import notification_routes
from spanglass_server.api.openapi import describe_api
from spanglass_server.api.params import KINDS
from spanglass_server.api.prometheus.describing import described_paths
from spanglass_server.api.prometheus.exporting import promql_export_route
from spanglass_server.api.reports.routes import report_routes
from spanglass_server.api.reports.schedules import schedule_routes
from spanglass_server.api.retention.routes import retention_routes
from spanglass_server.api.routes.collection import collection_routes
from spanglass_server.api.saved.pins import pin_routes
from spanglass_server.api.saved.views import view_routes
from spanglass_server.api.slo.routes import slo_routes
from spanglass_server.api.trends.routes import trend_routes
from spanglass_server.query.issues.known import KnownIssues

#: What is described is the same whatever store the routes ask.
ROUTES = (
    *PLAIN_ROUTES,
    *issue_routes(KnownIssues(None), None),
    *dashboard_routes(None, None),
    *collection_routes(None),
    *alerting_routes(None, None),
    *notification_routes(None, None, None),
    *health_routes(None),
    *finding_routes(None),
    *schedule_routes(None),
    *report_routes(None, None),
    *view_routes(None),
    *pin_routes(None, 0),
    *slo_routes(None),
    *trend_routes(None, None),
    promql_export_route(None),
    *anomaly_routes(None),
    *retention_routes(None, 0.0),
    *all_incident_routes(SimpleNamespace(store=None), None),
)

DOCS = Path(__file__).parents[3] / "docs" / "api.md"

#: A text that every parameter of a kind takes; choices and bounds say better.
SAMPLES = {
    "text": "web",
    "filter": "status:error",
    "cursor": "",
    "time": "",
    "integer": "1",
    "number": "0.5",
    "duration": "5ms",
    "keys": "service.name",
    "trace_id": "ab" * 16,
}


#: Fields that bodies must have.
SAMPLE_FIELDS = {"sql": "SELECT 1 AS one", "ids": ["SHOP-1"], "rule": {}, "title": "disk is full"}
#: Where a parameter takes less than its kind does.
BY_NAME = {
    "span_id": "ab" * 8,
    "state": "open",
    "occurrence": "latest",
    "at": "first",
    "traces": "ab" * 16,
    "log": "1-1",
    "logs": "1-1",
    "status": "open",
    "severity": "error",
    "labels": "team=shop",
    "part": "0-1",
}
#: And where a route's takes less than that.
BY_ROUTE = {
    ("/deliveries", "state"): "sent",
    ("/on-call", "at"): "now",
    ("/reports", "state"): "done",
    ("/reports/", "state"): "done",
    ("/export", "columns"): "name",
    ("/dashboards/{dashboard}/panels/{panel}/export", "variables"): "{}",
    ("/sql/export", "sql"): "SELECT 1 AS one",
    ("/forecast", "ahead"): "1h",
    ("/promql/export", "step"): "1m",
    **{(f"{path}/uptime", "step"): "1h" for path in ("/health", "/checks/{uid}", "/components/{uid}")},
}


@pytest.fixture
def serve_api(standing_server):
    """Serve with one server for all: a socket for each of hundreds of requests would take most of the time."""

    def serve(engine, *, routes=PLAIN_ROUTES, authorize=lambda _: None):
        served = create_api(
            routes, engine=engine, clock_ns=lambda: 2_000 * 10**9, authorize=authorize, deadline_s=7.5, version="1.2.3"
        )
        client = standing_server(Starlette(routes=served))
        client.event_hooks = {}
        return client

    return serve


def sample(param, path):
    """Choose a text that a parameter of a path takes."""
    if (path, param.name) in BY_ROUTE:
        return BY_ROUTE[path, param.name]
    if param.choices:
        return param.choices[0]
    if param.name in BY_NAME and param.kind != "integer":
        return BY_NAME[param.name]
    if param.kind == "integer" and param.minimum is not None:
        return str(param.minimum)
    return SAMPLES[param.kind]


def url(route):
    """Fill the path of a route."""
    texts = {param.name: sample(param, route.path) for param in route.parameters}
    return re.sub(r"{(\w+)(?::path)?}", lambda place: texts[place[1]], route.full_path)


def query(route):
    """Make a text for every parameter of a route that is not in its path."""
    named = [param for param in route.parameters if param.name not in route.path_names]
    return {param.name: sample(param, route.path) for param in named}


every_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")


@every_route
def test_every_described_parameter_is_taken(api, route):
    """No route refuses a parameter that its description names."""
    if route.body is None:
        body = None
    else:
        body = {field: SAMPLE_FIELDS.get(field, "SHOP-1") for field in route.body["required"]}

    answer = api().request(route.method, url(route), params=query(route), json=body)

    assert "no parameter" not in answer.text
    assert answer.status_code in {route.status, 404} or (body is not None and answer.status_code == 400), answer.text


@every_route
def test_unknown_parameters_are_refused(api, route):
    """Every route refuses a parameter that it does not know, by name and in the shape of errors."""
    answer = api().request(route.method, url(route), params={"nonsense": "1"}, json={})

    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "nonsense"


@every_route
def test_other_methods_are_not_served(api, route):
    """A wrong method is a 405 that names the right ones."""
    answer = api().request("TRACE", url(route))

    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert route.method in answer.headers["allow"].split(", ")


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v2/traces", "/api/v1/nothing/here"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_paths_that_are_no_route(api, path, method):
    """Below /api, what does not exist is a 404 in the shape of errors, whatever the method."""
    answer = api().request(method, path)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/api/v1/services", "/api/v1/openapi.json", "/api/v1/nothing"])
@pytest.mark.parametrize(("code", "status"), [("unauthorized", 401), ("forbidden", 403)])
def test_authorisation_comes_first(serve_api, path, code, status):
    """Who may not read learns nothing, not even which paths exist."""

    def refuse(connection):
        assert connection.url.path == path
        raise ApiError(code, "no token", hint="send one")

    answer = serve_api(None, authorize=refuse).get(path)

    assert (answer.status_code, answer.json()) == (
        status,
        {"error": {"code": code, "message": "no token", "hint": "send one"}},
    )
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_served_document_describes_every_route(api):
    """The document that is served has exactly the routes that are served, itself included."""
    document = api().get("/api/v1/openapi.json").json()

    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    served = {(path, method.upper()) for path, methods in described_paths().items() for method in methods}
    served |= {(route.documented_path, route.method) for route in ROUTES} | {("/api/v1/openapi.json", "GET")}
    assert described == served
    assert document["info"]["version"] == "1.2.3"


def test_document_is_openapi_3_1():
    """The document has the structure that OpenAPI 3.1 asks for."""
    document = describe_api(ROUTES, "1", described_paths())

    assert document["openapi"] == "3.1.0"
    assert {"title", "version"} <= document["info"].keys()
    operations = [(path, op) for path, methods in document["paths"].items() for op in methods.values()]
    assert len({op["operationId"] for _, op in operations}) == len(operations)
    for path, op in operations:
        in_path = {parameter["name"] for parameter in op["parameters"] if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path))
        assert all(parameter["required"] for parameter in op["parameters"] if parameter["in"] == "path")
        assert all(parameter["schema"] and parameter["description"] for parameter in op["parameters"])
        assert op["summary"].endswith(".")
        assert all("description" in response for response in op["responses"].values())


def test_every_reference_of_the_document_resolves():
    """No $ref points at nothing."""
    document = describe_api(ROUTES, "1")

    for reference in re.findall(r"'\$ref': '#/([^']+)'", str(document)):
        place = document
        for step in reference.split("/"):
            place = place[step]


def test_every_kind_of_parameter_is_tried():
    """The sample texts of this test cover every kind."""
    assert SAMPLES.keys() | {"choice"} >= KINDS.keys()


def test_docs_name_every_route():
    """docs/api.md lists the routes that exist, and no others but the server's own status."""
    listed = set(re.findall(r"^\| `([A-Z]+ /api/\S+)`", DOCS.read_text(), re.MULTILINE))

    assert listed == {f"{route.method} {route.documented_path}" for route in ROUTES} | {
        "GET /api/v1/status",
        "GET /api/v1/openapi.json",
    }


def test_docs_name_every_error_code():
    """docs/api.md names every code of the table of errors."""
    line = next(line for line in DOCS.read_text().splitlines() if line.startswith("- **Errors**"))

    assert [code for code in STATUS_OF_CODE if f"`{code}`" not in line] == []
