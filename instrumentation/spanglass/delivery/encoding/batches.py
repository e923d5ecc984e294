"""A batch as one OTLP request: grouped by resource and scope, and never lost for one item in it.

Requests of traces and of logs differ in the items only: opentelemetry/proto/{trace/v1/trace,logs/v1/logs}.proto
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from spanglass.delivery.encoding.caches import Caches
from spanglass.delivery.encoding.values import BYTES, block, tag
from spanglass.guard import guarded, swallow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

_FIRST, _SECOND, _THIRD = (tag(field, BYTES) for field in (1, 2, 3))


class _Item(Protocol):
    @property
    def resource(self) -> Resource: ...
    @property
    def instrumentation_scope(self) -> InstrumentationScope | None: ...


Item = TypeVar("Item", bound=_Item)


class BatchEncoder(Generic[Item]):
    """Encodes the batches of one signal; ``what`` names its items, ``encode_item`` gives an item's message.

    ``upstream`` encodes a request by OpenTelemetry's encoder: for items that ours has no bytes for.
    """

    def __init__(
        self,
        what: str,
        encode_item: Callable[[Item, Caches], bytes],
        upstream: Callable[[Sequence[Item]], bytes],
    ) -> None:
        self._doing = f"encode {what}"
        self._encode_item = encode_item
        self._upstream = upstream
        self._caches = Caches()

    def encode(self, items: Sequence[Item]) -> tuple[bytes, int]:
        """Return a request, and how many of the items are in it: all but those that nobody can encode. Never raises."""
        try:
            return self._request(items), len(items)
        except Exception as error:  # noqa: BLE001 - whatever stands where an id, a time or a context should
            swallow(self._doing, error)
        bodies = [body for item in items if (body := self._alone(item))]
        return b"".join(bodies), len(bodies)  # requests one after the other are one request

    def _alone(self, item: Item) -> bytes:
        with suppress(Exception):  # which was counted with the batch
            return self._request([item])
        with guarded(self._doing):
            return self._upstream([item])
        return b""

    def _request(self, items: Sequence[Item]) -> bytes:
        resources: dict[Resource, dict[InstrumentationScope | None, list[bytes]]] = {}
        # Hashing a resource takes 20 us, and a scope one: each object is looked up once. It is held meanwhile, so that
        # its id is not another's.
        places: dict[tuple[int, int], tuple[list[bytes], object, object]] = {}
        encode, caches = self._encode_item, self._caches
        for item in items:
            resource, scope = item.resource, item.instrumentation_scope
            place = places.get((id(resource), id(scope)))
            if place is None:
                found = resources.setdefault(resource, {}).setdefault(scope, [])
                places[id(resource), id(scope)] = place = (found, resource, scope)
            place[0].append(encode(item, caches))
        return b"".join([_FIRST + block(self._resource(each, scopes)) for each, scopes in resources.items()])

    def _resource(self, resource: Resource, scopes: dict[InstrumentationScope | None, list[bytes]]) -> bytes:
        parts = [_FIRST, block(self._caches.attributes(_FIRST, resource.attributes))]
        for scope, encoded in scopes.items():
            parts += (_SECOND, block(self._scope(scope, encoded)))
        if resource.schema_url:
            parts += (_THIRD, self._caches.text(resource.schema_url))
        return b"".join(parts)

    def _scope(self, scope: InstrumentationScope | None, encoded: list[bytes]) -> bytes:
        text = self._caches.text
        parts = [_FIRST, b"\0"]
        if scope is not None:
            attributes = self._caches.attributes(_THIRD, scope.attributes)
            parts[1] = block(_FIRST + text(scope.name) + _SECOND + text(scope.version) + attributes)
            if scope.schema_url:
                parts += (_THIRD, text(scope.schema_url))
        return b"".join(parts) + _SECOND + _SECOND.join(map(block, encoded))
