"""Bodies of requests about objectives: one as JSON or YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.api.alerting.bodies import BY
from spanglass_server.api.fields import body_schema
from spanglass_server.api.schema import STRING
from spanglass_server.api.written import VERSION, Written
from spanglass_server.slo.form.spec import OBJECTIVES

if TYPE_CHECKING:
    from spanglass_server.slo.model import Objective

WRITTEN: Final[Written[Objective]] = Written(OBJECTIVES, "slo", "slos.md", "/api/v1/slos/check")
KEPT: Final = body_schema({**WRITTEN.fields, "version": VERSION, "by": BY})
TYPED: Final = body_schema(WRITTEN.fields)
OPENSLO: Final = body_schema({"yaml": {**STRING, "description": "documents of OpenSLO"}})
