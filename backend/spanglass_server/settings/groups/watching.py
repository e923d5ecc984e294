"""Alert rules, objectives, notifications and health checks."""

# ruff: noqa: RUF009 - `row` makes a dataclass field, a fresh one for each line of the table

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the annotation of a setting

from spanglass_core.settings_types import BOOL, DURATION, LIST, PATH, SECRET, STR, Secret, whole
from spanglass_server.settings.command_lines import COMMAND_LINES
from spanglass_server.settings.destinations import DESTINATIONS
from spanglass_server.settings.rows import DAY_NS, SECOND_NS, row


@dataclass(frozen=True, slots=True)
class Alerting:
    """Alert rules and the alerts they raise."""

    enabled: bool = row(default=True, kind=BOOL, help_text="Whether alert rules are evaluated.")
    dir: Path | None = row(
        None, PATH, "Directory of YAML files of alert rules, Prometheus' among them, read again when they change."
    )
    shipped: bool = row(default=True, kind=BOOL, help_text="Whether the rules that come with the server are on.")
    channels: tuple[str, ...] = row((), LIST, "Channels of rules that name none.")
    interval_ns: int = row(15 * SECOND_NS, DURATION, "How often rules are evaluated that don't say.")
    delay_ns: int = row(5 * SECOND_NS, DURATION, "How long an evaluation waits for data that comes late.")
    window_ns: int = row(120 * SECOND_NS, DURATION, "Window of rates and counts that name none.")
    catch_up_ns: int = row(
        3600 * SECOND_NS, DURATION, "How far back evaluations are made up for that a stopped server missed."
    )
    silence_ns: int = row(
        300 * SECOND_NS, DURATION, "How long no record of any kind may come in before that is an alert."
    )
    keep_alerts_ns: int = row(365 * DAY_NS, DURATION, "Age at which alerts that are over are deleted; 0 keeps them.")
    max_keys: int = row(
        1000, whole(1), "Most keys (services, hosts, routes ...) of one rule; the first count, and the rule says so."
    )


@dataclass(frozen=True, slots=True)
class Anomalies:
    """Anomalies of operations, metrics and log patterns."""

    enabled: bool = row(default=True, kind=BOOL, help_text="Whether is watched what is unusual for its time.")
    max_series: int = row(2000, whole(0), "Most series of metrics that are watched, those of metrics in use first.")


@dataclass(frozen=True, slots=True)
class Slo:
    """Service level objectives."""

    dir: Path | None = row(None, PATH, "Directory of YAML files of objectives, read again when they change.")
    keep_history_ns: int = row(400 * DAY_NS, DURATION, "Age at which counts of objectives are deleted; 0 keeps them.")


@dataclass(frozen=True, slots=True)
class Notifications:
    """Telling people of alerts."""

    enabled: bool = row(default=True, kind=BOOL, help_text="Whether anybody is told of alerts.")
    attempt_timeout_ns: int = row(
        15 * SECOND_NS, DURATION, "Time after which an attempt to deliver has failed that had no answer."
    )
    concurrency: int = row(8, whole(1), "Messages that one channel delivers at once.")
    retry_for_ns: int = row(
        3600 * SECOND_NS, DURATION, "How long a message is tried again that did not arrive, from the first attempt on."
    )
    fallback_after_ns: int = row(
        120 * SECOND_NS, DURATION, "How long it is tried over a channel that has a fallback, from the decision on."
    )
    link_lifetime_ns: int = row(
        3 * DAY_NS, DURATION, "How long links in messages work that acknowledge or silence; at most 30 days."
    )
    keep_ns: int = row(
        90 * DAY_NS, DURATION, "Age at which deliveries that are done, and silences that ended, are deleted; 0 keeps."
    )
    commands: tuple[tuple[str, ...], ...] = row(
        (),
        COMMAND_LINES,
        "Commands that channels made in pages may run, each with all its arguments; the settings file may name others.",
    )
    heartbeat_url: Secret = row(
        Secret(""), SECRET, "Address outside that is called as long as alerts are evaluated and delivered."
    )
    heartbeat_interval_ns: int = row(60 * SECOND_NS, DURATION, "How often it is called.")


@dataclass(frozen=True, slots=True)
class Egress:
    """Where the server may connect to, for notifications and health checks."""

    allow: tuple[str, ...] = row(
        (),
        DESTINATIONS,
        "Hosts, addresses and networks that may be reached though they are not public, such as `hooks.corp.example`, "
        "`*.corp.example`, `10.1.0.0/16`.",
    )
    proxy: Secret = row(
        Secret(""), SECRET, "URL of the HTTP proxy for requests; those of the environment count for nothing."
    )


@dataclass(frozen=True, slots=True)
class Health:
    """Health checks that the server runs, and how components are judged by telemetry."""

    enabled: bool = row(default=True, kind=BOOL, help_text="Whether the server runs its checks.")
    check_interval_ns: int = row(30 * SECOND_NS, DURATION, "How often checks run that don't say.")
    timeout_ns: int = row(
        10 * SECOND_NS, DURATION, "Time after which a check has failed that gave no answer, unless it says another."
    )
    window_ns: int = row(
        300 * SECOND_NS, DURATION, "Time back over which calls of services, databases and others are judged."
    )
    degraded_errors_percent: int = row(5, whole(1), "Share of calls that fail, in percent, from which on is degraded.")
    unhealthy_errors_percent: int = row(50, whole(1), "Share of calls that fail, in percent, which is unhealthy.")
    keep_history_ns: int = row(400 * DAY_NS, DURATION, "Age at which changes of statuses are deleted; 0 keeps them.")
    status_page: bool = row(
        default=False,
        kind=BOOL,
        help_text="Whether anybody may see `/status`, the page of public components, and their badges.",
    )
    status_page_title: str = row("Status", STR, "What the status page is called.")
