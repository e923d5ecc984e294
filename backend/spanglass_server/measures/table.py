"""The table of measures: each name, what it is computed from, its unit. docs/measures.md has the same table."""

from __future__ import annotations

from spanglass_server.measures.databases import DATABASE_MEASURES
from spanglass_server.measures.hosts import HOST_MEASURES
from spanglass_server.measures.objectives import OBJECTIVE_MEASURES
from spanglass_server.measures.processes import PROCESS_MEASURES
from spanglass_server.measures.requests import REQUEST_MEASURES
from spanglass_server.measures.sources import Measure
from spanglass_server.measures.tasks import TASK_MEASURES

__all__ = ["MEASURES", "Measure"]

#: All measures by name, in the order of the documentation.
MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        *REQUEST_MEASURES,
        *DATABASE_MEASURES,
        *TASK_MEASURES,
        *PROCESS_MEASURES,
        *HOST_MEASURES,
        *OBJECTIVE_MEASURES,
    )
}
