"""The API on a real socket, over tables written by hand."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import uuid
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
import uvicorn
from described_answers import described_by
from made_health import MadeHealth
from made_rules import MadeBook, MadeEvaluator
from notified_world import World
from reported import Reported
from starlette.applications import Starlette

from spanglass_server.alerting.desk import Desk
from spanglass_server.alerting.sql_views import sql_views
from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.alerting.store.sqlite import SqliteAlertStore
from spanglass_server.alerting.watching.status import AlerterStatus
from spanglass_server.anomalies.desk import AnomalyDesk
from spanglass_server.anomalies.store.store import AnomalyStore
from spanglass_server.api.alerting.routes import alerting_routes
from spanglass_server.api.anomalies.routes import anomaly_routes
from spanglass_server.api.dashboards.routes import dashboard_routes
from spanglass_server.api.factory import ROUTES, create_api
from spanglass_server.api.findings.routes import finding_routes
from spanglass_server.api.health.routes import health_routes
from spanglass_server.api.incidents.routes import all_incident_routes
from spanglass_server.api.issues.routes import issue_routes
from spanglass_server.api.notifications.routes import notification_routes
from spanglass_server.api.prometheus.endpoint import Context
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
from spanglass_server.dashboards.library import Library
from spanglass_server.dashboards.sources.files import DirectorySource, SettingsFileSource
from spanglass_server.dashboards.sources.kept import KeptDashboards
from spanglass_server.findings.desk import FindingDesk
from spanglass_server.findings.store.store import FindingStore
from spanglass_server.incidents.config.book import IncidentBook
from spanglass_server.incidents.desk import IncidentDesk
from spanglass_server.incidents.store.in_memory import MemoryIncidentStore
from spanglass_server.issues.occurrences.regrouping import Progress
from spanglass_server.issues.sqlite_store import SqliteIssueStore
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.query.issues.known import KnownIssues
from spanglass_server.retention.book import PolicyBook
from spanglass_server.retention.desk import RetentionDesk
from spanglass_server.retention.keeper import PolicyKeeper
from spanglass_server.retention.store import RetentionStore
from spanglass_server.saved.sql_views import sql_views as pin_views
from spanglass_server.saved.store.store import SavedStore
from spanglass_server.signals import Signal
from spanglass_server.slo.book import Book as SloBook
from spanglass_server.slo.counting.ledger import Ledger
from spanglass_server.slo.counting.minutes import Minutes
from spanglass_server.slo.desk import SloDesk
from spanglass_server.slo.store.store import SloStore
from spanglass_server.store.collection import CollectionIntervals
from spanglass_server.store.disk import DISK
from spanglass_server.trends.board import Board

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW_NS = 2_000 * 1_000_000_000
_WITHOUT_RULES: Any = SimpleNamespace(
    book=SimpleNamespace(rules=dict), store=MemoryAlertStore(), status=AlerterStatus, recordings=tuple
)


class TableEngine:
    """Runs questions in a thread over one session; the last deadline is kept."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.deadline_s = 0.0

    async def run(self, query: Callable[[Any], Any], *, deadline_s: float) -> Any:
        """Run one question."""
        self.deadline_s = deadline_s
        return await asyncio.to_thread(query, self.session)


class AskedToRegroup:
    """Regrouping that only begins."""

    def __init__(self) -> None:
        self.progress = Progress()

    def ask(self) -> Progress:
        """Begin."""
        self.progress = Progress(is_running=True, total=3)
        return self.progress


@contextlib.contextmanager
def listening(app: Any) -> Iterator[int]:
    """Serve an application on a free port of this machine while the block runs."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        threading.Event().wait(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def serve_api() -> Iterator[Callable[..., httpx.Client]]:
    """Yield a function that serves the API, ``serve_api(engine, routes=...)``, and returns an HTTP client to it."""
    with contextlib.ExitStack() as stack:

        def serve(engine: Any, *, routes: Any = ROUTES, authorize: Any = lambda _: None) -> httpx.Client:
            api = create_api(
                routes, engine=engine, clock_ns=lambda: NOW_NS, authorize=authorize, deadline_s=7.5, version="1.2.3"
            )
            port = stack.enter_context(listening(Starlette(routes=api)))
            client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
            return stack.enter_context(client)

        yield serve


@pytest.fixture(scope="module")
def serve_prometheus() -> Iterator[Callable[..., httpx.Client]]:
    """Yield a function that serves Prometheus' API over a source of series and returns an HTTP client to it."""
    with contextlib.ExitStack() as stack:

        def serve(
            source: Any, *, engine: Any = None, authorize: Any = lambda _: None, desk: Any = None
        ) -> httpx.Client:
            context = Context(engine or TableEngine(source), lambda session: session, lambda: NOW_NS, authorize, 7.5)
            port = stack.enter_context(
                listening(
                    Starlette(routes=create_prometheus_api(context, "1.2.3", Told(desk or _WITHOUT_RULES, 15 * 10**9)))
                )
            )
            client = httpx.Client(base_url=f"http://127.0.0.1:{port}/prometheus/api/v1", timeout=30, trust_env=False)
            return stack.enter_context(client)

        yield serve


