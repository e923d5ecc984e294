"""The keys of an objective: the one place that says how each is written."""

from __future__ import annotations

from functools import partial
from typing import Final

from spanglass_server.forms.kinds import Address, Choice, Duration, Flag, Many, Number, Text, Uid, Zone
from spanglass_server.forms.listed import Listed
from spanglass_server.forms.names import with_uid, without_uid
from spanglass_server.forms.shapes import Shape
from spanglass_server.query.language.filter_kind import Filter
from spanglass_server.slo.form import checks
from spanglass_server.slo.form.kinds import Target
from spanglass_server.slo.model import WINDOWS, Objective

#: Rules of an objective are called after it, so that its uid is shorter than others.
UID_PATTERN: Final = r"[a-z0-9][a-z0-9_-]{0,79}"
_NAMED: Final = Text(may_be_empty=False)

OBJECTIVE: Final = Shape(
    Objective,
    {
        "name": _NAMED,
        "uid": Uid("slo", UID_PATTERN, 80),
        "target": Target(),
        "window": Choice(*WINDOWS),
        "time_zone": Zone(),
        "spans": Filter(),
        "good": Filter(),
        "latency": Duration(1000, may_be_off=True, none="0s"),
        "check": Text(),
        "alerts": Flag(),
        "min_events": Number(0, 10**9, whole=True),
        "channels": Many(_NAMED, most=50, alone=True),
        "service": Text(),
        "description": Text(),
        "owner": Text(),
        "runbook": Address(),
        "enabled": Flag(),
    },
    unfold=partial(with_uid, kind="slo"),
    fold=partial(without_uid, kind="slo"),
    check=checks.check_objective,
)

OBJECTIVES: Final[Listed[Objective]] = Listed(OBJECTIVE, "slos", "objective", "objectives", is_setting=False)
