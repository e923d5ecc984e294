"""The composition root: the one place that knows every part of the server and wires them together."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_core.model_prices import Prices
from spanglass_server.access.auth import TOKEN_HEADER, ReadersOnly
from spanglass_server.access.browsers import BrowserGuard, HostNames
from spanglass_server.alerting.ports import AlertFilter
from spanglass_server.alerting.sql_views import sql_views
from spanglass_server.api.alerting.routes import alerting_routes
from spanglass_server.api.alerting.trying import Defaults
from spanglass_server.api.alertmanager.routes import create_alertmanager_api
from spanglass_server.api.anomalies.routes import anomaly_routes
from spanglass_server.api.dashboards.routes import dashboard_routes
from spanglass_server.api.endpoint import Context
from spanglass_server.api.errors import ApiError
from spanglass_server.api.factory import create_api, plain_routes
from spanglass_server.api.findings.routes import finding_routes
from spanglass_server.api.health.heartbeats import heartbeat_routes
from spanglass_server.api.health.routes import health_routes
from spanglass_server.api.incidents.routes import all_incident_routes
from spanglass_server.api.issues.routes import issue_routes
from spanglass_server.api.notifications.routes import notification_routes
from spanglass_server.api.prometheus.endpoint import Context as PrometheusContext
from spanglass_server.api.prometheus.exporting import promql_export_route
from spanglass_server.api.prometheus.routes import create_prometheus_api
from spanglass_server.api.prometheus.rules import Told
from spanglass_server.api.reports.routes import report_routes
from spanglass_server.api.reports.schedules import schedule_routes
from spanglass_server.api.retention.routes import retention_routes
from spanglass_server.api.routes.collection import collection_routes
from spanglass_server.api.saved.pins import pin_routes
from spanglass_server.api.saved.views import view_routes
from spanglass_server.api.slo.routes import slo_routes
from spanglass_server.api.trends.routes import trend_routes
from spanglass_server.incidents.sql_views import sql_views as incident_views
from spanglass_server.issues.sql_views import sql_views as issue_views
from spanglass_server.pages.health.public import StatusPage, is_public, public_routes
from spanglass_server.pages.rendering.links import link_routes
from spanglass_server.pages.routes import not_found_page, page_routes
from spanglass_server.process.http_server import HttpServer, uvloop_run
from spanglass_server.process.in_process_api import InProcessApi
from spanglass_server.process.parts.analysis.anomalies import Anomalies
from spanglass_server.process.parts.analysis.findings import Findings
from spanglass_server.process.parts.analysis.reports import Reports
from spanglass_server.process.parts.analysis.slos import Slos
from spanglass_server.process.parts.analysis.trends import TrendWatch
from spanglass_server.process.parts.checks.health import Health
from spanglass_server.process.parts.checks.health_routes import operation_routes
from spanglass_server.process.parts.dashboards import open_library
from spanglass_server.process.parts.on_call.alerting import Alerting
from spanglass_server.process.parts.on_call.incidents import Incidents
from spanglass_server.process.parts.on_call.notifications import Notifications
from spanglass_server.process.parts.received import Receipts
from spanglass_server.process.parts.receiving import Counters, receive_limits
from spanglass_server.process.parts.scraping import scraping
from spanglass_server.process.status_route import Configured, status_route
from spanglass_server.process.storage_node import StorageNode, kept_ns
from spanglass_server.process.tuning import CodeRelease, tune_allocators, tune_collector, tune_turns
from spanglass_server.promql.stored.source import StoredSeries, most_samples
from spanglass_server.query.costs.pricing import CostTerms
from spanglass_server.query.issues.event_log import EventLog
from spanglass_server.query.issues.known import KnownIssues
from spanglass_server.receive.cors import Cors
from spanglass_server.receive.grpc import GrpcReceiver
from spanglass_server.receive.http import AtPaths, otlp_endpoints
from spanglass_server.receive.intake import Intake
from spanglass_server.receive.remote_write import remote_write_routes
from spanglass_server.receive.short_way import ShortWay
from spanglass_server.saved.answers import pinned_notes, seen_views
from spanglass_server.self_metrics.measuring import CountRequests, watch_process
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.settings.storage_prices import StoragePrices
from spanglass_server.store.disk import DISK
from spanglass_server.supervision import Supervisor
from spanglass_server.trends.thresholds import thresholds_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    from spanglass_server.access.auth import TokenCheck, Tokens
    from spanglass_server.api.prometheus.status import Targets
    from spanglass_server.pages.ports import Server
    from spanglass_server.retention.desk import RetentionDesk
    from spanglass_server.scraping.jobs import Job
    from spanglass_server.settings.settings import Settings
    from spanglass_server.store.ports import QuerySession
    from spanglass_server.trends.thresholds import Threshold

_KEEP_ALIVE_S = 75
#: Of a query's deadline: what is left is for the answer.
_BACKTEST_SHARE = 0.7


def run(settings: Settings, tokens: Tokens, jobs: Sequence[Job], on_ready: Callable[[int, int], None]) -> None:
    """Serve, and scrape, until SIGTERM or SIGINT. ``on_ready`` is told the ports of HTTP and gRPC once both listen.

    Raises ``OSError`` when a port or the data directory can't be used.
    """
    tune_allocators()
    tune_turns()
    telemetry = Telemetry()
    watch_process(telemetry)
    with ExitStack() as closing:
        node = StorageNode(settings, telemetry, time.time_ns)
        closing.callback(node.close)
        slos = Slos(settings, telemetry, node, time.time_ns)
        closing.callback(slos.close)
        series = _series_of(settings, node, slos)
        alerting = Alerting(settings, telemetry, node, series, time.time_ns, [slos.rules])
        closing.callback(alerting.close)
        node.retention.keep_evidence(alerting.desk.store)
        notifications = Notifications(settings, telemetry, node, alerting.desk, time.time_ns)
        closing.callback(notifications.close)
        health = Health(settings, telemetry, node, series, alerting.desk.store, time.time_ns)
        closing.callback(health.close)
        slos.start(health.desk)
        closing.callback(slos.stop)
        incidents = Incidents(settings, telemetry, node, alerting.desk, notifications.desk, time.time_ns)
        closing.callback(incidents.close)
        findings = Findings(settings, telemetry, node, series, time.time_ns)
        closing.callback(findings.close)
        receipts = Receipts(settings, telemetry, node, time.time_ns)
        closing.callback(receipts.close)
        reports = Reports(settings, telemetry, node, notifications, time.time_ns)
        closing.callback(reports.close)

        trends = TrendWatch(telemetry, node, series, time.time_ns, _thresholds_of(slos, alerting))
        closing.callback(trends.close)
        anomalies = Anomalies(settings, telemetry, node, series, _named_in_rules(alerting), time.time_ns)
        closing.callback(anomalies.close)

        def ready(http_port: int, grpc_port: int) -> None:
            notifications.address.listens(http_port)
            tune_collector()
            on_ready(http_port, grpc_port)

        closing.callback(CodeRelease(Supervisor(telemetry, pulse=node.pulse)).close)
        parts = Parts(
            settings,
            tokens,
            telemetry,
            node,
            series,
            alerting,
            notifications,
            incidents,
            health,
            findings,
            receipts,
            reports,
            slos,
            trends,
            anomalies,
        )
        uvloop_run(_serve(parts, jobs, ready))


def _series_of(settings: Settings, node: StorageNode, slos: Slos) -> Callable[[QuerySession], StoredSeries]:
    """What makes the series of a session; all share what was decoded."""
    max_samples = most_samples(settings.query.memory_limit_bytes)
    events = EventLog(node.errors.issues)

    def series(session: QuerySession) -> StoredSeries:
        objectives = slos.series(session)
        return StoredSeries(session, node.engine.kept, max_samples=max_samples, events=events, objectives=objectives)

    return series


def _named_in_rules(alerting: Alerting) -> Callable[[str], int]:
    """How many alert rules name a metric."""

    def named(metric: str) -> int:
        return sum(metric in each.rule.condition for each in alerting.desk.book.rules().values())

    return named


def _thresholds_of(slos: Slos, alerting: Alerting) -> Callable[[], list[Threshold]]:
    """What objectives and alert rules say of how long requests may take."""

    def thresholds() -> list[Threshold]:
        objectives = [each.value for each in slos.desk.book.found().values()]
        return thresholds_of(objectives, [each.rule for each in alerting.desk.book.rules().values()])

    return thresholds


@dataclass(frozen=True, slots=True)
class Parts:
    """What a server is made of, besides its ways in and out."""

    settings: Settings
    tokens: Tokens
    telemetry: Telemetry
    node: StorageNode
    series: Callable[[QuerySession], StoredSeries]
    alerting: Alerting
    notifications: Notifications
    incidents: Incidents
    health: Health
    findings: Findings
    receipts: Receipts
    reports: Reports
    slos: Slos
    trends: TrendWatch
    anomalies: Anomalies


async def _serve(parts: Parts, jobs: Sequence[Job], on_ready: Callable[[int, int], None]) -> None:
    settings, node = parts.settings, parts.node
    grace_s = settings.server.shutdown_timeout_ns / 1e9
    intake = Intake(
        node.ingest,
        receive_limits(settings, settings.ingest.max_body_bytes),
        parts.tokens.ingest.allows,
        Counters(parts.telemetry),
        intervals=lambda: node.collection.header,
    )
    # one budget of bytes, that of ingest, for both transports, each with its own largest message
    grpc_intake = replace(intake, limits=receive_limits(settings, settings.ingest.max_grpc_message_bytes))
    receiver = GrpcReceiver(grpc_intake)
    grpc_port = await receiver.start(settings.server.host, settings.server.grpc_port)
    async with scraping(jobs, intake) as targets:
        config = _http_config(parts, intake, targets)
        server = HttpServer(config, lambda port: on_ready(port, grpc_port))
        try:
            await server.serve()
        finally:
            await receiver.stop(grace_s)


def _http_config(parts: Parts, intake: Intake, targets: Targets) -> uvicorn.Config:
    settings = parts.settings
    endpoints = otlp_endpoints(intake, cors=_cors(settings))
    # uvicorn calls what makes the protocol of a connection; its type says a class
    protocol = cast("type[HttpToolsProtocol]", partial(ShortWay, endpoints=endpoints, telemetry=parts.telemetry))
    return uvicorn.Config(
        build_app(parts, intake, targets, endpoints),
        http=protocol,
        host=settings.server.host,
        port=settings.server.port,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, int(settings.server.shutdown_timeout_ns / 1e9)),
    )


def _cors(settings: Settings) -> Cors:
    return Cors(settings.cors.allowed_origins, settings.cors.allowed_headers, int(settings.cors.max_age_ns / 1e9))


def build_app(parts: Parts, intake: Intake, targets: Targets, endpoints: Mapping[str, ASGIApp]) -> ASGIApp:
    """The HTTP application: OTLP, the API, the pages and the routes for operators."""
    settings, tokens, node, telemetry = parts.settings, parts.tokens, parts.node, parts.telemetry
    release, prices = version("spanglass"), Prices(settings.genai.prices, settings.genai.currency)
    storage_prices = StoragePrices(settings.costs.prices, settings.costs.currency)
    issues = KnownIssues(node.errors.issues, node.errors.tracker.try_observe)
    library = open_library(settings, DISK, time.time_ns)
    views = sql_views(parts.alerting.desk.book, parts.alerting.desk.store)
    own = {**incident_views(parts.incidents.desk.store), **issue_views(node.errors.issues, time.time_ns)}
    node.engine.offer({**views, **own})
    routes = [
        *plain_routes(prices, CostTerms(storage_prices, kept_ns(settings), parts.receipts.ledger.of)),
        *issue_routes(issues, node.errors.regrouping),
        *collection_routes(node.collection),
        *notification_routes(parts.notifications.desk, parts.notifications.book, parts.alerting.desk.store),
        *alerting_routes(parts.alerting.desk, parts.series, _rule_defaults(settings)),
        *health_routes(parts.health.desk, status_page=settings.health.status_page),
        *finding_routes(parts.findings.desk),
        *schedule_routes(parts.reports.scheduler),
        *report_routes(parts.reports.desk, parts.notifications.address.url),
        *slo_routes(parts.slos.desk),
        *retention_routes(_retention_desk(parts), settings.query.deadline_ns / 1e9),
        *trend_routes(parts.trends.board, parts.series),
        promql_export_route(parts.series),
        *anomaly_routes(parts.anomalies.desk),
        *view_routes(node.saved.views),
        *pin_routes(node.saved.pins, settings.retention.max_pinned_bytes),
        *all_incident_routes(parts.incidents.desk, views["monitoring_alerts"].rows),
        *dashboard_routes(library, parts.series, settings.query.deadline_ns / 1e9),
        status_route(
            node, telemetry, intake.rejections, settings, release, Configured(targets, library, parts.alerting.desk)
        ),
    ]

    def api(authorize: Callable[[HTTPConnection], None]) -> list[BaseRoute]:
        return create_api(
            routes,
            engine=node.engine,
            clock_ns=time.time_ns,
            authorize=authorize,
            deadline_s=settings.query.deadline_ns / 1e9,
            version=release,
        )

    def prometheus(authorize: Callable[[HTTPConnection], None]) -> list[BaseRoute]:
        return create_prometheus_api(
            PrometheusContext(
                engine=node.engine,
                series=parts.series,
                clock_ns=time.time_ns,
                authorize=authorize,
                deadline_s=settings.query.deadline_ns / 1e9,
            ),
            release,
            Told(parts.alerting.desk, settings.alerting.interval_ns),
            targets,
        )

    def alertmanager(authorize: Callable[[HTTPConnection], None]) -> list[BaseRoute]:
        context = Context(node.engine, time.time_ns, authorize, settings.query.deadline_ns / 1e9)
        return create_alertmanager_api(context, parts.notifications.desk, parts.alerting.posted, release)

    # the pages call them within the process, after the reader's own request was let in
    in_process = InProcessApi(Starlette(routes=[*api(lambda _: None), *prometheus(lambda _: None)]))
    parts.reports.begin(in_process)

    def health() -> str | None:
        return node.ingest.health

    def firing() -> int:
        try:
            return parts.alerting.desk.store.count(AlertFilter(statuses=tuple(OPEN)))
        except OSError:  # pages say so themselves; a count that can't be had is no reason to show none of them
            return 0

    this: Server = {
        "clock_ns": time.time_ns, "version": release, "health": health, "firing": firing, "first_time": node.first_ns,
        "prices": prices,
        "views": seen_views(node.saved.views), "pinned": pinned_notes(node.saved.pins),
    }  # fmt: skip
    app = Starlette(
        routes=[
            *remote_write_routes(intake),
            *prometheus(_api_authorize(tokens.read)),
            *alertmanager(_api_authorize(tokens.read)),
            *operation_routes(node, telemetry),
            *heartbeat_routes(parts.health.desk, time.time_ns),
            *link_routes(parts.notifications.links, release, time.time_ns),
            *_status_page(parts, release),
            *api(_api_authorize(tokens.read)),
            *page_routes(in_process, **this),
        ],
        exception_handlers={404: _not_found(not_found_page(in_process, **this))},
    )
    names = None if tokens.read.required else HostNames(settings.server.host, _more_names(settings))
    for_all = is_public if settings.health.status_page else (lambda _: False)
    guarded = BrowserGuard(ReadersOnly(app, tokens.read, for_all), names, for_all)
    return CountRequests(AtPaths(guarded, endpoints), telemetry)


def _retention_desk(parts: Parts) -> RetentionDesk:
    node = parts.node
    return node.retention.desk(node.saved.pins.ids, parts.settings.retention.max_bytes)


def _status_page(parts: Parts, release: str) -> list[BaseRoute]:
    """The page that anybody may see, where that is wanted."""
    settings = parts.settings.health
    page = StatusPage(settings.status_page_title, release)
    return public_routes(parts.health.desk, page, time.time_ns) if settings.status_page else []


def _more_names(settings: Settings) -> Sequence[str]:
    """Names under which browsers may open the pages besides that of the host: of the settings, and of links."""
    own = urlsplit(settings.server.external_url).hostname
    return (*settings.server.allowed_hosts, *([own] if own else []))


def _not_found(page: Callable[[Request], Awaitable[Response]]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, _: Exception) -> Response:
        return await page(request)

    return handle


def _api_authorize(check: TokenCheck) -> Callable[[HTTPConnection], None]:
    """Make the check of the API: ``ApiError`` (unauthorized) for a request without the read token."""

    def authorize(connection: HTTPConnection) -> None:
        headers = connection.headers
        if not check.allows(headers.get("authorization"), headers.get(TOKEN_HEADER)):
            raise ApiError(
                "unauthorized",
                "the read token is missing or wrong",
                hint="send the header 'Authorization: Bearer <token>' (the command line takes --token)",
            )

    return authorize


def _rule_defaults(settings: Settings) -> Defaults:
    # a backtest answers with what it has found before its query is stopped
    limit_s = settings.query.deadline_ns / 1e9 * _BACKTEST_SHARE
    return Defaults(interval_ns=settings.alerting.interval_ns, limit_s=limit_s)
