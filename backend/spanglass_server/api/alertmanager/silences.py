"""Silences as Alertmanager's clients make and see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.api.alertmanager.bodies import filters_of, silence_of
from spanglass_server.api.alertmanager.endpoint import AlertmanagerRoute
from spanglass_server.api.errors import ApiError
from spanglass_server.api.notifications.shown import silence_state
from spanglass_server.notifications.desk import SilenceError
from spanglass_server.notifications.routing.matchers import all_hold
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.api.alertmanager.endpoint import Asked
    from spanglass_server.notifications.desk import NotificationDesk
    from spanglass_server.notifications.model import Matcher, Silence

_CLIENT = "a client of Alertmanager"


@dataclass(frozen=True, slots=True)
class Silences:
    """The handlers."""

    desk: NotificationDesk

    def list_(self, asked: Asked) -> list[dict[str, Any]]:
        """Return those that are meant, ended ones too."""
        wanted, makers = filters_of(asked), asked.query.get("creator", [])
        found = [
            silence
            for silence in self.desk.silences(ended_after_ns=0)
            if _is_meant(silence, wanted) and (not makers or silence.created_by in makers)
        ]
        order = ("active", "pending", "expired")
        found.sort(key=lambda silence: (order.index(silence_state(silence, asked.now_ns)), silence.ends_ns))
        return [_json(silence, asked.now_ns) for silence in found]

    def get(self, asked: Asked) -> dict[str, Any]:
        """Return one."""
        return _json(self._found(asked.path["id"]), asked.now_ns)

    def post(self, asked: Asked) -> dict[str, Any]:
        """Make one, or change one."""
        new, by, silence_id = silence_of(asked)
        if silence_id:
            self._found(silence_id)
        try:
            return {"silenceID": self.desk.silence(new, by or _CLIENT, silence_id).id}
        except SilenceError as error:
            raise ApiError("bad_request", f"silence invalid: {error}", field=error.field) from error
        except OSError as error:
            raise ApiError("unavailable", f"the silence could not be kept: {error}") from error

    def expire(self, asked: Asked) -> None:
        """End one."""
        self._found(asked.path["id"])
        try:
            self.desk.expire(asked.path["id"], "")
        except SilenceError as error:
            raise ApiError("bad_request", str(error)) from error
        except OSError as error:
            raise ApiError("unavailable", f"the change could not be kept: {error}") from error

    def _found(self, silence_id: str) -> Silence:
        for silence in self.desk.silences(ended_after_ns=0):
            if silence.id == silence_id:
                return silence
        raise ApiError("not_found", f"there is no silence {silence_id}")


def _is_meant(silence: Silence, wanted: Sequence[Matcher]) -> bool:
    """Whether a filter holds of the names and values that a silence's own matchers say."""
    return all_hold(wanted, {matcher.name: matcher.value for matcher in silence.matchers})


def _json(silence: Silence, now_ns: int) -> dict[str, Any]:
    return {
        "id": silence.id,
        "status": {"state": silence_state(silence, now_ns)},
        "updatedAt": format_time(silence.updated_ns),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "startsAt": format_time(silence.starts_ns),
        "endsAt": format_time(silence.ends_ns),
        "matchers": [
            {
                "name": matcher.name,
                "value": matcher.value,
                "isRegex": "~" in matcher.operator,
                "isEqual": not matcher.operator.startswith("!"),
            }
            for matcher in silence.matchers
        ],
    }


def silence_routes(desk: NotificationDesk) -> tuple[AlertmanagerRoute, ...]:
    """Return the routes about silences."""
    ask = Silences(desk)
    return (
        AlertmanagerRoute(path="/silences", summary="Silences.", parameters=("filter", "creator"), answer=ask.list_),
        AlertmanagerRoute(path="/silences", method="POST", summary="Make a silence, or change one.", answer=ask.post),
        AlertmanagerRoute(path="/silence/{id}", summary="One silence.", answer=ask.get),
        AlertmanagerRoute(path="/silence/{id}", method="DELETE", summary="End a silence.", answer=ask.expire),
    )
