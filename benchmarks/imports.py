"""Import beside ingest: the same spans from files of an export, and from senders as prepared requests of 500.

    python benchmarks/imports.py [--bodies 2000] [--forms parquet duckdb ndjson otlp] [--rounds 2] [--program PATH]

Sends prepared spans (`generate.py`) to a server and exports them in each form, in parts of 250,000. Then, in turn and
each into an empty server: senders send those spans over as many connections as an import has, and each form is
imported. Of NDJSON and OTLP/JSON, which are read line by line, the first part is taken. --program is the command of
another build: its server and its import. The best of the rounds counts. Results go to benchmarks/out/imports.json.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from loadgen.prepared import Bodies
from loadgen.process import PeakMemory, clean_up_on_sigterm, cpu_seconds
from loadgen.report import table, write
from loadgen.scenario import Scenario, count_records, fresh_server, send, source_of, wait_until_visible
from loadgen.server import SPANGLASS, ServerProcess

FORMS = ("parquet", "duckdb", "ndjson", "otlp")
_LINES = {"ndjson", "otlp"}
_PART = 250_000
_CONNECTIONS = 2
_SETTINGS = {"alerting.shipped": "false", "query.deadline": "10m"}  # lines are written row by row


class Run:
    """What all measurements share: the spans, the files of their exports, the build."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.folder, self.program = folder, options.program
        self._scenario = Scenario("senders", bodies=options.bodies, connections=_CONNECTIONS)
        self._bodies = Bodies("traces")
        self.spans = self._source().records()

    def _source(self) -> Any:
        return source_of(self._scenario, self._bodies, time.time_ns())

    def export(self, forms: list[str]) -> None:
        """Send the spans to a server, and export them from it."""
        with fresh_server(_SETTINGS, self.program) as server:
            sent = send(self._scenario, server, self._source())
            wait_until_visible(server, "traces", sent.accepted)
            for form in forms:
                target = self.folder / (f"all.{form}" if form == "duckdb" else form)
                words = ["--signal", "spans", "--format", form, "--part", str(_PART), "-o", str(target)]
                self._command(server, "export", "--last", "30d", *words)

    def senders(self) -> dict[str, Any]:
        """Send the spans as exporters do."""
        source = self._source()
        with fresh_server(_SETTINGS, self.program) as server, PeakMemory(server.pid) as memory:
            before = cpu_seconds(server.pid)
            tally = send(self._scenario, server, source)
            server_cpu_s = cpu_seconds(server.pid) - before
        return self._row("senders", tally.accepted, tally.wall_s, server_cpu_s, tally.client_cpu_s) | {
            "server_peak_MB": memory.peak_bytes / 1e6
        }

    def imported(self, form: str) -> dict[str, Any]:
        """Import what was exported in a form."""
        with fresh_server(_SETTINGS, self.program) as server, PeakMemory(server.pid) as memory:
            before, begun = cpu_seconds(server.pid), time.perf_counter()
            used = self._command(server, "import", "--restart", str(self._files(form)))
            seconds, server_cpu_s = time.perf_counter() - begun, cpu_seconds(server.pid) - before
            wait_until_visible(server, "traces", self.spans, limit_s=2)
            records = count_records(server, "traces")
        client_cpu_s = used.ru_utime + used.ru_stime
        return self._row(form, records, seconds, server_cpu_s, client_cpu_s) | {
            "server_peak_MB": memory.peak_bytes / 1e6,
            "client_peak_MB": used.ru_maxrss * 1024 / 1e6,
        }

    def _files(self, form: str) -> Path:
        if form == "duckdb":
            return self.folder / "all.duckdb"
        return min((self.folder / form).glob("spans-*")) if form in _LINES else self.folder / form

    def _command(self, server: ServerProcess, *words: str) -> Any:
        """Run a command of the build to its end; what it used."""
        running = subprocess.Popen([self.program, *words], env={**os.environ, "SPANGLASS_URL": server.url})
        _, status, used = os.wait4(running.pid, 0)
        if status:
            sys.exit(f"spanglass {' '.join(words)} failed")
        return used

    @staticmethod
    def _row(what: str, records: int, seconds: float, server_cpu_s: float, client_cpu_s: float) -> dict[str, Any]:
        return {
            "what": what,
            "spans": records,
            "per_s": round(records / seconds),
            "server_us": server_cpu_s / records * 1e6,
            "client_us": client_cpu_s / records * 1e6,
        }


def best(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The row of some rounds with the most spans a second, with the least processor time of any."""
    fastest = max(rows, key=lambda row: row["per_s"])
    return fastest | {name: min(row[name] for row in rows) for name in ("server_us", "client_us")}


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bodies", type=int, default=2000, help="how many requests of 500 spans (default 2000)")
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=[*FORMS], help="which forms (default all)")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is measured (default 2)")
    parser.add_argument("--program", default=SPANGLASS, help="spanglass of another build")
    options = parser.parse_args()
    clean_up_on_sigterm()
    measured: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="spanglass-imports-") as folder:
        run = Run(options, Path(folder))
        run.export(options.forms)
        for _ in range(options.rounds):
            for row in (run.senders(), *map(run.imported, options.forms)):
                print(table([row]), file=sys.stderr)
                measured.setdefault(row["what"], []).append(row)
    rows = [best(of) for of in measured.values()]
    print(table(rows))
    print(f"written to {write('imports', {'rounds': measured, 'rows': rows})}")


if __name__ == "__main__":
    main()
