"""``spanglass routes``: files of ours and of Alertmanager, checked and taken over without a server."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from spanglass.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

THEIRS = """\
route: {receiver: ops, routes: [{matchers: [team="db"], receiver: 'null'}]}
receivers:
- name: ops
  webhook_configs: [{url: 'https://example.com/hook', max_alerts: 5}]
- name: 'null'
"""


def test_a_file_of_alertmanager_is_taken_over_and_what_comes_of_it_is_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings go to standard output, notes to standard error; the settings are right for the check."""
    file = tmp_path / "alertmanager.yml"
    file.write_text(THEIRS)
    assert main(["routes", "import", str(file)]) == 0
    said = capsys.readouterr()
    assert said.err == f"{file}:4:21: receivers[0].webhook_configs[0]: note: left out: max_alerts\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(said.out))
    assert main(["routes", "check", "-", str(file)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "-: 1 channel, 1 tree of routes, nothing is wrong",
        f"{file}:4:21: receivers[0].webhook_configs[0]: note: left out: max_alerts",
        f"{file}: 1 channel, 1 tree of routes, nothing is wrong",
    ]


def test_what_is_wrong_is_printed_as_editors_read_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each problem has file, line and column, and the exit code says so; nothing is taken over of a wrong file."""
    ours, theirs = tmp_path / "ours.yaml", tmp_path / "theirs.yml"
    ours.write_text("monitoring:\n  notifications:\n    route: {channels: ops, group_wait: soon}\n")
    theirs.write_text(THEIRS.replace("'null'}", "nul}"))
    assert main(["routes", "check", str(ours)]) == 2
    assert main(["routes", "import", str(theirs)]) == 2
    said = capsys.readouterr()
    assert said.out == (
        f"{ours}:3:40: monitoring.notifications.route.group_wait: 'soon' is not a number; "
        "write a number and a unit, such as 30s, 15m or 1h30m\n"
    )
    assert said.err.startswith(
        f"{theirs}:1:67: route.routes[0].receiver: there is no receiver 'nul'; did you mean 'null'?\n"
    )
