"""The keys of a dashboard, of its panels, queries and variables: the one place that says how each is written."""

from __future__ import annotations

from functools import partial

from spanglass_server.dashboards import model
from spanglass_server.dashboards.form import checks, shorter
from spanglass_server.forms.kinds import Choice, Duration, Flag, Many, Number, Text, Uid
from spanglass_server.forms.listed import Listed
from spanglass_server.forms.names import SLUG_PATTERN, with_uid
from spanglass_server.forms.shapes import Shape

_SECOND_NS = 10**9
_MAX_PANELS = 200
_MAX_QUERIES = 26
_MAX_ROWS = 1000
_MAX_DECIMALS = 12

_TEXT = Text()
_NAMED = Text(may_be_empty=False)
_ID = Text(r"[A-Za-z_][A-Za-z0-9_]*", "use letters, digits and _, such as A or errors")
_SLUG = Text(SLUG_PATTERN, "use small letters, digits, - and _, at most 100 of them")

QUERY = Shape(
    model.Query,
    {
        "id": _ID,
        "query": _TEXT,
        "promql": _TEXT,
        "measure": _TEXT,
        "sql": _TEXT,
        "formula": _TEXT,
        "signal": Choice(*model.SIGNALS, may_be_empty=True),
        "filter": _TEXT,
        "aggregate": _NAMED,
        "by": Many(_NAMED, most=8, alone=True),
        "legend": _TEXT,
        "hidden": Flag(),
    },
    unfold=shorter.unfold_query,
    check=checks.check_query,
)
THRESHOLD = Shape(
    model.Threshold,
    {"value": Number(), "level": Choice(*model.LEVELS), "label": _TEXT},
    unfold=shorter.unfold_threshold,
)
LINK = Shape(model.Link, {"title": _TEXT, "url": _NAMED}, check=checks.check_link)
POSITION = Shape(
    model.Position,
    {
        "x": Number(0, model.GRID_COLUMNS - 1, whole=True),
        "y": Number(0, _MAX_ROWS, whole=True),
        "w": Number(1, model.GRID_COLUMNS, whole=True),
        "h": Number(1, _MAX_ROWS, whole=True),
    },
    check=checks.check_position,
)
OPTIONS = Shape(
    model.Options,
    {
        "min": Number(),
        "max": Number(),
        "stacked": Flag(),
        "calculation": Choice(*model.CALCULATIONS),
        "decimals": Number(0, _MAX_DECIMALS, whole=True),
        "legend": Choice(*model.LEGENDS),
        "log_scale": Flag(),
        "connect_gaps": Flag(),
        "exemplars": Flag(),
        "sparkline": Flag(),
        "limit": Number(1, 10_000, whole=True),
        "ascending": Flag(),
        "columns": Many(_NAMED),
        "text": _TEXT,
    },
    check=checks.check_options,
)
PANEL = Shape(
    model.Panel,
    {
        "title": _TEXT,
        "type": Choice(*model.PANEL_TYPES),
        "id": _SLUG,
        "description": _TEXT,
        "queries": Many(QUERY, most=_MAX_QUERIES),
        "legend": _TEXT,
        "unit": Text(r"[^\n]{1,40}", "a unit is one short word"),
        "thresholds": Many(THRESHOLD, most=20),
        "options": OPTIONS,
        "position": POSITION,
        "links": Many(LINK, most=20),
    },
    unfold=shorter.unfold_panel,
    fold=shorter.fold_panel,
    finish=shorter.finish_panel,
    check=checks.check_panel,
    always=frozenset({"type"}),
    shorter=("query",),
)
VARIABLE = Shape(
    model.Variable,
    {
        "name": Text(r"[A-Za-z_][A-Za-z0-9_]*", "use letters, digits and _", may_be_empty=False),
        "label": _TEXT,
        "query": _TEXT,
        "sql": _TEXT,
        "key": _TEXT,
        "signal": Choice(*model.SIGNALS),
        "filter": _TEXT,
        "values": Many(_TEXT, most=10_000),
        "regex": _TEXT,
        "default": Many(_TEXT, alone=True),
        "multi": Flag(),
        "all": Flag(),
        "hidden": Flag(),
    },
    fold=shorter.fold_variable,
    check=checks.check_variable,
)
ANNOTATION = Shape(
    model.Annotation,
    {"name": _NAMED, "source": Choice(*model.ANNOTATION_SOURCES), "query": _TEXT, "label": _TEXT},
    check=checks.check_annotation,
)
DASHBOARD = Shape(
    model.Dashboard,
    {
        "name": _NAMED,
        "uid": Uid("dashboard"),
        "description": _TEXT,
        "tags": Many(_NAMED, most=20, alone=True),
        "refresh_interval": Duration(_SECOND_NS, may_be_off=True),
        "range": Duration(60 * _SECOND_NS),
        "appears_with": Many(_NAMED, most=50, alone=True),
        "variables": Many(VARIABLE, most=50),
        "annotations": Many(ANNOTATION, most=20),
        "panels": Many(PANEL, most=_MAX_PANELS),
        "links": Many(LINK, most=20),
    },
    fold=shorter.fold_dashboard,
    unfold=partial(with_uid, kind="dashboard"),
    finish=shorter.finish_dashboard,
    check=checks.check_dashboard,
    always=frozenset({"refresh_interval"}),
)

DASHBOARDS: Listed[model.Dashboard] = Listed(DASHBOARD, "dashboards", "dashboard", "dashboards")
