"""The name of a service in SQL, as ``service_names.service_name`` reads it.

Comparisons with a name that is stored leave the column bare, so that storage can skip by it.
"""

from __future__ import annotations

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.service_names import BLANKS, SERVICE, UNKNOWN_SERVICE, service_name
from spanglass_server.signals import quote_identifier, quote_text

SERVICE_COLUMN = quote_identifier(SERVICE)
#: The condition that a service has no name, in SQL.
IS_UNNAMED = f"{SERVICE_COLUMN} IS NULL OR trim({SERVICE_COLUMN}, {quote_text(BLANKS)}) = ''"
#: The service's name in SQL.
SERVICE_NAME = Sql(f"CASE WHEN {IS_UNNAMED} THEN '{UNKNOWN_SERVICE}' ELSE {SERVICE_COLUMN} END")


def is_service(name: str) -> Sql:
    """Write that a span is of a service; plain for names that are stored, so that storage can skip by it."""
    name = service_name(name)
    equal = Sql(f"{SERVICE_COLUMN} = ?", (name,))
    if name != UNKNOWN_SERVICE:
        return equal
    return Sql(f"({equal.text} OR {IS_UNNAMED})", equal.parameters)
