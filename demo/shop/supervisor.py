"""Starts the server, the five services and the customers, keeps an eye on them, and stops them all."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from shop import layout, ports
from shop.child import Child, DemoError
from shop.faults import Switches
from shop.surprise import FILE_NAME as SURPRISE_FILE_NAME
from shop.surprise import Surprise

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

WATCH_S = 0.2
OBJECTIVES = Path(__file__).parent / "objectives"
"""What the shop promises: files of objectives, unless `SPANGLASS_SLO_DIR` names others."""

TELEMETRY_DEFAULTS = {
    # Fast enough to see a switch act at once; the SDK's own defaults are 5 s and 60 s.
    "OTEL_BSP_SCHEDULE_DELAY": "1000",
    "OTEL_BLRP_SCHEDULE_DELAY": "1000",
    "OTEL_METRIC_EXPORT_INTERVAL": "5000",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    # Functions handed to asyncio.to_thread that get a span of their own.
    "OTEL_PYTHON_ASYNCIO_TO_THREAD_FUNCTION_NAMES_TO_TRACE": "save_order",
    # The supervisor's questions and the switches are not part of the shop that is observed.
    "OTEL_PYTHON_EXCLUDED_URLS": "healthz,/faults,/surprise,/static,/$",
}

SPANGLASS_RUN = ("-m", "spanglass.cli.main", "run")


@dataclass(frozen=True)
class Options:
    """What the command line says. Port 0: any free one. `send_to`: an OTLP/HTTP receiver that runs already.

    `release`: the version of all services, empty for the one that each has. `surprise`: begin with a fault that
    nobody is told of.
    """

    data: Path
    port: int
    grpc_port: int
    shop_port: int
    rate_per_s: float
    release: str
    send_to: str | None
    surprise: bool


class Supervisor:
    """The demo as one thing: `start`, `watch`, `stop`. `say` prints a line for the user."""

    def __init__(self, options: Options, say: Callable[[str], None]) -> None:
        self._options = options
        self._say = say
        self._state = options.data / "shop"
        self._logs = options.data / "logs"
        self._switches = Switches(self._state / "faults.json")
        self._surprise = Surprise(self._switches)
        self._running: list[Child] = []
        self._services: dict[str, Child] = {}
        self._lock: TextIO | None = None
        self._http_port, self._grpc_port, *self._shop_ports = self._choose_ports()
        self.server_url = options.send_to or f"http://{ports.HOST}:{self._http_port}"
        self.shop_url = f"http://{ports.HOST}:{self._shop_ports[0]}"

    def _choose_ports(self) -> list[int]:
        first = self._options.shop_port
        shop_ports = [first and first + offset for offset in range(len(layout.SERVICES))]
        wanted = [self._options.port, self._options.grpc_port, *shop_ports]
        chosen = ports.choose(wanted)
        names = ["Spanglass", "OTLP/gRPC", *(service.name for service in layout.SERVICES)]
        for name, usual, actual in zip(names, wanted, chosen, strict=True):
            unused = self._options.send_to is not None and name in {"Spanglass", "OTLP/gRPC"}
            if usual not in {0, actual} and not unused:
                self._say(f"Port {usual} is taken, {name} uses {actual}.")
        return chosen

    def start(self) -> None:
        """Start everything and return when all of it answers. DemoError when something does not."""
        self._state.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        self._take_folder()
        # A new demo starts in good health, whatever was switched on when the last one ended.
        for name in (SURPRISE_FILE_NAME, self._switches.path.name):
            (self._state / name).unlink(missing_ok=True)
        if self._options.send_to is None:
            self._start_server()
        self._say(f"Starting the shop: {', '.join(service.name for service in layout.SERVICES)} ...")
        for service in layout.SERVICES:
            launcher = SPANGLASS_RUN if service.way is layout.Way.RUN else ()
            env = self._service_env(service)
            self._services[service.name] = self._launch(service.name, service.target, [], env, launcher)
        for service, port in zip(layout.SERVICES, self._shop_ports, strict=True):
            self._services[service.name].wait_until_ready(f"http://{ports.HOST}:{port}/healthz")
        if self._options.rate_per_s > 0:
            env = self._env() | {"SHOP_RATE": str(self._options.rate_per_s)}
            self._launch("load", "shop.load:main", [], env)
        if self._options.surprise:
            self._surprise.start()

    def _take_folder(self) -> None:
        """Hold the data folder for this demo until the process ends, however it ends."""
        self._lock = (self._options.data / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            message = f"another demo runs in {self._options.data}: stop that one, or give another folder with --data"
            raise DemoError(message) from error

    def _start_server(self) -> None:
        self._say("Starting Spanglass ...")
        arguments = ["serve", "--host", ports.HOST, "--port", str(self._http_port)]
        arguments += ["--grpc-port", str(self._grpc_port), "--data", str(self._options.data / "server")]
        env = {"SPANGLASS_SLO_DIR": str(OBJECTIVES)} | dict(os.environ)
        server = self._launch("spanglass", "spanglass.cli.main:main", arguments, env)
        server.wait_until_ready(f"{self.server_url}/readyz")

    def _launch(
        self, name: str, target: str, arguments: list[str], env: dict[str, str], launcher: Sequence[str] = ()
    ) -> Child:
        child = Child(name, target, arguments, env, self._logs / f"{name}.out", launcher)
        self._running.append(child)
        child.start()
        return child

    def _env(self) -> dict[str, str]:
        urls = {
            layout.url_variable(service.name): f"http://{ports.HOST}:{port}"
            for service, port in zip(layout.SERVICES, self._shop_ports, strict=True)
        }
        state = {
            "SHOP_STATE": str(self._state),
            "SHOP_RELEASE": self._options.release,
            "SPANGLASS_URL": "" if self._options.send_to else self.server_url,
        }
        return TELEMETRY_DEFAULTS | dict(os.environ) | urls | state

    def _service_env(self, service: layout.Service) -> dict[str, str]:
        env = self._env() | {"OTEL_EXPORTER_OTLP_ENDPOINT": self.server_url}
        if service.way is layout.Way.OPENTELEMETRY:
            return env | {"OTEL_SEMCONV_STABILITY_OPT_IN": service.semconv}
        if service.way is layout.Way.CONFIGURE:
            return env
        return env | {
            "SPANGLASS_SERVICE_NAME": service.name,
            "SPANGLASS_SERVICE_NAMESPACE": "shop",
            "SPANGLASS_RELEASE": self._options.release or service.version,
            "SPANGLASS_ENVIRONMENT": "demo",
        }

    def watch(self, stopping: threading.Event) -> None:
        """Return when `stopping` is set. DemoError when a process ends that nobody asked to."""
        while not stopping.wait(WATCH_S):
            self._follow_switch()
            for child in self._running:
                if child.has_ended:
                    raise DemoError(child.obituary())

    def _follow_switch(self) -> None:
        payment = self._services["payment"]
        down = self._switches.is_on("payment_down")
        if down and payment.pid is not None:
            payment.stop()
            self._tell("payment is down.")
        elif not down and payment.pid is None and not payment.has_ended:
            payment.start()
            self._tell("payment is up again.")

    def _tell(self, line: str) -> None:
        if not self._surprise.is_secret:
            self._say(line)

    def stop(self) -> None:
        """Stop everything: customers, then services, the server last so that the last telemetry reaches it."""
        server = [child for child in self._running if child.name == "spanglass"]
        others = [child for child in self._running if child not in server]
        for child in reversed(others):
            child.ask_to_stop()
        for child in [*reversed(others), *server]:
            child.stop()
        self._running.clear()
        if self._lock:
            self._lock.close()