@pytest.fixture(scope="module")
def standing_server() -> Iterator[Callable[[Any], httpx.Client]]:
    """Yield a function that has one server, which stands for a whole module, serve another application from now on."""
    held: list[Any] = [None]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await held[0](scope, receive, send)

    with listening(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as made:

        def serve(application: Any) -> httpx.Client:
            held[0] = application
            return made

        yield serve


@pytest.fixture
def issue_store(tmp_path: Path) -> Iterator[SqliteIssueStore]:
    """Open the issue store of the API of the test."""
    store = SqliteIssueStore(tmp_path / "issues.sqlite", 1000)
    yield store
    store.close()


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Open the dashboards of the API of the test: those of settings.yaml and shipped/, and those that it keeps."""
    (tmp_path / "shipped").mkdir()
    sources = [SettingsFileSource(tmp_path / "settings.yaml"), DirectorySource(tmp_path / "shipped", "shipped")]
    return Library(sources, KeptDashboards(tmp_path / "dashboards", DISK, lambda: NOW_NS))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Open the desk of the API of the test: alerts in a file, rules that are written by hand."""
    store = SqliteAlertStore(tmp_path / "alerts.sqlite")
    (tmp_path / "rules").mkdir()
    book = MadeBook(tmp_path / "rules", lambda: NOW_NS)
    ids = (str(uuid.UUID(int=number)) for number in itertools.count(1))
    yield Desk(book, store, MadeEvaluator(), AlerterStatus, lambda: NOW_NS, lambda: next(ids))
    store.close()


@pytest.fixture
def incident_desk(desk: Desk) -> IncidentDesk:
    """Open the desk of incidents, made of the alerts of the test."""
    return IncidentDesk(MemoryIncidentStore(), IncidentBook(None), desk, lambda: NOW_NS, lambda: ("mail",))


@pytest.fixture(scope="session")
def no_findings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FindingStore]:
    """Open one store without findings for all tests: to make a file for each of hundreds would take half a minute."""
    store = FindingStore(tmp_path_factory.mktemp("findings") / "findings.sqlite")
    yield store
    store.close()


@pytest.fixture
def finding_store(tmp_path: Path) -> Iterator[FindingStore]:
    """Open the store of findings of the API of the test."""
    store = FindingStore(tmp_path / "findings.sqlite")
    yield store
    store.close()


@pytest.fixture(scope="session")
def no_anomalies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnomalyStore]:
    """Open one store of anomalies for all tests that have none, as of findings."""
    store = AnomalyStore(tmp_path_factory.mktemp("anomalies") / "anomalies.sqlite")
    yield store
    store.close()


@pytest.fixture
def anomaly_store(tmp_path: Path) -> Iterator[AnomalyStore]:
    """Open the store of anomalies of the API of the test."""
    store = AnomalyStore(tmp_path / "anomalies.sqlite")
    yield store
    store.close()


@pytest.fixture(scope="session")
def nothing_saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SavedStore]:
    """Open one store of saved views and pins for all tests, as of findings."""
    store = SavedStore(tmp_path_factory.mktemp("saved") / "saved.sqlite")
    yield store
    store.close()


@pytest.fixture(scope="session")
def no_policies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RetentionDesk]:
    """Open one store of retention's policies for all tests, over no segments."""
    store = RetentionStore(tmp_path_factory.mktemp("retention") / "retention.sqlite")
    book = PolicyBook(store, None)
    ages = {Signal.SPANS: 30 * 86_400 * 10**9}
    keeper = PolicyKeeper(book, store, ages, lambda: NOW_NS)
    nothing: Any = SimpleNamespace(segments={signal: [] for signal in Signal})
    yield RetentionDesk(book, keeper, lambda: nothing, frozenset, store.bounds_of, ages, 0)
    store.close()


