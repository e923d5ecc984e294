"""``spanglass dashboards``: what is asked of the API, what is printed, and how it ends."""

from __future__ import annotations

import json

DASHBOARD = {"uid": "one", "name": "One", "panels": []}
ROW = {"uid": "one", "name": "One", "panels": 2, "origin": "kept", "tags": ["a"], "file": "/d/one.yaml"}
PROBLEM = {
    "message": "unknown key 'typ'",
    "path": "dashboards[0].typ",
    "line": 3,
    "column": 7,
    "hint": "did you mean 'type'?",
    "file": None,
}


def lines(output):
    return [line.rstrip() for line in output.decode().splitlines()]


def test_list(canned, run):
    """Dashboards are a row each; broken files are told beside them."""
    canned.answer("/api/v1/dashboards", {"dashboards": [ROW], "problems": [PROBLEM | {"file": "/d/x.yaml"}]})

    result = run("dashboards", "--all", "--format", "csv")

    assert lines(result.stdout) == ["uid,name,panels,origin,tags,file", 'one,One,2,kept,"[""a""]",/d/one.yaml']
    assert lines(result.stderr) == [
        "spanglass dashboards: /d/x.yaml:3:7: dashboards[0].typ: unknown key 'typ'; did you mean 'type'?"
    ]
    assert canned.received[0].parameters == {"show": "all"}


def test_check(canned, run, tmp_path):
    """Problems are printed for editors to jump to, with the exit code of a mistake; right files are said so."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("name: One")
    bad.write_text("typ: x")
    canned.answer("/api/v1/dashboards/check", {"dashboards": [DASHBOARD], "problems": []})
    canned.answer("/api/v1/dashboards/check", {"dashboards": [], "problems": [PROBLEM]})

    result = run("dashboards", "check", str(good), str(bad))

    assert result.returncode == 2
    assert lines(result.stdout) == [
        f"{good}: 1 dashboard, nothing is wrong",
        f"{bad}:3:7: dashboards[0].typ: unknown key 'typ'; did you mean 'type'?",
    ]
    assert [json.loads(each.body) for each in canned.received] == [{"yaml": "name: One"}, {"yaml": "typ: x"}]
    assert b"can't be read" in run("dashboards", "check", str(tmp_path / "none.yaml")).stderr


def test_export(canned, run):
    """The YAML comes as the server writes it."""
    canned.answer("/api/v1/dashboards/one/yaml", {"yaml": "monitoring:\n  dashboards: []\n"})

    assert run("dashboards", "export", "one").stdout == b"monitoring:\n  dashboards: []\n"


def test_import_of_yaml(canned, run, tmp_path):
    """A dashboard is kept once; one with its uid is replaced when that is asked for, else it is an error."""
    file = tmp_path / "one.yaml"
    file.write_text("name: One")
    canned.answer("/api/v1/dashboards/check", {"dashboards": [DASHBOARD], "problems": []})
    canned.answer("/api/v1/dashboards", {"dashboards": [], "problems": []})
    canned.answer("/api/v1/dashboards", {"dashboard": DASHBOARD})
    canned.answer("/api/v1/dashboards", {"dashboards": [ROW], "problems": []})
    canned.answer("/api/v1/dashboards/one", {"dashboard": DASHBOARD})

    assert lines(run("dashboards", "import", str(file)).stdout) == [f"{canned.url}/dashboards/one"]
    refused = run("dashboards", "import", str(file))
    assert (refused.returncode, lines(refused.stderr)[1].strip()) == (2, "give --replace, or another uid in the file")
    assert run("dashboards", "import", str(file), "--replace").returncode == 0
    put = canned.received[-1]
    assert (put.method, put.parameters, json.loads(put.body)) == ("PUT", {"If-Match": "*"}, {"dashboard": DASHBOARD})


def test_import_of_grafana(canned, run):
    """What is left out goes to standard error; without keeping, the YAML is printed."""
    left_out = [{"panel": "News", "what": "the panel"}, {"panel": None, "what": "the variable x"}]
    canned.answer("/api/v1/dashboards/import", {"dashboard": DASHBOARD, "yaml": "name: One\n", "left_out": left_out})

    result = run("dashboards", "import", "-", "--dry-run", stdin=b'{"title": "One"}')

    assert result.stdout == b"name: One\n"
    assert lines(result.stderr) == [
        "spanglass dashboards: left out: News: the panel",
        "spanglass dashboards: left out: the variable x",
    ]
    assert json.loads(canned.received[0].body) == {"grafana": {"title": "One"}}
    broken = run("dashboards", "import", "-", stdin=b"{")
    assert (broken.returncode, b"is not JSON" in broken.stderr) == (2, True)
