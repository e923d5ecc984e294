"""What is installed: `spanglass` for applications, with nothing of the server, and `spanglass-server` beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loadgen.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
BUILT = {"spanglass": ROOT, "spanglass_server": ROOT / "backend"}
#: A wheel grows when something is put into it by mistake; what is not meant for applications was 60 % of it once. It
#: takes 800,081 bytes with the commands about anomalies, retention and objectives.
MOST_BYTES = 840_000

pytestmark = pytest.mark.slow


def python(*words: str | Path, cwd: Path | None = None, binary: Path | None = None) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPANGLASS_", "OTEL_", "PYTHON"))}
    return subprocess.run(
        [binary or sys.executable, *words], capture_output=True, text=True, check=False, cwd=cwd, env=kept
    )


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Build both as a release is built: a source distribution, and the wheel from that."""
    folder = tmp_path_factory.mktemp("wheels")
    for source in BUILT.values():
        built = python("-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=source)
        assert built.returncode == 0, built.stderr
    made = python("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder,
                  *folder.glob("*.tar.gz"))  # fmt: skip
    assert made.returncode == 0, made.stderr
    return {path.name.partition("-")[0]: path for path in folder.glob("*.whl")}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a virtual environment that has the locked packages of others, and neither of ours."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    assert python("-m", "venv", folder).returncode == 0
    place = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    # a plain path: files of editable installs that stand in there are not followed
    (place / "locked.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


def install(environment: Path, wheel: Path) -> None:
    done = python("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, binary=environment)
    assert done.returncode == 0, done.stderr


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def test_the_wheels_hold_what_they_should(wheels):
    """An application's has both typed packages and nothing of the server; the server's has its pages and its SQL."""
    application, server = (names(wheels[name]) for name in BUILT)

    assert {name.partition("/")[0] for name in application} == {
        "spanglass",
        "spanglass_core",
        "spanglass-0.1.0.dist-info",
    }
    assert {"spanglass/py.typed", "spanglass_core/py.typed"} <= application
    assert {Path(name).suffix for name in server} >= {".sql", ".html", ".js", ".css"}
    assert all(any(name.endswith("licenses/LICENSE") for name in each) for each in (application, server))
    assert wheels["spanglass"].stat().st_size < MOST_BYTES


def test_one_licence():
    """The copy that goes into the server's distributions is the repository's."""
    assert (ROOT / "backend" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_both_have_the_version_that_stands_once(wheels):
    """The server's takes its version from the repository's pyproject.toml, and needs exactly that of the other."""
    with zipfile.ZipFile(wheels["spanglass_server"]) as opened:
        metadata = opened.read(f"spanglass_server-{VERSION}.dist-info/METADATA").decode()

    assert f"\nVersion: {VERSION}\n" in metadata
    assert f"\nRequires-Dist: spanglass=={VERSION}\n" in metadata
    assert wheels["spanglass"].name.startswith(f"spanglass-{VERSION}-")


def test_alone_and_together(wheels, environment, tmp_path):
    """Without the server its package is not there and the command line says so; with it, it serves, and is asked."""
    command = environment.with_name("spanglass")
    install(environment, wheels["spanglass"])
    absent = python("-c", "import spanglass; import spanglass_server", binary=environment, cwd=tmp_path)
    serve = python("serve", binary=command, cwd=tmp_path)
    install(environment, wheels["spanglass_server"])

    assert absent.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'spanglass_server'"
    assert (serve.returncode, "pip install 'spanglass[server]'" in serve.stderr) == (1, True)
    with ServerProcess(tmp_path / "data", program=str(command)) as server:
        asked = python("traces", "--url", server.url, binary=command, cwd=tmp_path)
    assert (asked.returncode, asked.stderr.splitlines()[0]) == (
        0,
        "spanglass traces: no span is stored in the last hour",
    )
