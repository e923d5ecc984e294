"""What began or ended in a service: releases, instances, hosts, by the first and last record of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, statement
from spanglass_server.signals import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession

#: What is told apart, and the attributes of resources that say it, the first that a record has.
_KINDS = {
    "release": ("resource.service.version:str",),
    "revision": ("resource.vcs.ref.head.revision:str", "resource.deployment.id:str"),
    "instance": ("resource.service.instance.id:str", "resource.process.pid:int"),
    "host": ("resource.host.name:str",),
}
_WHOLE = "service"
_MOST = 200


@dataclass(frozen=True, slots=True)
class Presence:
    """A release, revision, instance or host of a service, and from when to when records of it were seen.

    ``kind`` is ``service`` for all of its records together, with the value "".
    """

    kind: str
    value: str
    first_ns: int
    last_ns: int
    records: int


def presences(session: QuerySession, records: Records) -> Sequence[Presence]:
    """Everything of these kinds that records tell, the latest to begin first, and the service itself."""
    known = {kind: [name for name in names if name in records.known] for kind, names in _KINDS.items()}
    known = {kind: names for kind, names in known.items() if names}
    columns = sorted({name for names in known.values() for name in names})
    texts = {kind: ", ".join(f"{quote_identifier(name)}::VARCHAR" for name in names) for kind, names in known.items()}
    texts[_WHOLE] = "''"
    found = statement(
        "comparing/presences",
        selected=Sql(", ".join(f"coalesce({text}) AS {kind}" for kind, text in texts.items())),
        kind=Sql("CASE " + " ".join(f"WHEN grouping({kind}) = 0 THEN '{kind}'" for kind in texts) + " END"),
        value=Sql(f"coalesce({', '.join(texts)})"),
        sets=Sql(", ".join(f"({kind})" for kind in texts)),
        time=Sql(records.time),
        relation=records.relation(session, columns),
        where=records.predicate,
        count=_MOST,
    )
    return [Presence(**row) for row in rows(session, found)]
