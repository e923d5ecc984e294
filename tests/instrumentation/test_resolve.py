"""What pip makes of our requirements in an environment that holds nothing else: the newest releases, and the oldest.

OpenTelemetry's SDK and its instrumentations pin one another, so a release of one may fit no release of the other; that
is found here, by installing for real.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from loadgen.server import ServerProcess

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

# What a user of Flask has, besides us.
APP = """
import logging
from flask import Flask
app = Flask(__name__)
@app.get("/hello")
def hello():
    logging.getLogger("shop").warning("hello")
    return {}
app.test_client().get("/hello")
"""

pytestmark = pytest.mark.slow


class Environment:
    """A virtual environment of its own."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        self.folder = folder

    def run(self, *words: str, **variables: str) -> str:
        """Run a program of the environment in its folder; gives what it wrote."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPANGLASS_", "OTEL_"))}
        done = subprocess.run(
            [self.folder / "bin" / words[0], *words[1:]],
            cwd=self.folder,
            env=kept | {"PIP_NO_COMPILE": "1"} | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def installed(self) -> dict[str, str]:
        """Return the version of each package."""
        lines = self.run("pip", "freeze").splitlines()
        return dict(line.split("==") for line in lines if "==" in line)


def oldest() -> list[str]:
    """Return our own requirements, each at the least version that it allows."""
    bounds = [re.match(r"([\w-]+)>=([\w.]+)", text) for text in PROJECT["dependencies"]]
    assert all(bounds), PROJECT["dependencies"]
    return [f"{bound[1]}=={bound[2]}" for bound in bounds if bound]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build ours once, with what the locked environment builds it with."""
    folder = tmp_path_factory.mktemp("wheel")
    words = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT]
    subprocess.run([sys.executable, "-m", *words], check=True)
    [made] = folder.glob("spanglass-*.whl")
    return made


@pytest.mark.parametrize("versions", ["newest", "oldest"])
def test_a_fresh_environment_resolves_and_works(tmp_path, wheel, versions):
    """Ours and Flask with its instrumentation install without a conflict, and an unmodified application is traced."""
    environment = Environment(tmp_path / "venv")
    pins = oldest() if versions == "oldest" else []
    environment.run("pip", "install", "--quiet", str(wheel), "flask", *pins)
    environment.run("spanglass", "bootstrap", "--yes")
    environment.run("pip", "check")
    installed = environment.installed()
    assert {pin: installed[pin.partition("==")[0]] for pin in pins} == {pin: pin.partition("==")[2] for pin in pins}
    assert "opentelemetry-instrumentation-flask" in installed
    assert not {"duckdb", "pyarrow", "starlette", "uvicorn", "grpcio", "rich", "spanglass-server"} & set(installed)

    (environment.folder / "app.py").write_text(APP)
    with ServerProcess(tmp_path / "data", {"alerting.shipped": "false"}) as server:
        environment.run("spanglass", "run", "--endpoint", server.url, "--service-name", "fresh", "app.py")
        (service,) = server.get("/services")["services"]
        (record,) = server.get("/logs", filter="service:fresh")["logs"]
        table = environment.run("spanglass", "traces", "--url", server.url)

    assert service["service"] == "fresh"
    assert "GET /hello" in table
    assert (record["body"], len(record["trace_id"])) == ("hello", 32)
