"""Dashboards for tests of their pages: the real library and routes over a directory, and made-up answers of panels."""

from __future__ import annotations

import asyncio
import math

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from spanglass_server.api.dashboards.routes import dashboard_routes
from spanglass_server.api.factory import create_api
from spanglass_server.dashboards.library import Library
from spanglass_server.dashboards.sources.files import DirectorySource
from spanglass_server.dashboards.sources.kept import KeptDashboards
from spanglass_server.process.in_process_api import InProcessApi
from spanglass_server.store.disk import DISK
from spanglass_server.times import parse_time

HOSTS = ("web", "cart", "checkout", "payments", "mail")


class InThreads:
    """Runs what the API asks in a thread; dashboards ask nothing of storage."""

    async def run(self, query, **_):
        """Run one question."""
        return await asyncio.to_thread(query, None)


class Boards:
    """The API of dashboards over a directory of files; ``answers`` may be replaced, ``asked`` has what panels asked."""

    def __init__(self, folder, now_ns):
        self.files, self.now_ns, self.asked, self.problem = folder / "files", now_ns, [], None
        self.files.mkdir(parents=True)
        self.library = Library([DirectorySource(self.files)], KeptDashboards(folder / "kept", DISK, lambda: now_ns))
        panel_data = Route("/api/v1/dashboards/panel-data", self._panel_data, methods=["POST"])
        values = Route("/api/v1/dashboards/variables", self._values, methods=["POST"])
        names = Route("/prometheus/api/v1/{path:path}", self._names)
        real = create_api(
            dashboard_routes(self.library, lambda _: None), engine=InThreads(), clock_ns=lambda: now_ns,
            authorize=lambda _: None, deadline_s=10, version="0.1.0",
        )  # fmt: skip
        self.routes = [
            names,
            panel_data,
            values,
            *[route for route in real if "/dashboards" in getattr(route, "path", "")],
        ]

    def over(self, api):
        """Return an API for pages that knows dashboards, and all else as ``api`` does."""
        own = InProcessApi(Starlette(routes=self.routes))

        class Both:
            def __getattr__(self, name):
                return getattr(api, name)

            async def __call__(self, path, params, body=None):
                if path.startswith("/api/v1/dashboards"):
                    return await own(path, params, body)
                return await api(path, params)

        return Both()

    async def _panel_data(self, request):
        body = await request.json()
        self.asked.append(body)
        if self.problem:
            return JSONResponse({"error": self.problem}, status_code=self.problem.get("status", 400))
        times = [parse_time(request.query_params[name], self.now_ns) / 1e9 for name in ("start", "end")]
        return JSONResponse(made_up(body, *times))

    async def _names(self, request):
        kind = request.path_params["path"].rpartition("/")[0] or request.path_params["path"]
        names = {"label/__name__": ["http_requests_total", "up"], "labels": ["__name__", "job", "http_route"]}
        return JSONResponse({"status": "success", "data": names.get(kind, ["/cart", "/pay"])})

    async def _values(self, request):
        body = await request.json()
        chosen = body["variables"]
        found = [
            {
                "name": one["name"],
                "values": one["values"]
                or [f"{chosen['env'][0]}-1" if "$env" in one["query"] else host for host in HOSTS],
                "is_cut": False,
                "chosen": [],
                "error": None,
            }
            for one in body["definitions"]
        ]
        return JSONResponse({"variables": found})


def made_up(body, start, end):
    """Return waves: one for a query that sums up, else one a host; nothing for a query called so."""
    panel = body["panel"]
    text = " ".join(query["query"] for query in panel["queries"])
    step = max(15, math.ceil((end - start) / 120))
    times = [start + i * step for i in range(int((end - start) / step) + 1)]
    one = any(word in text for word in ("error_rate", "connections", "sum("))
    scale = {"ratio": 0.02, "s": 0.2, "bytes": 3e8, "percent": 60}.get(panel["unit"], 120)
    series = [
        one_series(panel, HOSTS[k] if not one else "", [wave(t, k) * scale for t in times])
        for k in range(0 if "nothing" in text or "refused" in text or panel["type"] == "heatmap" else 1 if one else 5)
    ]
    answer = {"step_ms": step * 1000, "unit": panel["unit"], "times": [t * 1000 for t in times], "series": series,
              "table": None, "heatmap": None, "records": None, "notes": [], "errors": []}  # fmt: skip
    if panel["type"] == "table":
        columns = [{"name": "service_name", "type": "text"}, {"name": "requests", "type": "number"}]
        answer |= {"series": [], "table": {"columns": columns, "rows": [[it["name"], it["value"]] for it in series]}}
    if panel["type"] == "heatmap":
        counts = [[50 * math.exp(-((k - 4 - math.sin(t / 600)) ** 2)) for t in times] for k in range(8)]
        answer["heatmap"] = {
            "bounds": [0.005, 0.01, 0.05, 0.1, 0.25, 1, 2.5, None],
            "counts": counts,
            "times": answer["times"],
        }
    if "refused" in text:
        problem = {"query": "A", "message": "only SELECT can be run here.", "line": None, "column": None}
        empty = {"columns": answer["table"]["columns"], "rows": []}
        answer |= {"table": empty, "errors": [problem | {"hint": "Query the views"}]}
    return answer


def wave(t, k):
    """Return a value from 0.1 to about 1."""
    return 0.1 + abs(math.sin(t / 700 + k) + 0.15 * math.sin(t / 61) + k / 3 + 0.3) / 2


def one_series(panel, host, values):
    """Return a series with its last value, its level, and where its traces are."""
    reached = [it["level"] for it in panel["thresholds"] if values[-1] >= it["value"]]
    return {
        "query": "A",
        "name": host,
        "labels": {"service_name": host} if host else {},
        "values": values,
        "value": values[-1],
        "level": reached[-1] if reached else None,
        "slot": HOSTS.index(host) if host else None,
        "records": {"signal": "spans", "filter": f'service.name = "{host}"'} if host else None,
    }
