"""The two levels around every OTLP record, resource and scope, flattened and spread over their records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from spanglass_server.ingest.attributes.owners import Owners
from spanglass_server.ingest.columnar import Flat, flatten, null_if_empty, null_if_zero, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.ingest.attributes.shredder import AttributeShredder


@dataclass(frozen=True, slots=True)
class Envelope:
    """The records of some requests with the way back to their scope, resource and request."""

    resources: Flat  # items: ResourceSpans and the like; rows: requests
    scopes: Flat  # items: ScopeSpans and the like; rows: resources
    records: Flat  # items: spans, log records or metrics; rows: scopes

    @property
    def scope_of(self) -> NDArray[np.int64]:
        """The scope's index for each record."""
        return self.records.parents

    @property
    def resource_of(self) -> NDArray[np.int64]:
        """The resource's index for each record."""
        return self.scopes.parents[self.records.parents]

    @property
    def request_of(self) -> NDArray[np.int64]:
        """The request's index for each record."""
        return self.resources.parents[self.resource_of]


def open_envelope(batch: Any, scopes_field: str, records_field: str) -> Envelope:
    """Flatten a record batch of requests (one row each) down to its records."""
    resources = flatten(batch.column(0))
    scopes = flatten(resources.values.field(scopes_field))
    records = flatten(scopes.values.field(records_field))
    return Envelope(resources, scopes, records)


def envelope_columns(envelope: Envelope, shredder: AttributeShredder, scope_of: NDArray[np.int64]) -> dict[str, Any]:
    """Columns of resource and scope for rows whose scopes are ``scope_of`` (ascending indexes)."""
    resources, scopes = envelope.resources.values, envelope.scopes.values
    resource_of = envelope.scopes.parents[scope_of]
    resource_owners = _owners(resource_of, len(resources))
    scope_owners = _owners(scope_of, len(scopes))
    resource, scope = resources.field("resource"), scopes.field("scope")
    by_resource = {
        "resource_schema_url": null_if_empty(resources.field("schema_url")),
        "resource_dropped_attributes_count": null_if_zero(_filled(resource.field("dropped_attributes_count"))),
        "resource_entity_refs": _entity_refs(resource.field("entity_refs")),
        **shredder.shred("resource", _lists(resource.field("attributes")), resource_owners),
    }
    by_scope = {
        "scope_name": null_if_empty(_text(scope.field("name"))),
        "scope_version": null_if_empty(_text(scope.field("version"))),
        "scope_schema_url": null_if_empty(scopes.field("schema_url")),
        "scope_dropped_attributes_count": null_if_zero(_filled(scope.field("dropped_attributes_count"))),
        **shredder.shred("scope", _lists(scope.field("attributes")), scope_owners),
    }
    columns = {name: spread(values, resource_of) for name, values in by_resource.items()}
    columns.update({name: spread(values, scope_of) for name, values in by_scope.items()})
    return columns


def _owners(ascending: NDArray[np.int64], count: int) -> Owners:
    """The range of rows that each of ``count`` envelopes owns."""
    each = np.arange(count)
    return Owners(np.searchsorted(ascending, each, "left"), np.searchsorted(ascending, each, "right"))


def _filled(numbers: Any) -> Any:
    return numbers.fill_null(0)


def _text(texts: Any) -> Any:
    return texts.fill_null("") if texts.null_count else texts


def _lists(lists: Any) -> Any:
    """A list column whose null rows (a resource or scope that was not sent) are empty."""
    return pa.ListArray.from_arrays(lists.offsets, lists.values) if lists.null_count else lists


def _entity_refs(lists: Any) -> Any:
    """``Resource.entity_refs`` as OTLP/JSON text, null where there are none; they are few, one list a resource."""
    if not len(lists.values):
        return pa.nulls(len(lists), pa.string())
    return pa.array([orjson.dumps(_camel(refs)).decode() if refs else None for refs in lists.to_pylist()], pa.string())


def _camel(refs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {"schema_url": "schemaUrl", "type": "type", "id_keys": "idKeys", "description_keys": "descriptionKeys"}
    return [{names[key]: value for key, value in ref.items() if value} for ref in refs]
