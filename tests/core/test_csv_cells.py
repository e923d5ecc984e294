"""Texts of strangers in CSV files."""

from __future__ import annotations

import pytest

from spanglass_core.csv_cells import csv_cell


@pytest.mark.parametrize("sign", [*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"])
def test_what_a_spreadsheet_would_run_is_guarded(sign):
    """Whatever sign a formula begins with, the text gets an apostrophe; signs within a text and numbers stay."""
    assert csv_cell(f"{sign}1") == f"'{sign}1"
    assert csv_cell(f"a{sign}1") == f"a{sign}1"
    assert csv_cell(-1) == -1
