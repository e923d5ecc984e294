"""The real Collector with the shipped otel-collector.yaml, between SDK and server."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from otlp_bodies import stored_span_ids

from loadgen.server import HOST, free_ports

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "otel-collector.yaml"


class Collector:
    """The Collector as a process; started again, it has the same ports and the same queue on disk."""

    def __init__(self, binary: Path, folder: Path, url: str) -> None:
        self.binary, self.log = binary, folder / "collector.log"
        self.grpc_port, self.http_port, self.health_port, metrics_port = free_ports(4)
        self.environment = {
            **os.environ,
            "SPANGLASS_URL": url,
            "COLLECTOR_GRPC": f"{HOST}:{self.grpc_port}",
            "COLLECTOR_HTTP": f"{HOST}:{self.http_port}",
            "COLLECTOR_HEALTH": f"{HOST}:{self.health_port}",
            "COLLECTOR_METRICS_PORT": str(metrics_port),
            "COLLECTOR_QUEUE_DIR": str(folder / "queue"),
            "COLLECTOR_HOST_INTERVAL": "1s",
        }
        self.process = None

    def start(self) -> None:
        """Start it and wait until its health check says so."""
        with self.log.open("ab") as log:
            command = [str(self.binary), "--config", str(CONFIG)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)
        end = time.monotonic() + 30
        while not self.is_healthy():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def is_healthy(self) -> bool:
        """Ask the health check."""
        connection = http.client.HTTPConnection(HOST, self.health_port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()

    def end(self, how: signal.Signals) -> None:
        """End it with a signal and wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(180)


@pytest.fixture
def new_collector(tmp_path, collector_path, need):
    """Make a Collector in front of a server; it is killed at the end."""
    if collector_path is None:
        need("the Collector is not built: run tests/e2e/collector/build.sh (needs Go), or set SPANGLASS_TEST_COLLECTOR")
    made = []

    def make(server) -> Collector:
        made.append(Collector(collector_path, tmp_path, server.url))
        return made[-1]

    yield make
    for collector in made:
        collector.end(signal.SIGKILL)
        print(collector.log.read_text()[-5000:])  # noqa: T201 - pytest shows it when the test failed


class Application:
    """A program with the SDK's default pipeline, sending to a Collector over gRPC."""

    def __init__(self, collector: Collector) -> None:
        self.provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
        exporter = OTLPSpanExporter(endpoint=f"{HOST}:{collector.grpc_port}", insecure=True)
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self.sent: list[bytes] = []

    def work(self, spans: int) -> None:
        """Make spans and wait until the Collector has taken them."""
        tracer = self.provider.get_tracer("shop")
        for number in range(spans):
            with tracer.start_as_current_span(f"work {number}") as span:
                self.sent.append(span.get_span_context().span_id.to_bytes(8, "big"))
            if number % 500 == 499:  # the processor's queue holds 2048 and drops what comes on top
                assert self.provider.force_flush()
        assert self.provider.force_flush()


def arrived(server, sent: list[bytes], limit_s: float = 60.0) -> list[bytes]:
    """Return what is stored once everything that was sent is there, or when waiting longer is pointless."""
    end = time.monotonic() + limit_s
    while not set(sent) <= set(stored := stored_span_ids(server)) and time.monotonic() < end:
        time.sleep(0.2)
    return stored


@pytest.mark.collector
def test_nothing_is_lost_while_the_server_is_away(new_server, new_collector):
    """Spans sent before, during and after an outage of the server are all stored, each once."""
    server = new_server()
    server.start()
    collector = new_collector(server)
    collector.start()
    application = Application(collector)
    application.work(1000)
    server.stop()
    application.work(3000)
    server.start()
    application.work(1000)
    stored = arrived(server, application.sent)
    application.provider.shutdown()

    assert stored == sorted(application.sent)


@pytest.mark.collector
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_queue_outlives_the_collector(new_server, new_collector, how):
    """What the Collector took while the server was away is delivered by the Collector started after it."""
    server = new_server()
    collector = new_collector(server)
    collector.start()
    application = Application(collector)
    application.work(2000)
    collector.end(how)
    server.start()
    collector.start()
    stored = arrived(server, application.sent)
    application.provider.shutdown()

    # A kill between delivery and the queue's note of it may deliver twice; the server was away, so here it can't.
    assert stored == sorted(application.sent)


@pytest.mark.collector
def test_host_metrics_arrive(new_server, new_collector):
    """Processor, memory, disk, file system, load and network of the host are metrics of the server."""
    server = new_server()
    server.start()
    new_collector(server).start()
    wanted = {
        "system.cpu.time",
        "system.cpu.utilization",
        "system.memory.usage",
        "system.memory.utilization",
        "system.disk.io",
        "system.filesystem.usage",
        "system.filesystem.utilization",
        "system.cpu.load_average.1m",
        "system.network.io",
    }
    end = time.monotonic() + 30
    while not wanted <= (names := {row["name"] for row in server.get("/metrics")["metrics"]}):
        assert time.monotonic() < end, f"missing: {sorted(wanted - names)}"
        time.sleep(0.2)


@pytest.mark.collector
def test_the_configuration_is_valid(collector_path, need):
    """The Collector's own check accepts the file as it is shipped, and refuses it with a misspelt key."""
    if collector_path is None:
        need("the Collector is not built: run tests/e2e/collector/build.sh (needs Go), or set SPANGLASS_TEST_COLLECTOR")

    def check(text: str) -> int:
        command = [str(collector_path), "validate", "--config", f"yaml:{text}"]
        return subprocess.run(command, capture_output=True, check=False).returncode

    text = CONFIG.read_text()
    assert check(text) == 0
    assert check(text.replace("max_interval:", "max_intervall:")) == 1


def test_the_collector_is_built_of_what_the_configuration_names():
    """builder.yaml lists one module for each component of otel-collector.yaml, and no other."""
    config = yaml.safe_load(CONFIG.read_text())
    builder = yaml.safe_load((ROOT / "tests/e2e/collector/builder.yaml").read_text())
    for section in ("receivers", "processors", "exporters", "extensions"):
        named = sorted(component.replace("_", "") for component in config[section])
        modules = [row["gomod"].split(" ")[0].rpartition("/")[2] for row in builder[section]]
        built = sorted(module.removesuffix(section.removesuffix("s")) for module in modules)
        assert built == named, section
