"""The pages' routes: the composition root gives them the API, a clock and the version."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Unpack

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from spanglass_core.ids import read_trace_id
from spanglass_core.model_prices import Prices
from spanglass_server.access.browsers import HEADERS
from spanglass_server.access.client_left import CLIENT_LEFT, unless_client_left
from spanglass_server.pages import overview, problem, server
from spanglass_server.pages.alerts import alert, editor, rule, rules
from spanglass_server.pages.alerts import listing as alert_list
from spanglass_server.pages.dashboards import board as dashboard
from spanglass_server.pages.dashboards import listing as dashboards
from spanglass_server.pages.explorer import logs, search, traces
from spanglass_server.pages.findings import finding
from spanglass_server.pages.findings import listing as findings
from spanglass_server.pages.health import check as health_check
from spanglass_server.pages.health import component as health_component
from spanglass_server.pages.health import editor as health_editor
from spanglass_server.pages.health import listing as health
from spanglass_server.pages.hosts import pages as host_pages
from spanglass_server.pages.incidents import incident
from spanglass_server.pages.incidents import listing as incident_list
from spanglass_server.pages.issues import issue, listing, releases
from spanglass_server.pages.log_lines import around
from spanglass_server.pages.map import page as service_map
from spanglass_server.pages.metrics import explore, metric
from spanglass_server.pages.metrics import listing as metric_list
from spanglass_server.pages.notifications import channel_form, channels, deliveries, on_call, routing, silences, things
from spanglass_server.pages.performance import differences, profiles, self_time
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.rendering import terms
from spanglass_server.pages.rendering.assets import load_assets
from spanglass_server.pages.rendering.templates import NAMED_PAGES, make_environment
from spanglass_server.pages.reports import pages as report_pages
from spanglass_server.pages.saved import retention
from spanglass_server.pages.saved.pages import show_pins, show_views
from spanglass_server.pages.services import costs, coverage, service, services
from spanglass_server.pages.slos import editor as slo_editor
from spanglass_server.pages.slos import listing as slos
from spanglass_server.pages.slos import objective
from spanglass_server.pages.trace_views import compare, file, trace
from spanglass_server.pages.trends import anomalies
from spanglass_server.pages.trends import lists as trend_lists
from spanglass_server.pages.trends import one as forecast
from spanglass_server.pages.use import person, tasks, users
from spanglass_server.pages.visit import RANGE, Site, Visit
from spanglass_server.pages.window import WindowError
from spanglass_server.query.language.parsing.text import quote

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from spanglass_server.pages.ports import Api, Server

    Show = Callable[[Visit], Awaitable[Response]]
    Endpoint = Callable[[Request], Awaitable[Response]]


#: The name of a service and a number: ``CHECKOUT-12``.
ISSUE_ID = re.compile(r"[A-Z0-9-]{1,24}-[A-Z0-9]{1,12}")

INCIDENT_ID = re.compile(r"INC-[0-9]{1,12}")

#: The beginning of a trace's id, as tables show it.
ID_START = re.compile(r"[0-9a-fA-F]{8,31}")


async def jump(visit: Visit) -> Response:
    """``/jump?q=``: the id of a trace or its beginning, the id of an issue or incident, or a service opens its page.

    So does the name of a page. Anything else is searched in traces.
    """
    text = visit.param("q")
    trace_id = read_trace_id(text)
    if trace_id and await _is_trace(visit, trace_id, text):
        return _redirect(f"/traces/{trace_id}")
    if ISSUE_ID.fullmatch(text.upper()) and await _is_issue(visit, text.upper()):
        return _redirect(visit.to_issue(text.upper()))
    if INCIDENT_ID.fullmatch(text.upper()):
        return _redirect(f"/incidents/{text.upper()}")
    if ID_START.fullmatch(text) and (found := await _trace_that_begins(visit, text.lower())):
        return _redirect(f"/traces/{found}")
    return _redirect(await _named(visit, text))


async def _named(visit: Visit, text: str) -> str:
    """The page of a service, the page that is called so, else the text's traces."""
    if text in await search.service_names(visit):
        return visit.to_service(text)
    if page := NAMED_PAGES.get(" ".join(text.lower().replace("-", " ").split())):
        return visit.go(page)
    return visit.go("/traces", filter=quote(text) if text else None)


async def _is_trace(visit: Visit, trace_id: str, text: str) -> bool:
    """Whether a text means a trace: 16 digits may be another id, and do only if such a trace is stored."""
    if len(text.strip()) == len(trace_id):
        return True
    try:
        await visit.api("traces", trace_id)
    except ApiError:
        return False
    return True


async def _trace_that_begins(visit: Visit, digits: str) -> str | None:
    """Return the id of the only trace of the range whose id begins so."""
    asked = {**visit.window.as_params(), "filter": f"{terms.TRACE_ID} = {digits}*", "limit": "2"}
    traces = (await visit.attempt(visit.api("traces", **asked), {"traces": []}))["traces"]
    return str(traces[0]["trace_id"]) if len(traces) == 1 else None


async def _is_issue(visit: Visit, issue_id: str) -> bool:
    try:
        await visit.api("issues", issue_id)
    except ApiError:
        return False
    return True


async def set_range(visit: Visit) -> Response:
    """``/range``: takes the range form's fields as written and goes back with absolute times in UTC in the URL.

    What cannot be read goes back as it is: the page says what is wrong with it.
    """
    back = visit.param("back")
    back = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/services"
    kept = [
        (key, value) for key, value in visit.request.query_params.multi_items() if key not in {"back", "cursor", *RANGE}
    ]
    try:
        range_params = visit.window.params
    except WindowError:
        range_params = visit.range_params()
    return _redirect(visit.link(back, {**dict(kept), **range_params}))


