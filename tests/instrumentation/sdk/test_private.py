"""Private names of OpenTelemetry's SDK: in one place, there in the SDK that is tested, and dispensable one by one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import spanglass
from spanglass.cli.diagnosis import versions
from spanglass.cli.diagnosis.findings import Severity
from spanglass.sdk.private import features

FOLDER = Path(spanglass.__file__).parent
PRIVATE = FOLDER / "sdk" / "private"
ALL = [(feature.lost, name) for feature in features.FEATURES for name in feature.names]
# Said at the first use, which the application of these tests does not have.
SILENT = (features.SILENCE, features.BY_NAME, features.REMOVAL, features.LOG_ENCODER, features.LIGHT_METRICS)

# on one worker: what `without` runs is ten seconds of a core
pytestmark = pytest.mark.xdist_group("private names")


@pytest.fixture(scope="module")
def gone():
    """Return the names that the installed SDK lacks."""
    return [name for name, _ in features.missing()]


@pytest.mark.parametrize("name", sorted({name for _, name in ALL}))
def test_the_installed_sdk_has_every_name(gone, name):
    """A release that renames one fails here, by its name."""
    assert name not in gone


def test_they_stand_in_one_place():
    """No other module imports a private module of OpenTelemetry, or reads one of these attributes."""
    own = {part for _, name in ALL for part in re.findall(r"\b_[a-z]\w+", name)} - {"_logs", "_internal", "_lock"}
    imports = re.compile(
        r"(from|import) opentelemetry\.(?!_logs import [A-Z(])(\S*\._(?!logs\b)\w+|\S+ import _(?!logs\b)\w+)"
    )
    reads = re.compile(rf"(?<!self)\.({'|'.join(own)})\b")
    found = [
        f"{path.relative_to(FOLDER)}: {line.strip()}"
        for path in FOLDER.rglob("*.py")
        if PRIVATE not in path.parents
        for line in path.read_text("utf-8").splitlines()
        if imports.search(line) or reads.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("lost", [*(feature.lost for feature in features.FEATURES), "all", "none"])
def test_without_them_telemetry_goes_on(without, lost):
    """Spans, metrics and log records arrive, configure works again after shutdown, and nothing is raised."""
    done = without[lost]

    assert done.get("error") is None
    assert (done["on"], done["again"], done["flushed"]) == (True, True, True)
    assert all(done["sent"][signal] for signal in ("traces", "metrics", "logs"))


def test_with_all_of_them_nothing_is_said(without):
    """Only what is gone is said."""
    assert (without["none"]["lines"], without["none"]["missing"], without["none"]["captured"]) == ([], [], [1, 1])


@pytest.mark.parametrize("feature", features.FEATURES, ids=lambda each: each.lost)
def test_what_is_lost_is_said_once(without, feature):
    """The log says, in one line, what a feature that is gone means; features that share its names are said too."""
    lines = without[feature.lost]["lines"]
    others = {each.lost for each in features.FEATURES if set(each.names) & set(feature.names)}

    assert len([line for line in lines if line.endswith(feature.lost)]) == (feature not in SILENT)
    assert {line.partition(": ")[2] for line in lines} <= others


@pytest.mark.parametrize("feature", features.FEATURES, ids=lambda each: each.lost)
def test_doctor_knows(without, feature):
    """What doctor looks at lacks exactly the names that are gone."""
    assert set(without[feature.lost]["missing"]) >= set(feature.names)


def test_doctor_says_what_is_lost(monkeypatch):
    """A warning for each feature, with the names, the version and what to do."""
    monkeypatch.setattr(versions, "missing", lambda: [("meters:_a._b", features.BOUNDS), ("c:_d", features.BOUNDS)])

    (finding,) = [each for each in versions.findings() if each.severity is Severity.WARNING]

    assert re.fullmatch(rf"opentelemetry-sdk [\d.]+ has no _a\._b, _d: {features.BOUNDS.lost}", finding.text)
    assert "spanglass" in finding.remedy
