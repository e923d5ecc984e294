"""Each page of docs/app/recipes does what it says: its files and commands as they stand, and what arrives.

Only ports and addresses of servers are others, and where a page means a place of the system, a folder of the test.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from recipe_pages import FOLDER, Page, statements

from loadgen.process import tree
from loadgen.server import free_ports

pytestmark = pytest.mark.slow
BIN = Path(sys.executable).parent
LIMIT_S = 180

#: What runs: the page, the number of its console block with the server, and that of the table of what arrives.
SERVERS = {
    "fastapi": ("fastapi", 0, 0),
    "flask": ("flask", 0, 0),
    "django": ("django", 2, 0),
    "gunicorn": ("gunicorn", 0, 0),
    "gunicorn-hook": ("gunicorn", 2, 1),
    "uvicorn": ("uvicorn", 0, 0),
    "uvicorn-in-code": ("uvicorn", 2, 1),
}
OTHERS = {"celery", "containers", "functions", "notebooks", "pytest", "scripts", "systemd"}


class Recipe:
    """A page that is followed in a folder."""

    def __init__(self, page, name, replaced, folder, environ, run, receiver):
        (self.port,) = free_ports(1)
        self.page = Page(page, replaced | {"8000": str(self.port)})
        self.name, self.folder, self._run, self._receiver = name, folder, run, receiver
        kept = {key: value for key, value in environ.items() if key != "SPANGLASS_SERVICE_NAME"}
        self.environ = kept | {"PYTHONPATH": "", "OTEL_RESOURCE_ATTRIBUTES": f"recipe={name}"}

    def start(self, words, **variables):
        """Start a program that goes on."""
        return self._run(*words, service="", spanglass=None, folder=self.folder, port=self.port,
                         variables={**self.environ, "SPANGLASS_SERVICE_NAME": "", **variables})  # fmt: skip

    def typed(self, command, **variables):
        """Run a command to its end; gives its exit code and what is seen then."""
        ended = subprocess.run(
            ["sh", "-c", command.line], cwd=self.folder, env={**self.environ, **variables}, check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S,
        )  # fmt: skip
        assert command.seen_in(ended.stdout), (command, ended.stdout)
        return ended.returncode, ended.stdout

    def arrived(self):
        """Return all that came, as ``Page.broken`` takes it."""
        return [row for statement in statements(self.name) for row in self._receiver.sql(statement)]

    def broken(self, table=0):
        """Return the promises that are not kept once time for them is over."""
        self._receiver.until(statements(self.name)[0], lambda _: not self.page.broken(self.arrived(), table))
        return self.page.broken(self.arrived(), table)


@pytest.fixture
def recipe(tmp_path, environ, run, receiver):
    """Follow a page: ``recipe("flask")``; what arrives has the resource attribute ``recipe``."""

    def follow(page, name=None, replaced=None, without=(), folder=None):
        made = Recipe(page, name or page, replaced or {}, folder or tmp_path / (name or page), environ, run, receiver)
        if not folder:
            made.folder.mkdir()
            if page == "django":
                made.typed(made.page.consoles[0][0])
            made.page.write(made.folder, without=without)
            if page == "django":
                made.typed(made.page.consoles[1][0])
        return made

    return follow


def asked(command):
    """Return what ``curl`` prints."""
    curl, url = shlex.split(command.line)
    assert curl == "curl"
    try:
        with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:  # noqa: S310 - of the page
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def test_every_page_is_listed_and_followed():
    """No page is left out of the overview or of these tests."""
    pages = {path.stem for path in FOLDER.glob("*.md")} - {"README"}
    overview = (FOLDER / "README.md").read_text("utf-8")

    assert pages == {page for page, _, _ in SERVERS.values()} | OTHERS
    assert {page for page in pages if f"]({page}.md)" not in overview} == set()


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_of_web_applications(recipe, name):
    """The server starts, answers as the page shows, ends on SIGTERM, and all that the page promises arrives."""
    page, console, table = SERVERS[name]
    followed = recipe(page, name, without=("gunicorn.conf.py",) if name == "gunicorn-hook" else ())
    if name == "django":
        configured_in_django_settings = recipe("django", "django-in-code", folder=followed.folder)
        serves_and_sends(configured_in_django_settings, 4, 3)
    serves_and_sends(followed, console, console + 1, table)


def serves_and_sends(followed, server, client, table=0):
    """Run the server of a console block, and what another one asks it."""
    running = followed.start(["sh", "-c", followed.page.script(server)])
    running.read("/")
    for command in followed.page.consoles[client]:
        assert command.seen_in(asked(command)), command
    if followed.name == "flask":  # whose reloader kills what serves
        assert followed.broken() == []
    running.stop()

    assert followed.broken(table) == [], running.output


def test_celery(recipe, redis_server):
    """A task is part of its sender's trace, and its log record and metrics come from the worker."""
    followed = recipe("celery", replaced={"redis://127.0.0.1:6379/0": redis_server.url(5)})
    worker = followed.start(["sh", "-c", followed.page.script(0)])
    (sender,) = followed.page.consoles[1]

    assert followed.typed(sender)[0] == 0
    assert worker.stop() == 0
    assert followed.broken() == [], worker.output
    assert {row[3] for row in followed.arrived()} == {"jobs", "shop"}


