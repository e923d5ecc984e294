"""CPU time that telemetry costs per request, beside plain OpenTelemetry and sentry-sdk: docs/app/overhead.md.

Run it alone on the machine: python benchmarks/overhead.py --rounds 5
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from app_overhead.client import load
from app_overhead.process import CLIENT_CORE, application, cpu_s, free_port, rss_mib, sink
from app_overhead.startup import start_costs
from app_overhead.variants import VARIANTS, prepare

OUT = Path(__file__).parent / "out" / "overhead.json"
#: What is measured: the framework, what a request asks for, and how the shop reads its database.
WORK = {
    "fastapi": ("products", "carts", "exports"),
    "fastapi-sqlalchemy": ("products",),
    "flask": ("products", "carts", "exports"),
    "django": ("products", "carts", "exports"),
}
_WORDS = {"products": "one query", "carts": "ten queries", "exports": "one query, streamed in 20 parts"}


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    names = [name for name in VARIANTS if not arguments.only or name in arguments.only]
    prepare(names)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(CLIENT_CORE)})
    result: dict[str, Any] = {"requests": arguments.requests, "rounds": arguments.rounds, "work": {}}
    with tempfile.TemporaryDirectory() as folder, sink() as own_port:
        sink_port = arguments.to or own_port
        database = _database(Path(folder))
        for shop, path in () if arguments.start_only else _chosen(arguments):
            runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
            for _ in range(arguments.rounds):
                for name in names:  # in turn, so that what else the machine does falls on all alike
                    runs[name].append(_run(name, shop, path, database, arguments.requests, sink_port))
            title = f"{shop}, {_WORDS[path]}"
            result["work"][title] = _summary(runs)
            print(_table(title, result["work"][title]), flush=True)
        result["sink"] = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{own_port}/counts").read())
        result["start"] = start_costs(names, arguments.rounds, sink_port)
        print(_start_table(result["start"]))
    OUT.parent.mkdir(exist_ok=True)
    if arguments.start_only and OUT.exists():
        result = json.loads(OUT.read_text()) | {"start": result["start"]}
    OUT.write_text(json.dumps(result, indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=10_000, help="of each run, after a tenth as warming up")
    parser.add_argument("--only", action="append", help="a variant; may be repeated")
    parser.add_argument("--shop", action="append", choices=list(WORK), help="a framework; may be repeated")
    parser.add_argument("--path", action="append", choices=list(_WORDS), help="what is asked for; may be repeated")
    parser.add_argument("--start-only", action="store_true", help="measure what starts cost, and no requests")
    parser.add_argument("--to", type=int, metavar="PORT", help="send to a server here instead of the sink")
    return parser.parse_args()


def _chosen(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    shops = arguments.shop or list(WORK)
    return [(shop, path) for shop in shops for path in WORK[shop] if not arguments.path or path in arguments.path]


def _database(folder: Path) -> str:
    path = str(folder / "shop.db")
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
        rows = [(number, f"product {number}", number / 4) for number in range(1, 101)]
        connection.executemany("INSERT INTO product VALUES (?, ?, ?)", rows)
    return path


def _run(name: str, shop: str, path: str, database: str, requests: int, sink_port: int) -> dict[str, float]:
    variant = VARIANTS[name]
    port = free_port()
    framework, _, query = shop.partition("-")
    environ = variant.environ(sink_port) | {
        "APP_DATABASE": database,
        "APP_QUERY": query or "sqlite3",
        "DJANGO_SETTINGS_MODULE": "django_settings",
    }
    with application(variant.command(framework, port), environ, port) as pid:
        load(port, path, requests // 10)
        before_s = cpu_s(pid)
        done = load(port, path, requests)
        time.sleep(6)  # what still waits is sent within 5 s, by everyone's default; it counts as well
        spent_s = cpu_s(pid) - before_s
        if done.failures:
            raise SystemExit(f"{name}: {done.failures} answers were not 200")
        return {
            "cpu_us": spent_s / requests * 1e6,
            "per_s": requests / done.seconds,
            "p50_ms": done.quantile_ms(0.5),
            "p99_ms": done.quantile_ms(0.99),
            "rss_mib": rss_mib(pid),
        }


def _summary(runs: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for name, made in runs.items():
        rows[name] = {key: statistics.median(run[key] for run in made) for key in made[0]}
        rows[name]["runs_cpu_us"] = [round(run["cpu_us"], 1) for run in made]
    base = rows.get("bare", {}).get("cpu_us", 0.0)
    for row in rows.values():
        row["over_us"] = row["cpu_us"] - base
    plain = rows.get("opentelemetry", {}).get("over_us", 0.0)
    for row in rows.values():
        row["to_plain"] = row["over_us"] / plain if plain else None
    return rows


def _table(title: str, rows: dict[str, dict[str, Any]]) -> str:
    lines = [
        f"| {title} | CPU µs/request | over bare | to OpenTelemetry | requests/s | p50 ms | p99 ms | MiB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in rows.items():
        ratio = f"{row['to_plain']:.2f}" if row["to_plain"] else ""
        lines.append(
            f"| {name} | {row['cpu_us']:.0f} | {row['over_us']:.0f} | {ratio} | {row['per_s']:.0f} | "
            f"{row['p50_ms']:.2f} | {row['p99_ms']:.2f} | {row['rss_mib']:.0f} |"
        )
    return "\n".join([*lines, ""])


def _start_table(rows: dict[str, dict[str, dict[str, Any]]]) -> str:
    lines = ["| start with | | CPU ms | wall ms | MiB | modules |", "|---|---|---:|---:|---:|---:|"]
    for libraries, variants in rows.items():
        lines += [
            f"| {libraries} | {name} | {row['cpu_ms']:.0f} | {row['wall_ms']:.0f} | {row['rss_mib']:.1f} "
            f"| {row['modules']:.0f} |"
            for name, row in variants.items()
        ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
