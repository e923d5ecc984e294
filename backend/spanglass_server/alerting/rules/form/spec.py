"""The keys of an alert rule: the one place that says how each is written."""

from __future__ import annotations

from functools import partial

from spanglass_core.alerting.rule import Rule
from spanglass_server.alerting.rules.form import checks, shorter
from spanglass_server.alerting.rules.form.kinds import Condition, Level, Severe, Share, Template
from spanglass_server.forms.kinds import Address, Choice, Duration, Flag, Many, Number, Text, Texts, Uid
from spanglass_server.forms.listed import Listed
from spanglass_server.forms.names import with_uid
from spanglass_server.forms.shapes import Shape

_SECOND_NS = 10**9
_MAX_SAMPLES = 10**12

_NAMED = Text(may_be_empty=False)
_DURATION = Duration(may_be_off=True, none="0s")
_INTERVAL = Duration(_SECOND_NS, may_be_off=True, none="0s")
_LABEL = r"[A-Za-z_][A-Za-z0-9_.]{0,199}"

RULE = Shape(
    Rule,
    {
        "name": _NAMED,
        "uid": Uid("rule"),
        "condition": Condition(),
        "severity": Severe(),
        "warning": Level(),
        "error": Level(),
        "critical": Level(),
        "recovery": Level(),
        "hysteresis": Share(),
        "for": _DURATION,
        "keep_firing_for": _DURATION,
        "interval": _INTERVAL,
        "delay": _DURATION,
        "window": _INTERVAL,
        "min_samples": Number(0, _MAX_SAMPLES, whole=True),
        "no_data": Choice("keep", "ok", "alert"),
        "by": Many(_NAMED, most=20, alone=True),
        "labels": Texts(Template(), _LABEL, "use letters, digits, _ and dots, such as team"),
        "title": Template(),
        "description": Template(),
        "channels": Many(_NAMED, most=50, alone=True),
        "responses": Many(_NAMED, most=10, alone=True),
        "runbook": Address(),
        "owner": Text(),
        "enabled": Flag(),
        "annotations": Texts(Template(), _LABEL, "use letters, digits, _ and dots, such as summary"),
    },
    unfold=partial(with_uid, kind="rule"),
    fold=shorter.fold_rule,
    check=checks.check_rule,
    always=frozenset({"severity"}),
)

RULES: Listed[Rule] = Listed(RULE, "alert_rules", "rule", "alert rules")
