#!/usr/bin/env bash
# uWSGI and OpenTelemetry's SDK: forked workers share one instance id, and none of them ever exports a metric.
#
# Guess:    the SDK sees to forks: each child gets a service.instance.id and a collecting thread of its own, by
#           os.register_at_fork. uWSGI with --enable-threads, in its default mode, is such a fork.
# Instead:  uWSGI forks below Python. No handler of os.register_at_fork is called in its workers: they keep the master's
#           instance id, and have no thread that collects. With --py-call-uwsgi-fork-hooks, which is off by default, all
#           is as guessed.
# Versions: uWSGI 2.0.31, opentelemetry-sdk 1.45.1. Needs a C compiler and Python's headers.
# Matters:  metrics of the workers are missing, and counters of several processes that look like one are wrong. The
#           same holds for every library that renews locks or threads after a fork.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check uwsgi==2.0.31 opentelemetry-sdk==1.45.1

cat > app.py <<'EOF'
import json
import os

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader


class Counter(MetricExporter):
    """Counts what it exports, by process."""

    exported = {}

    def export(self, metrics_data, timeout_millis=10_000, **_):
        self.exported[os.getpid()] = self.exported.get(os.getpid(), 0) + 1
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis=10_000):
        return True

    def shutdown(self, timeout_millis=30_000, **_):
        pass


provider = MeterProvider([PeriodicExportingMetricReader(Counter(), export_interval_millis=100)])
requests = provider.get_meter("finding").create_counter("requests")


def application(_, start_response):
    requests.add(1)
    start_response("200 OK", [])
    facts = {
        "pid": os.getpid(),
        "instance": provider._sdk_config.resource.attributes["service.instance.id"],
        "exported": Counter.exported.get(os.getpid(), 0),
    }
    return [json.dumps(facts).encode()]
EOF

cat > try.py <<'EOF'
import json
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.metadata import version


def workers(*options):
    """Run two workers and ask both, then again after two seconds: the last answer of each, by its process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    words = ["venv/bin/uwsgi", "--http-socket", address, "--module", "app", "--master", "--processes", "2",
             "--enable-threads", "--die-on-term", *options]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        answers = {}
        begin = time.monotonic()
        while len(answers) < 2 or time.monotonic() < begin + 4:
            try:
                answer = json.load(urllib.request.urlopen(f"http://{address}/"))
                answers[answer["pid"]] = answer
            except OSError:
                pass
            time.sleep(0.02)
        server.terminate()
    instances, exporting = {each["instance"] for each in answers.values()}, [each["exported"] > 0 for each in answers.values()]
    print(f"  {' '.join(options) or 'by default'}: {len(answers)} workers, {len(instances)} instance ids, exporting: {exporting}")
    return len(instances), exporting


print("uWSGI", version("uwsgi"), "with opentelemetry-sdk", version("opentelemetry-sdk"))
assert workers() == (1, [False, False]), "forks in another way now"
assert workers("--py-call-uwsgi-fork-hooks") == (2, [True, True]), "forks in another way now"
EOF
venv/bin/python try.py
echo "As described."
