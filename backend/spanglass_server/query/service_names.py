"""What a service is called: its ``service.name``, and one name for all that have none.

Lists, filters, facets and pages all read the name here. Comparisons with a name that is stored leave the column bare,
so that storage can skip by it.
"""

from __future__ import annotations

from spanglass_server.query.language.sql import Sql
from spanglass_server.signals import quote_identifier, quote_text

SERVICE = "resource.service.name:str"
SERVICE_COLUMN = quote_identifier(SERVICE)
#: What a service is called whose name is absent, empty or blank; SDKs must send this one themselves (resource semantic
#: conventions).
UNKNOWN_SERVICE = "unknown_service"
_BLANKS = " \t\n\r\f\v"
#: The condition that a service has no name, in SQL.
IS_UNNAMED = f"{SERVICE_COLUMN} IS NULL OR trim({SERVICE_COLUMN}, {quote_text(_BLANKS)}) = ''"
#: The service's name in SQL.
SERVICE_NAME = Sql(f"CASE WHEN {IS_UNNAMED} THEN '{UNKNOWN_SERVICE}' ELSE {SERVICE_COLUMN} END")


def service_name(stored: str | None) -> str:
    """Return the name of a service as it is shown, as ``SERVICE_NAME`` does."""
    return stored if stored and stored.strip(_BLANKS) else UNKNOWN_SERVICE


def is_service(name: str) -> Sql:
    """Write that a span is of a service; plain for names that are stored, so that storage can skip by it."""
    name = service_name(name)
    equal = Sql(f"{SERVICE_COLUMN} = ?", (name,))
    if name != UNKNOWN_SERVICE:
        return equal
    return Sql(f"({equal.text} OR {IS_UNNAMED})", equal.parameters)
