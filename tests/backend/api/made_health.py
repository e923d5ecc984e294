"""The health of a made-up server: real checks and a real store, a runner and a board that say what they are told to."""

from __future__ import annotations

from typing import Any

from spanglass_server.health.book import Book
from spanglass_server.health.calls import CallTokens
from spanglass_server.health.components.of_checks import CheckComponents
from spanglass_server.health.components.overall import overall_of
from spanglass_server.health.desk import HealthDesk
from spanglass_server.health.model import CheckState, CheckView, Run, Status
from spanglass_server.health.own_checks import Defaults, OwnChecks
from spanglass_server.health.store.sqlite import HealthStore
from spanglass_server.store.disk import DISK

S = 10**9
CHECKS = """
monitoring:
  checks:
    - {name: Shop, http: "https://shop.example.com/health", public: true}
    - {name: Nightly, heartbeat: {cron: "0 3 * * *"}, critical: false}
    - {name: Orders, sql: {url: "postgresql://shop@db/orders", password: hunter2}}
"""


class SaidRunner:
    """A ``Runner`` that says what it is told to; ``calls`` are those of heartbeats."""

    def __init__(self) -> None:
        self.said: dict[str, CheckState] = {}
        self.calls: list[Any] = []
        self.tried: list[Any] = []

    def states(self) -> dict[str, CheckState]:
        """How each check stands."""
        return dict(self.said)

    def runs(self, uid: str) -> list[Run]:
        """The latest run."""
        run = self.said[uid].run if uid in self.said else None
        return [run] if run is not None else []

    def next_ns(self, uid: str) -> int:
        """In thirty seconds after 2,000 s."""
        return 2030 * S if uid in self.said else 0

    def try_out(self, check: Any, *, trusted: bool) -> Run:
        """Remember what was tried."""
        self.tried.append((check.uid, trusted))
        return run_of(Status.HEALTHY, "status 200")

    def called(self, uid: str, call: Any) -> None:
        """Remember a call."""
        self.calls.append((uid, call))


class SaidBoard:
    """A ``Board`` over the views of checks."""

    version = 7

    def __init__(self, own: OwnChecks, application: tuple[CheckView, ...]) -> None:
        self._own = own
        self._application = application

    def application_checks(self) -> tuple[CheckView, ...]:
        """Those of applications."""
        return self._application

    def components(self) -> list[Any]:
        """Those of all checks."""
        return CheckComponents().of((*self._own.views(), *self._application))

    def overall(self) -> Any:
        """The whole of them."""
        return overall_of(self.components(), 2000 * S)


class MadeHealth:
    """The desk, and what stands behind it; ``close`` releases the store."""

    def __init__(self, directory: Any) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        settings = directory / "settings.yaml"
        settings.write_text(CHECKS)
        self.store = HealthStore(directory / "health.sqlite")
        self.runner = SaidRunner()
        book = Book(settings, directory / "checks", DISK, iter(range(1, 999)).__next__)
        own = OwnChecks(book, self.runner, Defaults(enabled=True, interval_ns=30 * S, timeout_ns=10 * S))
        board = SaidBoard(own, (of_application(),))
        self.desk = HealthDesk(own, self.store, board, CallTokens(b"k" * 32), lambda: 2000 * S)

    def say(self, uid: str, status: Status, detail: str = "") -> None:
        """Say how a check stands."""
        run = run_of(status, detail)
        self.runner.said[uid] = CheckState(status=status, since_ns=1900 * S, run=run, detail=detail)

    def close(self) -> None:
        """Release the store."""
        self.store.close()


def run_of(status: Status, detail: str) -> Run:
    """A run that took 5 ms."""
    figures = {"http.status": 200.0}
    return Run(started_ns=1990 * S, latency_ns=5 * 10**6, status=status, detail=detail, figures=figures)


def of_application() -> CheckView:
    """A check that an application runs."""
    return CheckView(
        uid="app-cart-database-1", name="cart: database", kind="application", area="database",
        component="cart: database", source="application", critical=True, enabled=True, status=Status.HEALTHY,
        since_ns=1000 * S, last_ns=1980 * S, latency_ns=10**6, detail="", service="cart", instances=2,
    )  # fmt: skip
