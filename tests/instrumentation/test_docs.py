"""The pages for applications' developers name every setting, with its variables, type and default."""

from __future__ import annotations

from pathlib import Path

from spanglass.settings.table import TABLE
from spanglass_core import attribute_names

DOCS = Path(__file__).parents[2] / "docs" / "app"


def test_every_setting_is_documented():
    """The tables of docs/app/settings.md are the table of settings: same rows, same order, same texts."""
    lines = (DOCS / "settings.md").read_text("utf-8").splitlines()
    documented = [line for line in lines if line.startswith("| `")]
    expected = []
    for row in TABLE.values():
        default = row.type.format(row.default)
        variables = ", ".join(f"`{variable}`" for variable in row.variables)
        shown = f"`{default}`" if default else ""
        expected.append(f"| `{row.name}` | {variables} | {row.type.name} | {shown} | {row.help} |")

    assert documented == expected


def test_every_attribute_of_ours_is_documented():
    """Each name that core defines has a row on docs/app/attributes.md, and the page has no other."""
    names = [value for name, value in vars(attribute_names).items() if name.isupper() and isinstance(value, str)]
    lines = (DOCS / "attributes.md").read_text("utf-8").splitlines()
    documented = [line.split("`")[1] for line in lines if line.startswith("| `")]

    assert documented == [f"{name}NAME" if name.endswith(".") else name for name in names]
