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


@pytest.mark.parametrize("number", ["-9007199254740993", "-18446744073709551615", "-0.12345678901234567"])
def test_numbers_that_json_has_as_texts_stay_numbers(number):
    """What has too many digits for a float is a number to a spreadsheet as well; a sum of such ones is a formula."""
    assert csv_cell(number) == number
    for formula in (f"{number}+1", f"={number}", f"-{number}", f"{number}\n", "-9007199254740993-1|cmd"):
        assert csv_cell(formula) == f"'{formula}"
