"""What a service is called: its ``service.name``, and one name for all that have none.

Whatever shows, filters or groups by services reads the name here, or the SQL of
``query/language/compiling/service_sql.py``.
"""

from __future__ import annotations

#: The stored column.
SERVICE = "resource.service.name:str"
#: What a service is called whose name is absent, empty or blank; SDKs must send this one themselves (resource semantic
#: conventions).
UNKNOWN_SERVICE = "unknown_service"
#: What health checks of the server are told as, where they name no service.
OWN_SERVICE = "spanglass"
BLANKS = " \t\n\r\f\v"


def service_name(stored: str | None) -> str:
    """Return the name of a service as it is shown."""
    return stored if stored and stored.strip(BLANKS) else UNKNOWN_SERVICE
