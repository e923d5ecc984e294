"""What ``spanglass rules check`` and ``test`` do with files where the server is installed, and need not run.

The command line finds these functions by their entry points, and gets plain values: neither side imports the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from spanglass_server.alerting.checking import check_file
from spanglass_server.alerting.evaluation.evaluator import RuleEvaluator
from spanglass_server.alerting.rules.testing.running import run_tests

if TYPE_CHECKING:
    from spanglass_server.store.ports import QuerySession


def check(text: str, file: str) -> dict[str, Any]:
    """Check a file by its text, in the form of ``POST /api/v1/rules/check``."""
    checked = check_file(text, file, RuleEvaluator(_nothing_stored))
    return {
        "rules": [rule.uid for rule in checked.rules],
        "recordings": sum(len(group.recordings) for group in checked.recordings),
        "problems": [problem.as_json() for problem in checked.problems],
        "notes": [note.as_json() for note in checked.notes],
    }


def test(file: str) -> dict[str, Any]:
    """Run a file of unit tests: ``problems`` of the file, and what each expectation came to."""
    result = run_tests(Path(file))
    return {
        "passed": result.passed,
        "problems": [problem.as_json() for problem in result.problems],
        "checked": [
            {"test": each.test, "what": each.what, "line": each.line, "failure": each.failure}
            for each in result.checked
        ],
    }


def _nothing_stored(_: QuerySession) -> NoReturn:
    raise AssertionError("a check asks nothing of what is stored")
