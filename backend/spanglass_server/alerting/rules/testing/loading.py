"""From the path of a file of unit tests to its tests, and to the rules that they are of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from spanglass_server.alerting.ports import Found
from spanglass_server.alerting.rules.sources.files import read_file
from spanglass_server.alerting.rules.testing.spec import TEST_FILE
from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.nodes import TreeError, yaml_tree
from spanglass_server.forms.problems import Problem, Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.rules.prometheus.model import RecordingGroup
    from spanglass_server.alerting.rules.testing.model import TestFile
    from spanglass_server.forms.nodes import Node


@dataclass(slots=True)
class Loaded:
    """A file of tests, where its tests stand, the rules, and what is wrong with any of the files."""

    file: TestFile | None = None
    tree: Node | None = None
    rules: list[Rule] = field(default_factory=list)
    groups: list[RecordingGroup] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def load(path: Path) -> Loaded:
    """Read a file of tests and the files of rules that it names; never raises for what they hold."""
    loaded = Loaded()
    tree = _tree(path, loaded)
    if tree is None:
        return loaded
    report = Report(str(path))
    file = TEST_FILE.read(tree, report)
    loaded.problems.extend(report.problems)
    if file is FAILED:
        return loaded
    loaded.file, loaded.tree = file, tree
    loaded.rules.extend(file.alert_rules)
    for found in _rule_paths(file, path, tree, loaded):
        _load_rules(found, loaded)
    order = {name: place for place, name in enumerate(file.group_eval_order)}
    loaded.groups.sort(key=lambda group: order.get(group.name, len(order)))
    return loaded


def _tree(path: Path, loaded: Loaded) -> Node | None:
    try:
        tree = yaml_tree(path.read_text(encoding="utf-8"))
    except TreeError as error:
        loaded.problems.append(Problem(str(error), "", error.line, error.column, file=str(path)))
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        loaded.problems.append(Problem(f"can't be read: {reason}", file=str(path)))
        return None
    if tree is None:
        loaded.problems.append(Problem("the file is empty", file=str(path), hint="write tests:"))
    return tree


def _rule_paths(file: TestFile, path: Path, tree: Node, loaded: Loaded) -> Iterable[Path]:
    """The files that patterns stand for, beside the file of tests."""
    listed = tree.named("rule_files")
    for place, pattern in enumerate(file.rule_files):
        given = Path(pattern)
        base = Path(given.anchor) if given.is_absolute() else path.parent
        found = sorted(base.glob(str(given.relative_to(given.anchor) if given.is_absolute() else given)))
        if not found and listed is not None:
            node = listed.items[place]
            problem = Problem(f"there is no file {pattern!r}", node.path, node.line, node.column, file=str(path))
            loaded.problems.append(problem)
        yield from found


def _load_rules(path: Path, loaded: Loaded) -> None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        loaded.problems.append(Problem(f"can't be read: {error}", file=str(path)))
        return
    read = read_file(text, str(path))
    loaded.problems.extend(read.problems)
    for standing in read.standing:
        if isinstance(standing, Found):
            loaded.rules.append(standing.rule)
        else:
            loaded.groups.append(standing)