#: Every page: its path and what shows it.
PAGES: Sequence[tuple[str, Show]] = (
    ("/", overview.show),
    ("/jump", jump),
    ("/range", set_range),
    ("/services", services.show),
    ("/services/{service:path}", service.show),
    ("/anomalies", anomalies.show),
    ("/anomalies/{anomaly:int}", anomalies.show_one),
    ("/findings", findings.show),
    ("/findings/{finding:int}", finding.show),
    ("/slos", slos.show),
    ("/slos/new", slo_editor.show_new),
    ("/slos/{uid}", objective.show),
    ("/slos/{uid}/edit", slo_editor.show_edit),
    ("/map", service_map.show),
    ("/coverage", coverage.show),
    ("/costs", costs.show),
    ("/tasks", tasks.show),
    ("/trends", trend_lists.show_trends),
    ("/capacity", trend_lists.show_capacity),
    ("/forecast", forecast.show),
    ("/users", users.show),
    ("/users/{user:path}", person.show_user),
    ("/sessions/{session:path}", person.show_session),
    ("/traces", traces.show),
    ("/traces/compare", compare.show),
    ("/traces/{trace_id}", trace.show),
    ("/traces/{trace_id}/file", file.show),
    ("/self-time", self_time.show),
    ("/profiles", profiles.show),
    ("/differences", differences.show),
    ("/issues", listing.show),
    ("/issues/{issue}", issue.show),
    ("/releases", releases.show),
    ("/alerts", alert_list.show),
    ("/alerts/{alert}", alert.show),
    ("/incidents", incident_list.show),
    ("/incidents/{incident}", incident.show),
    ("/incidents/{incident}/postmortem", incident.show_postmortem),
    ("/rules", rules.show),
    ("/rules/new", editor.show_new),
    ("/rules/{uid}", rule.show),
    ("/rules/{uid}/edit", editor.show_edit),
    ("/silences", silences.show),
    ("/silences/new", silences.show_new),
    ("/routes", routing.show),
    ("/routes/edit", things.show_routes),
    ("/routes/{section}/new", things.show_new),
    ("/routes/{section}/{name}/edit", things.show_edit),
    ("/on-call", on_call.show),
    ("/on-call/{section}/new", things.show_new),
    ("/on-call/{section}/{name}/edit", things.show_edit),
    ("/channels", channels.show),
    ("/channels/new", channel_form.show_new),
    ("/channels/{channel}", channels.show_one),
    ("/channels/{channel}/edit", channel_form.show_edit),
    ("/channels/{channel}/mail", channels.show_mail),
    ("/deliveries", deliveries.show),
    ("/deliveries/{delivery}", deliveries.show_one),
    ("/health", health.show),
    ("/health/checks/new", health_editor.show_new),
    ("/health/checks/{uid}", health_check.show),
    ("/health/checks/{uid}/edit", health_editor.show_edit),
    ("/health/components/{uid:path}", health_component.show),
    ("/logs", logs.show),
    ("/logs/{log}", around.show),
    ("/hosts", host_pages.show_hosts),
    ("/hosts/{host:path}", host_pages.show_host),
    ("/processes", host_pages.show_processes),
    ("/processes/{host:path}/{pid:int}", host_pages.show_process),
    ("/metrics", metric_list.show),
    ("/metrics/explore", explore.show),
    ("/metrics/{name:path}", metric.show),
    ("/reports", report_pages.show_reports),
    ("/reports/{report}", report_pages.show_report),
    ("/views", show_views),
    ("/pinned", show_pins),
    ("/retention", retention.show),
    ("/dashboards", dashboards.show),
    ("/dashboards/{uid}", dashboard.show),
    ("/server", server.show),
)


def page_routes(api: Api, **about: Unpack[Server]) -> list[BaseRoute]:
    """Routes of all pages and static files.

    ``api`` answers API requests in this process. Templates and static files are read here, once.
    """
    site, static = _site(api, about)
    pages = [Route(path, _endpoint(site, show), methods=["GET"], include_in_schema=False) for path, show in PAGES]
    return [*pages, static]


def not_found_page(api: Api, **about: Unpack[Server]) -> Endpoint:
    """Return the page for addresses that no route has; the composition root decides for which requests it is shown."""
    site, _ = _site(api, about)

    async def show(request: Request) -> Response:
        visit = Visit(site, request)
        return visit.page("error.html", status=404, problem=problem.no_page(visit))

    return show


def _site(api: Api, about: Server) -> tuple[Site, Route]:
    assets = load_assets()
    templates = make_environment(assets, about["version"])
    firing = about.get("firing") or (lambda: 0)
    prices, views = about.get("prices") or Prices(), about.get("views") or (lambda _: ())
    pinned = about.get("pinned") or (lambda _: None)
    site = Site(api, about["clock_ns"], templates, about["health"], about["first_time"], firing, prices, views, pinned)
    return site, assets.route()


def _endpoint(site: Site, show: Show) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        visit = Visit(site, request)
        try:
            response = await unless_client_left(request, _shown(visit, show))
            return Response(status_code=CLIENT_LEFT) if response is None else response
        except ApiError as error:
            found = problem.of_api(error, visit)
        return visit.page("error.html", status=found.status, problem=found)

    return endpoint


async def _shown(visit: Visit, show: Show) -> Response:
    """Show a page; one whose range cannot be read is shown for the default range, and says so at the field."""
    try:
        return await show(visit)
    except WindowError as error:
        visit.leave_range(error)
    response = await show(visit)
    if response.status_code == HTTPStatus.OK:
        response.status_code = HTTPStatus.BAD_REQUEST
    return response


def _redirect(to: str) -> Response:
    return RedirectResponse(to, status_code=303, headers=HEADERS)


__all__ = ["not_found_page", "page_routes"]