@pytest.fixture
def saved_store(tmp_path: Path) -> Iterator[SavedStore]:
    """Open the store of saved views and pins of the API of the test."""
    store = SavedStore(tmp_path / "saved.sqlite")
    yield store
    store.close()


@pytest.fixture(scope="session")
def no_reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    """Open one store of reports for all tests that have none, as of findings."""
    reports = Reported(tmp_path_factory.mktemp("reports") / "reports.sqlite", lambda: NOW_NS)
    yield reports
    reports.close()


@pytest.fixture
def reports(tmp_path: Path) -> Iterator[Reported]:
    """Open the reports of the API of the test, which ask that API."""
    found = Reported(tmp_path / "reports.sqlite", lambda: NOW_NS)
    yield found
    found.close()


@pytest.fixture(scope="session")
def slo_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SloStore]:
    """Open one store of counts of objectives for all tests, as of findings; they count what tables hold at once."""
    store = SloStore(tmp_path_factory.mktemp("slo") / "slo.sqlite")
    yield store
    store.close()


def slo_desk(directory: Path, store: SloStore) -> SloDesk:
    """Make the desk of objectives of the API of the test, whose checks are always up."""
    up = SimpleNamespace(minutes=lambda _, first, last: Minutes(first, np.ones(last - first), np.zeros(last - first)))
    ticks = itertools.count(NOW_NS)
    book = SloBook(None, None, directory / "slos", DISK, lambda: next(ticks))
    return SloDesk(book, Ledger(store, up, lambda: NOW_NS), store, lambda: NOW_NS, lambda: {"site"})


@pytest.fixture
def api(
    serve_api: Callable[..., httpx.Client],
    open_tables: Callable[..., Any],
    issue_store: SqliteIssueStore,
    library: Library,
    desk: Desk,
    incident_desk: IncidentDesk,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Callable[..., httpx.Client]:
    """Return a function that serves the whole API over tables, ``api(spans=[...])``; answers have their schemas."""
    own = "finding_store" in request.fixturenames
    findings = request.getfixturevalue("finding_store" if own else "no_findings")

    anomalies = request.getfixturevalue("anomaly_store" if "anomaly_store" in request.fixturenames else "no_anomalies")

    saved = request.getfixturevalue("saved_store" if "saved_store" in request.fixturenames else "nothing_saved")

    reported = request.getfixturevalue("reports" if "reports" in request.fixturenames else "no_reports")

    def serve(**rows: Any) -> httpx.Client:
        notified = World(tmp_path / "notified")
        health = MadeHealth(tmp_path / "health")
        request.addfinalizer(health.close)
        routes = (
            *ROUTES,
            *issue_routes(KnownIssues(issue_store), AskedToRegroup()),
            *dashboard_routes(library, StoredSeries),
            *collection_routes(CollectionIntervals(tmp_path, DISK)),
            *alerting_routes(desk, StoredSeries),
            *notification_routes(notified.desk, notified.book, notified.alerts.store),
            *health_routes(health.desk),
            *finding_routes(FindingDesk(findings, lambda: NOW_NS)),
            *schedule_routes(reported.scheduler),
            *report_routes(reported.desk, lambda: "https://spanglass.example"),
            *view_routes(saved.views),
            *pin_routes(saved.pins, 1 << 20),
            *slo_routes(slo_desk(tmp_path, request.getfixturevalue("slo_store"))),
            *trend_routes(Board(), StoredSeries),
            promql_export_route(StoredSeries),
            *anomaly_routes(AnomalyDesk(anomalies, None, lambda: NOW_NS)),
            *retention_routes(request.getfixturevalue("no_policies"), 7.5),
            *all_incident_routes(incident_desk, sql_views(desk.book, desk.store)["monitoring_alerts"].rows),
        )
        tables = open_tables(**rows)
        tables.tables_offered = pin_views(saved.pins)
        client = serve_api(TableEngine(tables), routes=routes)
        client.event_hooks = {"response": [described_by(routes)]}
        reported.client = client
        return client

    return serve
