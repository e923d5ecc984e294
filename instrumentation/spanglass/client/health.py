"""The calls about health as methods of the two clients, and what they return."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from spanglass.client.answers import known, time_of
from spanglass.client.calls import Call

if TYPE_CHECKING:
    from datetime import datetime

    from spanglass.client.answers import Json

_T = TypeVar("_T")
_TIMES = {"since_time": time_of, "last_time": time_of, "time": time_of}


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of the whole; ``status`` is healthy, degraded, unhealthy or unknown. ``sources`` say who tells."""

    uid: str
    name: str
    area: str
    status: str
    since_time: datetime | None = None
    last_time: datetime | None = None
    latency_ns: int | None = None
    reason: str = ""
    sources: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    critical: bool = True
    service: str | None = None
    host: str | None = None
    figures: Json = field(default_factory=dict)

    @classmethod
    def of(cls, raw: Json) -> Component:
        """Read an object of the API."""
        return cls(**known(cls, raw, _TIMES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How everything is: status, a score from 0 to 100, the reasons, and all components."""

    status: str
    score: int
    since_time: datetime | None
    reasons: list[Json]
    components: tuple[Component, ...]

    @classmethod
    def of(cls, raw: Json) -> Health:
        """Read the API's answer."""
        return cls(**known(cls, raw, {**_TIMES, "components": lambda each: tuple(map(Component.of, each))}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A health check with how it stands; ``kind`` is application for one that an application runs itself."""

    uid: str
    name: str
    kind: str
    status: str
    area: str = ""
    source: str = ""
    detail: str = ""
    since_time: datetime | None = None
    last_time: datetime | None = None
    latency_ns: int | None = None
    critical: bool = True
    enabled: bool = True
    flapping: bool = False
    service: str | None = None
    target: str = ""
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Check:
        """Read an object of the API; ``raw`` is all of it."""
        return cls(**known(cls, raw, _TIMES), raw=raw)


def _health() -> Call[Health]:
    return Call("GET", "/api/monitoring/health/", Health.of, {})


def _checks() -> Call[tuple[Check, ...]]:
    return Call("GET", "/api/v1/checks", lambda raw: tuple(map(Check.of, raw["checks"])), {})


def _check(uid: str) -> Call[Check]:
    return Call("GET", f"/api/v1/checks/{quote(uid, safe='')}", Check.of, {})


class HealthCalls:
    """Of the client that waits."""

    @abstractmethod
    def _run(self, call: Call[_T]) -> _T: ...

    def get_health(self) -> Health:
        """How everything is, with all components."""
        return self._run(_health())

    def get_checks(self) -> tuple[Check, ...]:
        """All health checks, those of applications too."""
        return self._run(_checks())

    def get_check(self, uid: str) -> Check:
        """One check, in ``raw`` with its runs and its written form; ``NotFoundError``."""
        return self._run(_check(uid))


class AsyncHealthCalls:
    """Of the client that is awaited."""

    @abstractmethod
    async def _run(self, call: Call[_T]) -> _T: ...

    async def get_health(self) -> Health:
        """See ``HealthCalls``."""
        return await self._run(_health())

    async def get_checks(self) -> tuple[Check, ...]:
        """See ``HealthCalls``."""
        return await self._run(_checks())

    async def get_check(self, uid: str) -> Check:
        """See ``HealthCalls``."""
        return await self._run(_check(uid))
