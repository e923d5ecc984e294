"""Alerts as Alertmanager's clients post and see them: all open ones, whoever raised them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.alerting.posted import RESOLVE_TIMEOUT_NS, TooManyAlertsError
from spanglass_server.api.alertmanager.bodies import filters_of, flag, posted_of
from spanglass_server.api.alertmanager.endpoint import AlertmanagerRoute
from spanglass_server.api.errors import ApiError
from spanglass_server.notifications.model import Matcher
from spanglass_server.notifications.routing.groups import group_key, grouping_labels
from spanglass_server.notifications.routing.matchers import MatcherError, all_hold, check_pattern, holds
from spanglass_server.notifications.routing.muting import Muting
from spanglass_server.notifications.routing.tree import channels_of, matching
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass_server.alerting.model import Alert
    from spanglass_server.alerting.posted import PostedAlerts
    from spanglass_server.api.alertmanager.endpoint import Asked
    from spanglass_server.notifications.desk import NotificationDesk
    from spanglass_server.notifications.model import Route, Subject

_FLAGS = ("active", "silenced", "inhibited", "unprocessed")
_RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class _Shown:
    """An open alert as it is shown, with the routes that take it and their channels."""

    subject: Subject
    routes: tuple[tuple[Route, tuple[str, ...]], ...]
    json: dict[str, Any]

    @property
    def channels(self) -> list[str]:
        """All channels, each once."""
        return list(dict.fromkeys(channel for _, channels in self.routes for channel in channels))


@dataclass(frozen=True, slots=True)
class Alerts:
    """The handlers."""

    desk: NotificationDesk
    posted: PostedAlerts

    def post(self, asked: Asked) -> None:
        """Take what a client posts."""
        alerts = posted_of(asked)
        try:
            self.posted.post(alerts)
        except TooManyAlertsError as error:
            raise ApiError("bad_request", str(error)) from error
        except OSError as error:
            raise ApiError("unavailable", f"the alerts could not be kept: {error}") from error

    def list_(self, asked: Asked) -> list[dict[str, Any]]:
        """Return open alerts that are wanted."""
        return [each.json for each in self._wanted(asked)]

    def groups(self, asked: Asked) -> list[dict[str, Any]]:
        """Return them by group and channel."""
        groups: dict[tuple[str, str], dict[str, Any]] = {}
        pattern = _receiver_of(asked)
        for each in self._wanted(asked):
            for route, channels in each.routes:
                labels = grouping_labels(route, each.subject.labels)
                key = group_key(route, labels, channels)
                for channel in channels:
                    if _is_named(channel, pattern):
                        group = {"labels": dict(labels), "receiver": {"name": channel}, "alerts": []}
                        groups.setdefault((key, channel), group)["alerts"].append(each.json)
        return [groups[key] for key in sorted(groups)]

    def _wanted(self, asked: Asked) -> Iterator[_Shown]:
        matchers, pattern = filters_of(asked), _receiver_of(asked)
        wanted = {name: flag(asked, name) for name in _FLAGS}
        for each in self._open(asked):
            if (
                all_hold(matchers, each.subject.labels)
                and (pattern is None or any(_is_named(channel, pattern) for channel in each.channels))
                and _is_wanted(each.json["status"], wanted)
            ):
                yield each

    def _open(self, asked: Asked) -> Iterator[_Shown]:
        """All open alerts, those with the smallest labels first."""
        root = self.desk.book.configuration().route
        pairs = [(self.desk.subject(alert), alert) for alert in self.desk.open_alerts()]
        pairs.sort(key=lambda pair: sorted(pair[0].labels.items()))
        subjects = [subject for subject, _ in pairs]
        muting = Muting(self.desk.book.configuration(), self.desk.silences(), subjects, asked.now_ns)
        fingerprints = {alert.id: alert.fingerprint for _, alert in pairs}
        for subject, alert in pairs:
            routes = tuple((route, channels_of(route, subject)) for route in matching(root, subject.labels))
            shown = _Shown(subject, routes, self._json(alert, subject, asked))
            shown.json["receivers"] = [{"name": channel} for channel in shown.channels]
            shown.json["status"] = _status(subject, muting, fingerprints)
            yield shown

    def _json(self, alert: Alert, subject: Subject, asked: Asked) -> dict[str, Any]:
        posted = alert.evidence.get("posted", {})
        ends_ns = self.posted.ends_ns(alert.fingerprint) or asked.now_ns + RESOLVE_TIMEOUT_NS
        return {
            "fingerprint": alert.fingerprint,
            "labels": dict(subject.labels),
            "annotations": posted.get("annotations") or _annotations(alert),
            "startsAt": posted.get("starts_at") or format_time(alert.created_ns),
            "updatedAt": format_time(alert.updated_ns),
            "endsAt": format_time(ends_ns),
            "generatorURL": posted.get("generator_url") or f"{asked.base_url}/alerts/{alert.id}",
        }


def _status(subject: Subject, muting: Muting, fingerprints: Mapping[str, str]) -> dict[str, Any]:
    """What mutes an alert: silences by their ids, another alert by its fingerprint."""
    muted, silences = muting.of(subject), [silence.id for silence in muting.silences(subject.labels)]
    inhibitors = [fingerprints[muted.alert_id]] if muted is not None and muted.by == "inhibition" else []
    state = "suppressed" if inhibitors or silences else "active"
    return {"state": state, "silencedBy": silences, "inhibitedBy": inhibitors}


def _is_named(channel: str, pattern: Matcher | None) -> bool:
    return pattern is None or holds(pattern, {_RECEIVER: channel})


def _annotations(alert: Alert) -> dict[str, str]:
    given = {"summary": alert.title, "description": alert.description, "runbook_url": alert.runbook}
    return {name: text for name, text in given.items() if text}


def _is_wanted(status: dict[str, Any], wanted: dict[str, bool]) -> bool:
    if status["state"] == "active":
        return wanted["active"]
    return (wanted["silenced"] or not status["silencedBy"]) and (wanted["inhibited"] or not status["inhibitedBy"])


def _receiver_of(asked: Asked) -> Matcher | None:
    """The regular expression on the names of channels, None for any."""
    given = [text for text in asked.query.get(_RECEIVER, ()) if text]
    if not given:
        return None
    try:
        check_pattern(given[-1])
    except MatcherError as error:
        raise ApiError("bad_request", error.message, field=_RECEIVER, hint=error.hint or None) from error
    return Matcher(_RECEIVER, "=~", given[-1])


def alert_routes(desk: NotificationDesk, posted: PostedAlerts) -> tuple[AlertmanagerRoute, ...]:
    """Return the routes about alerts."""
    ask = Alerts(desk, posted)
    parameters = (*_FLAGS, "filter", _RECEIVER)
    return (
        AlertmanagerRoute(path="/alerts", summary="Open alerts.", parameters=parameters, answer=ask.list_),
        AlertmanagerRoute(path="/alerts", method="POST", summary="Post alerts.", answer=ask.post),
        AlertmanagerRoute(
            path="/alerts/groups", summary="Open alerts by group.", parameters=parameters, answer=ask.groups
        ),
    )
