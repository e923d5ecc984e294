"""Who sends: names found from the command line, the commit from the repository, and the rest of the resource."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from spanglass.identity.release import git_commit
from spanglass.identity.resource import make_resource
from spanglass.identity.service_name import service_name
from spanglass.settings.settings import load


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python checkout.py --port 1", "checkout"),
        ("python src/app.py", "src"),
        ("python app.py", "shop"),
        ("python -X dev -W error -u billing.py", "billing"),
        ("python -m billing.worker", "billing.worker"),
        ("python -m billing", "billing"),
        ("python -m billing.main", "billing"),
        ("python -c pass", "shop"),
        ("python", "python"),
        ("python /usr/bin/gunicorn -b 127.0.0.1:80 --workers 2 pay.web:make()", "pay.web"),
        ("python /usr/bin/gunicorn --bind 127.0.0.1:80 main:app", "shop"),
        ("python /usr/bin/gunicorn -k gevent --workers 2 mysite.wsgi", "mysite"),
        ("python /usr/bin/gunicorn --preload mysite.wsgi -k uvicorn.workers.UvicornWorker", "mysite"),
        ("python /usr/bin/gunicorn -c python:settings.guni --bind=:80 mysite.wsgi:application", "mysite"),
        ("python /usr/bin/flask run", "shop"),
        ("python /usr/bin/fastapi dev --port 80 store/web.py", "store.web"),
        ("python /usr/bin/fastapi run", "shop"),
        ("python -m uvicorn orders.main:app --workers 4", "orders"),
        ("python /usr/bin/celery -A jobs.app worker", "jobs"),
        ("python /usr/bin/celery --app=jobs worker", "jobs"),
        ("python /usr/bin/celery status", "celery"),
        ("python /usr/bin/flask --app web/store.py run", "web.store"),
        ("python manage.py runserver", "shop"),
        ("python -m ipykernel_launcher -f kernel.json", "shop"),
        ("python /usr/bin/ipython", "shop"),
    ],
)
def test_a_program_is_named_after_what_it_runs(command, name):
    """The name is that of the script, module or application; names that say nothing give way to the folder's."""
    assert service_name(command.split(), Path("/srv/shop")) == name


def test_the_commit_is_read_from_the_repository(tmp_path):
    """A branch, a packed branch and a detached head all give the commit; no repository gives nothing."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    run = lambda *words: subprocess.run([*git, *words], check=True, capture_output=True, text=True, env=environ).stdout  # noqa: E731
    assert git_commit(tmp_path) == ""

    run("init", "-q")
    assert git_commit(tmp_path) == ""
    run("commit", "-q", "--allow-empty", "-m", "first")
    commit = run("rev-parse", "HEAD").strip()[:12]
    (tmp_path / "deep").mkdir()
    found = [git_commit(tmp_path / "deep")]
    run("pack-refs", "--all")
    found.append(git_commit(tmp_path))
    run("checkout", "-q", "--detach")
    found.append(git_commit(tmp_path))
    run("worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    found.append(git_commit(tmp_path / "tree"))

    assert found == [commit] * 4


def test_a_broken_repository_gives_no_release(tmp_path):
    """A .git that leads nowhere is no error."""
    (tmp_path / ".git").write_text("gitdir: nowhere")

    assert git_commit(tmp_path) == ""


def test_the_resource_says_what_settings_say():
    """Settings become attributes of the conventions; process and distribution are added."""
    settings = load({"service_name": "pay", "service_namespace": "shop", "release": "1.2", "environment": "test"}, {})
    attributes = make_resource(settings, {"telemetry.auto.version": "9"}).attributes

    expected = {
        "deployment.environment.name": "test",
        "process.pid": os.getpid(),
        "service.name": "pay",
        "service.namespace": "shop",
        "service.version": "1.2",
        "telemetry.auto.version": "9",
        "telemetry.distro.name": "spanglass",
    }
    assert {name: attributes[name] for name in expected} == expected


def test_stated_attributes_stay(monkeypatch):
    """What OTEL_RESOURCE_ATTRIBUTES says is not replaced by what was found, only by what was set."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=stated,service.version=7,team=a")
    found = make_resource(load({}, {})).attributes
    told = make_resource(load({"service_name": "told"}, {})).attributes

    assert [found[name] for name in ("service.name", "service.version", "team")] == ["stated", "7", "a"]
    assert [told[name] for name in ("service.name", "service.version", "team")] == ["told", "7", "a"]
