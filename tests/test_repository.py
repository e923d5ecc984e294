"""What holds for every file of the repository."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: What belongs to somebody's machine or network, in pieces, so that this file passes.
PLACES = re.compile(
    "|".join(
        (
            "(?<![a-z.])/" + r"(?:home|Users)/(?!runner\b)\w+",
            "(?<![a-z./-])/" + r"(?:root|work|workspace)/",
            r"pypi\." + "org|python" + "hosted",
            r"proxy\.golang\." + "org|sum\\." + "golang",
            r"registry\.npmjs\." + "org|registry\\." + "yarnpkg",
            "--(?:extra-)?index-" + "url|PIP_" + "INDEX_URL",
        )
    )
)


def tracked(*patterns: str) -> list[Path]:
    """List the files that git tracks."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_every_test_says_what_must_hold() -> None:
    """Each test function has a docstring."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in tracked("tests/**/test_*.py", "tests/test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_file_names_a_machine() -> None:
    """No text has a path of somebody's machine, nor the host of a package registry: it works wherever it is cloned."""
    named = []
    for path in tracked():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        named += [f"{path.relative_to(ROOT)}:{n} {line[:80]}" for n, line in enumerate(lines, 1) if PLACES.search(line)]
    assert named == []


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("cd /" + "home/ann/spanglass", True),
        ("see /" + "work/shared/design.md", True),
        ("https://pypi." + "org/simple", True),
        ("pip install --index-" + "url=https://mirror.example", True),
        ("GET /v1/traces", False),
        ("at work/home, the framework/ folder", False),
    ],
)
def test_the_search_for_machines_finds_them(line: str, is_found: bool) -> None:  # noqa: FBT001 - a column of the table
    """The pattern of the test above matches what it is for, and leaves other text alone."""
    assert (PLACES.search(line) is not None) is is_found


def test_links_between_documents_lead_somewhere() -> None:
    """Every relative link of a Markdown file names a file that is there, and a heading of it if it names one."""
    broken = []
    for path in tracked("*.md"):
        if "data" in path.relative_to(ROOT).parts:
            continue
        for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", path.read_text(encoding="utf-8")):
            name, _, anchor = target.partition("#")
            file = path.parent / name if name else path
            if not file.exists() or (anchor and anchor not in anchors(file)):
                broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert broken == []


def anchors(file: Path) -> set[str]:
    """List the anchors of a file's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_document_is_linked() -> None:
    """README.md or a document that it leads to has a link to each file of docs/."""
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        file = waiting.pop().resolve()
        if file in reached or not file.exists():
            continue
        reached.add(file)
        targets = re.findall(r"\]\((?!https?:)([^)#\s]+\.md)", file.read_text(encoding="utf-8"))
        waiting += [file.parent / target for target in targets]
    assert [str(path.relative_to(ROOT)) for path in tracked("docs/*.md") if path.resolve() not in reached] == []


def test_the_pictures_are_small_and_described() -> None:
    """Each picture of the README is there, says in words what it shows, and has at most 120 kB; no other is kept."""
    shown = re.findall(r"^!\[([^\]]{60,})\]\((docs/pictures/[\w.]+)\)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(path for _, path in shown) == [str(path.relative_to(ROOT)) for path in tracked("docs/pictures/*")]
    assert [path for _, path in shown if (ROOT / path).stat().st_size > 120_000] == []
    assert len(shown) == 3
