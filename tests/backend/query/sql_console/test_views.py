"""The views' columns, and that each is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spanglass_server.query.sql_console.views import open_views, view_columns
from spanglass_server.signals import ASKED, Signal

DOCS = Path(__file__).parents[4] / "docs" / "data-layout.md"


@pytest.mark.parametrize("signal", ASKED)
def test_every_column_is_documented(signal):
    """docs/data-layout.md names each fixed column of a view, in its section or that of views of what was sent."""
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", DOCS.read_text(), re.DOTALL | re.MULTILINE))
    common = "" if signal is Signal.OCCURRENCES else sections["Columns of `spans`, `logs` and `metrics`"]
    text = common + sections[f"`{signal}`"]
    documented = re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)))
    assert sorted(documented) == sorted(view_columns(signal, []))


def test_views_of_an_empty_store_can_be_asked(open_tables):
    """Before anything is stored the views are there, with their fixed columns."""
    session = open_tables()
    open_views(session)
    for signal in ASKED:
        statement = f"SELECT count(service_name) AS n FROM {signal}"  # noqa: S608 - the name of a view
        assert session.rows(statement) == [{"n": 0}]


def test_views_can_be_opened_again(open_tables):
    """Opening views a second time, with other columns, replaces them."""
    session = open_tables(spans=[{"name": "a", "kind": 2}])
    open_views(session, ["spans"], ["name"])
    open_views(session, ["spans"], ["kind"])
    assert session.rows("FROM spans") == [{"kind": "server"}]
