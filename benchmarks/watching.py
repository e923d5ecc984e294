"""What a server does in the background, by thread, at ten million spans a day and 10,000 series of metrics.

    python benchmarks/watching.py --dir DIR [--millions 10] [--stored PATH] [--hours 24] [--minutes 30] [--first 10]
                                  [--program PATH]

In DIR, what is not there yet is made and loaded: so many million spans, and in a copy of hard links so many hours of a
point a minute of each series, up to now. Instead of spans that are loaded there may be those of a data directory that
no server uses (`--stored`), on the same file system. A copy of that is served with the settings that come with the
server, five objectives and a report each week, while 116 spans a second and 10,000 points a minute come in. Spans are
stored and come as whole traces of all shops in turn. Two shops of seventeen fail, one request in ten; of the others one
in 500. Each minute the server is asked what its threads used (`spanglass_thread_cpu_seconds_total`). Prints shares of a
core: of the first minutes, in which the past is read, and of those after them; how much of the past was read at the
end; what opened; and what a bare protobuf parse costs before and after, which tells how fast the machine is. Exit code
1 when all work in the background takes more than 5 % in the minutes after the first. Writes
benchmarks/out/watching.json.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadgen.calibrate import parse_cpu_s_per_million
from loadgen.growth.loading import Loading
from loadgen.growth.shops import ManyShops, whole_traces
from loadgen.growth.upkeep import SETTINGS, link_or_copy
from loadgen.many_series import BODIES_A_STEP, STEP_S, ManySeries
from loadgen.prepared import Stream
from loadgen.process import clean_up_on_sigterm, cpu_seconds, resident_bytes
from loadgen.report import check, table, write
from loadgen.sending import Sender
from loadgen.server import SPANGLASS, ServerProcess
from loadgen.transports import factory

if TYPE_CHECKING:
    from collections.abc import Iterator

NS = 1_000_000_000
SPANS_A_DAY, DAY_S = 10_000_000, 86_400
#: So many traces are a million spans.
_TRACES = 57_143
OBJECTIVES = 5
LIMIT_PCT = 5.0
#: Threads that take in and store what comes; the event loop, which answers this benchmark too, is the main one.
TAKING_IN = frozenset({"MainThread", "decoder", "committer", "shredder", "flusher", "compactor"})
_FIGURE = re.compile(r'^spanglass_thread_cpu_seconds_total\{thread="([^"]*)"\} (\S+)$', re.MULTILINE)
#: Starting, and flushing what came in fast before the end, take minutes where others use the cores.
_PATIENCE_S = 900
#: Errors that are loaded were not seen before, which rules tell of for so long.
_NEW_ERRORS_S = 900
#: Turns of ids that no load has used.
_LIVE_TURN = 1_000_000


def made_traces(folder: Path) -> ManyShops:
    """The traces that are loaded, and then sent: they are alike, so that rules find nothing unusual in them."""
    if not folder.exists():
        begun = folder.with_name(f"{folder.name}-begun")
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir()
        whole_traces(begun, _TRACES)
        begun.rename(folder)
    return ManyShops("traces", folder)


def loaded_spans(folder: Path, bodies: ManyShops, millions: int) -> Path:
    """Load so many spans unless they are there, wait until rules have nothing to tell of, and return the directory."""
    spans = folder / f"{millions}M-of-whole-traces"
    loading = Loading(spans, bodies, millions)
    if not loading.is_done:
        with ServerProcess(spans, SETTINGS) as server:
            loading.run(server)
    time.sleep(max(0.0, loading.path.stat().st_mtime + _NEW_ERRORS_S - time.time()))
    return spans


def with_series(spans: Path, folder: Path, hours: int) -> Path:
    """Load so many hours of series into a copy of spans unless they are there, and return its directory."""
    whole = folder / f"{spans.name}-{hours}h-of-series"
    if not whole.exists():
        begun = whole.with_name(f"{whole.name}-begun")
        shutil.rmtree(begun, ignore_errors=True)
        shutil.copytree(spans, begun, copy_function=link_or_copy)
        steps = hours * 3600 // STEP_S
        with ServerProcess(begun, SETTINGS) as server:
            source = ManySeries(time.time_ns() - steps * STEP_S * NS, steps)
            tally = Sender(factory("http", server.port, server.grpc_port, "metrics"), source).run()
            server.stop(timeout_s=_PATIENCE_S)
        if tally.failed or tally.rejected:
            raise SystemExit(f"loading metrics failed: {tally.errors}")
        begun.rename(whole)
    return whole


@contextmanager
def load(server: ServerProcess, traces: ManyShops, minutes: float) -> Iterator[None]:
    """Send what comes in, from now on for so many minutes at most."""
    rate = SPANS_A_DAY / DAY_S * len(traces) / traces.facts["items"]
    turns = math.ceil(minutes * 60 * rate / len(traces))
    now_ns, seconds = time.time_ns(), turns * len(traces) / rate
    spans = Stream(traces, len(traces), turns, now_ns, now_ns + int(seconds * NS), first_turn=_LIVE_TURN)
    series = ManySeries(now_ns, int(seconds // STEP_S) + 1)
    ports = (server.port, server.grpc_port)
    senders = [
        Sender(factory("http", *ports, "traces"), spans, connections=1, rate_per_s=rate),
        Sender(factory("http", *ports, "metrics"), series, connections=1, rate_per_s=BODIES_A_STEP / STEP_S),
    ]
    threads = [threading.Thread(target=sender.run, daemon=True) for sender in senders]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for sender in senders:
            sender.stopped.set()
    if refused := {error for sender in senders for error in sender.tally.errors}:
        print(f"refused: {refused}", file=sys.stderr)


def ask_for_work(server: ServerProcess) -> None:
    """Keep five objectives, and a report each week."""
    headers = {"Content-Type": "application/json"}
    wanted: list[tuple[str, dict[str, Any]]] = [
        (
            "/api/v1/slos",
            {"slo": {"name": name, "target": "99%", "spans": f"service:{name}", "good": "status != error"}},
        )
        for name in (f"checkout-{shop:02}" for shop in range(OBJECTIVES))
    ]
    wanted.append(("/api/v1/report-schedules", {"kind": "week", "cron": "0 8 * * mon"}))
    for path, body in wanted:
        answer = server.request("POST", path, json.dumps(body).encode(), headers)
        if answer.status >= 300:
            raise SystemExit(f"POST {path}: {answer.status} {answer.body[:500]!r}")


def sample(server: ServerProcess) -> dict[str, Any]:
    """What the server has used so far, in seconds: as a whole, and each of its threads."""
    threads = {name: float(value) for name, value in _FIGURE.findall(server.request("GET", "/metrics").body.decode())}
    return {
        "at_s": time.monotonic(),
        "cpu_s": cpu_seconds(server.pid),
        "threads": threads,
        "resident_MB": resident_bytes(server.pid) / 1e6,
    }


def watched(data: Path, traces: ManyShops, options: argparse.Namespace) -> dict[str, Any]:
    """Serve a copy under load; samples once a minute, and what was read of the past."""
    with tempfile.TemporaryDirectory(prefix="spanglass-watching-", dir=data.parent) as folder:
        copy = Path(folder, "data")
        shutil.copytree(data, copy, copy_function=link_or_copy)
        server = ServerProcess(copy, program=options.program)
        try:
            server.start(timeout_s=_PATIENCE_S)
            samples = [sample(server)]
            ask_for_work(server)
            with load(server, traces, options.minutes + 1):
                while len(samples) <= options.minutes:
                    time.sleep(max(0.0, samples[0]["at_s"] + 60 * len(samples) - time.monotonic()))
                    samples.append(sample(server))
                    print(table([share(samples[-2], samples[-1])]), file=sys.stderr)
            trends = {each["quantity"]: each["share_read"] for each in server.get("/trends")["looked"]}
            watching = server.get("/anomalies")["watching"]
            anomalies = {each["source"]: f"{each['hours']} of {each['past_hours']} h" for each in watching}
            alerts = server.request("GET", "/api/monitoring/alerts/?limit=500").json()["alerts"]
            opened = Counter(each["rule_name"] for each in alerts)
        finally:
            server.kill()  # the copy goes with it
    return {"samples": samples, "trends": trends, "anomalies": anomalies, "alerts": dict(opened.most_common())}


def share(first: dict[str, Any], last: dict[str, Any]) -> dict[str, float]:
    """Percents of a core between two samples, the largest first: all of it, what is in the background, each thread."""
    seconds = last["at_s"] - first["at_s"]
    used = {name: cpu_s - first["threads"].get(name, 0.0) for name, cpu_s in last["threads"].items()}
    shares = {name: 100 * cpu_s / seconds for name, cpu_s in sorted(used.items(), key=lambda each: -each[1])}
    behind = sum(value for name, value in shares.items() if name not in TAKING_IN)
    return {"whole": 100 * (last["cpu_s"] - first["cpu_s"]) / seconds, "background": behind} | shares


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=Path, required=True, help="where loaded data is kept, and used if it is there")
    parser.add_argument("--millions", type=int, default=10, help="how many million spans are stored (10)")
    parser.add_argument("--stored", type=Path, help="a data directory with the spans that are stored, instead of these")
    parser.add_argument("--hours", type=int, default=24, help="how many hours of the series are stored (24)")
    parser.add_argument("--minutes", type=int, default=30, help="how long it is watched (30)")
    parser.add_argument("--first", type=int, default=10, help="minutes after the start that are told apart (10)")
    parser.add_argument("--program", default=SPANGLASS, help="console script of another build")
    return parser.parse_args()


def main() -> int:
    """Run what the command line asks for; returns the exit code."""
    options = parse()
    clean_up_on_sigterm()
    options.dir.mkdir(parents=True, exist_ok=True)
    bodies = made_traces(options.dir / "whole-traces")
    spans = options.stored or loaded_spans(options.dir, bodies, options.millions)
    data = with_series(spans, options.dir, options.hours)
    calibration = [parse_cpu_s_per_million(bodies)]
    results = watched(data, bodies, options)
    calibration.append(parse_cpu_s_per_million(bodies))
    samples = results["samples"]
    first, settled = share(samples[0], samples[options.first]), share(samples[options.first], samples[-1])
    rows = [{"thread": name, "first_pct": first.get(name), "settled_pct": value} for name, value in settled.items()]
    target = check("background, % of a core", settled["background"], LIMIT_PCT)
    print(table(rows), table([target]), sep="\n\n")
    print(f"of the past of trends {results['trends']}, of anomalies {results['anomalies']}")
    print(f"alerts that opened: {results['alerts']}")
    print(f"a bare protobuf parse, before and after: {calibration[0]:.2f}, {calibration[1]:.2f} CPU s a million spans")
    facts = {"calibration_cpu_s_per_M": calibration, "rows": rows, "target": target}
    print(f"written to {write('watching', {**results, **facts})}")
    return int(not target["met"])


if __name__ == "__main__":
    sys.exit(main())