def test_scripts(recipe):
    """The exit code is the script's, and all arrives though it is short; cron's line is one that runs."""
    followed = recipe("scripts")
    command, code = followed.page.consoles[0]
    *_, line = followed.page.files["crontab"].splitlines()
    nightly = line.split(maxsplit=5)[5].replace("/opt/shop/.venv/bin", str(BIN)).replace("/opt/shop", ".")

    assert str(followed.typed(command)[0]) == code.output[0]
    assert followed.broken() == []
    ended = subprocess.run(["/bin/sh", "-c", nightly], cwd=followed.folder, check=False, capture_output=True, text=True,
                           env={"SPANGLASS_ENABLED": "false", "PATH": "/usr/bin:/bin"})  # fmt: skip
    assert (ended.returncode, ended.stderr) == (3, "imported nightly.csv\n")


IPYTHON = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for cell in json.load(sys.stdin):
    shell.run_cell(cell).raise_error()
print("all sent")
sys.stdout.flush()
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_notebooks(recipe):
    """Cells print their trees, and what ``force_flush`` has sent is there when the kernel is killed."""
    followed = recipe("notebooks")
    configure, work, tree_shown, flush = followed.page.loose
    killed = subprocess.run(
        [sys.executable, "-c", IPYTHON], input=json.dumps([configure, work, flush]), cwd=followed.folder, text=True,
        env={**followed.environ, "SPANGLASS_CONSOLE": "", "IPYTHONDIR": str(followed.folder)},
        check=False, capture_output=True, timeout=LIMIT_S,
    )  # fmt: skip

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert followed.broken() == []
    assert (
        shape(killed.stderr)
        == shape(tree_shown)
        == [
            ["└─", "load", "sales"],
            ["└─", "SELECT", "(client)", "db=sqlite", "query=SELECT", "40", "+", "2"],
        ]
    )


def shape(printed):
    """Return a tree's lines without times and columns."""
    lines = [re.sub(r" [0-9.]+ .s\b", " ", line).split() for line in printed.splitlines()]
    return [words for words in lines if words and words[0] == "└─"]


def test_pytest(recipe):
    """Fixture and mark work by themselves, ``--spanglass`` and the ini file send a trace and print its address."""
    followed, by_ini = recipe("pytest", without=("pytest.ini",)), recipe("pytest", "pytest-by-ini")
    (plain,), (traced,) = followed.page.consoles
    with ThreadPoolExecutor() as pool:
        runs = [
            pool.submit(*each) for each in ((followed.typed, plain), (followed.typed, traced), (by_ini.typed, plain))
        ]
    (_, plain_output), (traced_code, _), (_, ini_output) = [each.result() for each in runs]

    assert "trace of this session" not in plain_output
    assert traced_code == 0
    assert "trace of this session" in ini_output
    assert followed.broken() == []


RUNTIME = """
import json, sys
from types import SimpleNamespace
from function import handler

for line in sys.stdin:
    event = json.loads(line)
    try:
        answer = handler(event, SimpleNamespace(aws_request_id=event["id"]))
    except Exception as error:
        answer = {"errorType": type(error).__name__}
    print(json.dumps(answer), flush=True)
"""


