"""Health as the API shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.units import format_duration
from spanglass_server.health.form.spec import CHECKS
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from spanglass_server.api.health import answers
    from spanglass_server.health.check import Check
    from spanglass_server.health.desk import HealthDesk
    from spanglass_server.health.model import Call, Change, CheckView, Component, Overall, Run, Uptime


def _time(time_ns: int) -> str | None:
    return format_time(time_ns) if time_ns else None


def overall_json(overall: Overall) -> answers.StatusJson:
    """The whole."""
    return {
        "status": overall.status.value,
        "score": overall.score,
        "since_time": format_time(overall.since_ns),
        "time": format_time(overall.time_ns),
        "reasons": [
            {
                "component": reason.component,
                "name": reason.name,
                "status": reason.status.value,
                "text": reason.text,
                "points": reason.points,
            }
            for reason in overall.reasons
        ],
        "counts": {str(status): count for status, count in overall.counts.items()},
    }


def component_json(component: Component) -> answers.ComponentJson:
    """One component."""
    return {
        "uid": component.uid,
        "name": component.name,
        "area": component.area,
        "status": component.status.value,
        "since_time": _time(component.since_ns),
        "last_time": _time(component.last_ns),
        "latency_ns": component.latency_ns,
        "reason": component.reason,
        "sources": list(component.sources),
        "checks": list(component.checks),
        "critical": component.critical,
        "service": component.service or None,
        "host": component.host or None,
        "public": component.public,
        "figures": {name: {"value": each.value, "unit": each.unit} for name, each in component.figures.items()},
    }


def check_json(view: CheckView) -> answers.CheckJson:
    """One check as a row of a list."""
    return {
        "uid": view.uid,
        "name": view.name,
        "kind": view.kind,
        "area": view.area,
        "component": view.component,
        "source": view.source,
        "critical": view.critical,
        "enabled": view.enabled,
        "status": view.status.value,
        "since_time": _time(view.since_ns),
        "last_time": _time(view.last_ns),
        "latency_ns": view.latency_ns,
        "detail": view.detail,
        "flapping": view.flapping,
        "interval_ns": view.interval_ns or None,
        "service": view.service or None,
        "instances": view.instances,
        "public": view.public,
        "target": target_of(view.found.value) if view.found is not None else "",
        "figures": dict(view.figures),
    }


def check_page(view: CheckView, desk: HealthDesk) -> answers.CheckPage:
    """One check with everything."""
    found = view.found
    check = found.value if found is not None else None
    is_kept = found is not None and found.origin == "kept"
    is_heartbeat = check is not None and check.heartbeat is not None
    page: answers.CheckPage = {
        **check_json(view),
        "check": CHECKS.to_json(check) if check is not None else None,
        "yaml": CHECKS.to_yaml([check]) if check is not None else None,
        "version": found.version if found is not None else None,
        "origin": None if found is None else "kept" if is_kept else "settings",
        "file": found.file if found is not None else None,
        "line": found.line or None if found is not None else None,
        "editable": is_kept,
        "description": check.description if check is not None else "",
        "owner": check.owner if check is not None else "",
        "runbook": check.runbook if check is not None else "",
        "next_time": _time(desk.next_ns(view.uid)),
        "heartbeat_path": desk.heartbeat_path(view.uid) if is_heartbeat else None,
        "runs": [run_json(run) for run in desk.runs(view.uid)],
        "calls": [_call_json(call) for call in desk.calls(view.uid)] if is_heartbeat else [],
    }
    return page


def target_of(check: Check) -> str:
    """What a check looks at, in a line; of a heartbeat when its call is due."""
    options: Any = check.options
    for name in ("url", "address", "name"):
        if getattr(options, name, ""):
            return str(getattr(options, name))
    if check.heartbeat is not None:
        beat = check.heartbeat
        return f"cron {beat.cron}" if beat.cron else f"called every {format_duration(beat.every_ns)}"
    return " ".join(options.command)


def run_json(run: Run) -> answers.RunJson:
    """One run."""
    return {
        "time": format_time(run.started_ns),
        "latency_ns": run.latency_ns,
        "status": run.status.value,
        "detail": run.detail,
        "figures": dict(run.figures),
    }


def _call_json(call: Call) -> answers.CallJson:
    return {"time": format_time(call.time_ns), "kind": call.kind, "text": call.text}


def change_json(change: Change) -> answers.ChangeJson:
    """One change of a status."""
    return {
        "subject": change.subject,
        "time": format_time(change.time_ns),
        "status": change.status.value,
        "previous": change.previous.value,
        "detail": change.detail,
    }


def uptime_json(uptime: Uptime, steps: list[Uptime]) -> answers.UptimeJson:
    """An uptime, with those of the steps of its range."""
    return {
        "start_time": format_time(uptime.start_ns),
        "end_time": format_time(uptime.end_ns),
        "share": uptime.share,
        "known_ns": uptime.known_ns,
        "down_ns": uptime.down_ns,
        "degraded_ns": uptime.degraded_ns,
        "outages": [
            {"start_time": format_time(each.start_ns), "end_time": _time(each.end_ns), "detail": each.detail}
            for each in uptime.outages
        ],
        "days": [
            {
                "start_time": format_time(step.start_ns),
                "uptime": step.share,
                "known_ns": step.known_ns,
                "down_ns": step.down_ns,
                "degraded_ns": step.degraded_ns,
            }
            for step in steps
        ],
    }
