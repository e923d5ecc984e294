"""Calls and answers about who hears of alerts: silences, deliveries, who is on call, and why somebody is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from spanglass.client.answers import Json, known, time_of
from spanglass.client.calls import Call, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any

_API = "/api/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A silence; ``text`` are its matchers as people write them, ``hides`` counts open alerts that match now."""

    id: str
    state: str
    text: str
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    hides: int = 0
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Silence:
        """Read an object of the API."""
        return cls(**known(cls, raw, dict.fromkeys(("starts_at", "ends_at"), time_of)), raw=raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What was told over a channel, and what became of it: ``waiting``, ``sent``, ``failed`` or ``digested``."""

    id: str
    channel: str
    reason: str
    state: str
    title: str
    why: str
    attempts: int
    created_at: datetime
    done_at: datetime | None = None
    error: str | None = None
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Delivery:
        """Read an object of the API."""
        return cls(**known(cls, raw, dict.fromkeys(("created_at", "done_at"), time_of)), raw=raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryList:
    """Deliveries, the newest first; ``next_cursor`` is that of the next page, None on the last."""

    deliveries: tuple[Delivery, ...]
    next_cursor: str | None = None

    @classmethod
    def of(cls, raw: Json) -> DeliveryList:
        """Read the API's answer."""
        return cls(deliveries=tuple(map(Delivery.of, raw["deliveries"])), next_cursor=raw.get("next_cursor"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Who hears of an alert: ``text`` in sentences, ``channels`` those of all routes that take it.

    ``muted`` says by what nobody is told now (``silence``, ``inhibition``), None if people are.
    """

    text: tuple[str, ...]
    channels: tuple[str, ...]
    muted: str | None = None
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Explanation:
        """Read the API's answer."""
        channels = dict.fromkeys(channel for hearing in raw["hearings"] for channel in hearing["channels"])
        muted = raw["muted"]["by"] if raw.get("muted") else None
        return cls(text=tuple(raw["text"]), channels=tuple(channels), muted=muted, raw=raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """Who is on call in a rota, until when, and who is next; None for nobody, and where it is not known."""

    rota: str
    person: str | None
    until: datetime | None
    next_person: str | None
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> OnCall:
        """Read an object of the API."""
        now, following = raw["now"], raw["next"] or {}
        return cls(
            rota=raw["rota"],
            person=now["person"],
            until=time_of(now["end"]),
            next_person=following.get("person"),
            raw=raw,
        )


def get_silences(state: str) -> Call[tuple[Silence, ...]]:
    """Silences in a state."""
    params = {"state": state, "limit": 1000}
    return Call("GET", f"{_API}/silences", lambda raw: tuple(map(Silence.of, raw["silences"])), params)


def create_silence(matchers: str | Sequence[str], duration: str, comment: str, by: str) -> Call[Silence]:
    """A new silence."""
    given = matchers if isinstance(matchers, str) else list(matchers)
    body = {"matchers": given, "duration": duration, "comment": comment, **({"by": by} if by else {})}
    return Call("POST", f"{_API}/silences", Silence.of, {}, body)


def end_silence(silence_id: str, by: str) -> Call[Silence]:
    """The end of a silence."""
    return Call("DELETE", f"{_API}/silences/{quote(silence_id, safe='')}", Silence.of, {}, by=by)


def explain(alert: str | Mapping[str, str], severity: str | None) -> Call[Explanation]:
    """Who hears of an alert."""
    body: dict[str, Any] = {"alert": alert} if isinstance(alert, str) else {"labels": dict(alert)}
    if severity is not None:
        body["severity"] = severity
    return Call("POST", f"{_API}/notifications/explain", Explanation.of, {}, body)


def get_deliveries(filters: Mapping[str, Any]) -> Call[DeliveryList]:
    """Deliveries that match."""
    return Call("GET", f"{_API}/deliveries", DeliveryList.of, plain(filters))


def get_on_call(at: str) -> Call[tuple[OnCall, ...]]:
    """Who is on call in all rotas."""
    return Call("GET", f"{_API}/on-call", lambda raw: tuple(map(OnCall.of, raw["rotas"])), {"at": at})