def test_functions(recipe, receiver):
    """What an invocation recorded is at the server before its answer is: freezing and killing lose nothing."""
    followed = recipe("functions")
    parent = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
    runtime = subprocess.Popen([sys.executable, "-c", RUNTIME], cwd=followed.folder, env=followed.environ, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    events = [
        {"id": "1", "headers": {"traceparent": parent}, "name": "cat.png"},
        {"id": "2", "name": "cat.png"},
        {"id": "3"},
    ]
    answers = []
    for event in events:
        runtime.send_signal(signal.SIGCONT)
        runtime.stdin.write(json.dumps(event) + "\n")
        runtime.stdin.flush()
        answers.append(json.loads(runtime.stdout.readline()))
        runtime.send_signal(signal.SIGSTOP)
        assert followed.broken() == []
    runtime.kill()
    runtime.communicate()
    spans = receiver.until(
        """SELECT "faas.invocation_id", status_code, trace_id = '0af7651916cd43dd8448eb211c80319c' FROM spans
        WHERE recipe = 'functions' ORDER BY start_time_ns""",
        lambda rows: len(rows) == len(events),
    )
    (value,) = receiver.sql("SELECT max(value) FROM metrics WHERE metric_name = 'thumbnails' AND recipe = 'functions'")

    assert answers == [{"statusCode": 200}, {"statusCode": 200}, {"errorType": "KeyError"}]
    assert spans == [("1", 0, True), ("2", 0, False), ("3", 2, False)]
    assert value == (2.0,)


def words_of(dockerfile, instruction):
    """Return the words of an instruction in the exec form."""
    (line,) = [line for line in dockerfile.splitlines() if line.startswith(f"{instruction} ")]
    return json.loads(line.removeprefix(instruction))


def test_containers(recipe, receiver):
    """The image's command is PID 1 with the variables of both files, and stops in order in the grace period."""
    followed = recipe("containers", replaced={"https://telemetry.example": receiver.url, "0.0.0.0:": "127.0.0.1:"})
    dockerfile = followed.page.files["Dockerfile"]
    services = yaml.safe_load(followed.page.files["compose.yaml"])["services"]
    (variables,) = [line for line in dockerfile.splitlines() if line.startswith("ENV ")]
    given = dict(pair.split("=") for pair in variables.split()[1:])
    given = {
        key: value.replace("$RELEASE", services["shop"]["build"]["args"]["RELEASE"]) for key, value in given.items()
    }
    environment = services["shop"]["environment"] | {"SPANGLASS_TOKEN": ""}
    words = words_of(dockerfile, "ENTRYPOINT") + words_of(dockerfile, "CMD")
    apart = ["unshare", "--fork", "--pid"]
    if subprocess.run([*apart, "true"], check=False, capture_output=True).returncode:
        apart = ["env"]
    container = followed.start([*apart, *words], **given, **environment)
    container.read("/")
    os.kill(tree(container.process.pid)[len(apart) > 1].pid, signal.SIGTERM)
    grace_s = float(services["shop"]["stop_grace_period"].removesuffix("s"))

    assert container.process.wait(LIMIT_S) == 0, container.output
    assert followed.broken() == [], container.output
    assert float(words[words.index("--graceful-timeout") + 1]) + 5 < grace_s
    assert deployed(receiver, "containers") == [("shop", "1.4.0", "production")]
    assert yaml.safe_load(followed.page.files["pod.yaml"])["containers"][0]["image"] == "shop:1.4.0"


def deployed(receiver, name):
    """Return which service, release and environment the spans of a page say."""
    return receiver.sql(
        f"""SELECT DISTINCT service_name, "service.version", "deployment.environment.name" FROM spans
        WHERE recipe = '{name}'"""  # noqa: S608 - a page of ours
    )


def test_systemd(recipe, receiver, tmp_path):
    """The unit's command runs in the unit's environment alone, and its signal to the main process ends it in order."""
    places = {
        "/opt/shop/.venv/bin": str(BIN), "/opt/shop": str(tmp_path / "systemd"), "/etc/": f"{tmp_path}/systemd/",
        "/var/lib/shop": str(tmp_path / "state"), "https://telemetry.example": receiver.url, "TOKEN=secret": "TOKEN=",
    }  # fmt: skip
    followed = recipe("systemd", replaced=places)
    unit = configparser.RawConfigParser(strict=True, delimiters=("=",))
    unit.optionxform = str
    unit.read_string(followed.page.files["shop.service"])
    service = unit["Service"]
    pairs = [*shlex.split(service["Environment"]), *Path(service["EnvironmentFile"]).read_text("utf-8").split()]
    words = ["env", "-i", "PATH=/usr/bin:/bin", "OTEL_RESOURCE_ATTRIBUTES=recipe=systemd", *pairs]
    main = followed.start([*words, *shlex.split(service["ExecStart"])])
    main.read("/")

    assert Path(service["WorkingDirectory"]) == followed.folder
    assert main.stop(signal.Signals[service["KillSignal"]]) == 0, main.output
    assert (service["KillMode"], service["Type"]) == ("mixed", "notify")
    assert followed.broken() == [], main.output
    assert deployed(receiver, "systemd") == [("shop", "1.4.0", "production")]
    assert int(service["TimeoutStopSec"]) > 30 + 5
