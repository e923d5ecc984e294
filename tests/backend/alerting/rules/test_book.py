"""What holds for all rules of a server together: where they come from, what is tuned, and what is remembered."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.ports import Found, Threshold
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.forms.errors import ConflictError, ElsewhereError
from spanglass_server.forms.files import Contents
from spanglass_server.process.parts.on_call.alert_rules import open_book, problems_of
from spanglass_server.settings.settings import load
from spanglass_server.store.disk import DISK, Disk

NOW_NS = 10**18


def text_of(*names, limit="5%", key="alert_rules"):
    """YAML of rules."""
    return f"{key}:\n" + "".join(f"  - {{name: {name}, condition: error_rate > {limit}}}\n" for name in names)


def rule(name="One", limit="5%"):
    """A rule."""
    return RULES.read_yaml(text_of(name, limit=limit)).found[0][0]


@pytest.fixture
def folder(tmp_path):
    """A directory of rules and a settings file without any."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "settings.yaml").write_text("alerting:\n  shipped: false\n")
    return tmp_path


def opened(folder, disk=DISK, more=(), **settings):
    """The book of a server."""
    overrides = {"data.dir": str(folder / "data"), "alerting.dir": str(folder / "rules")} | settings
    ticks = iter(range(1, 10_000))
    return open_book(load(file=folder / "settings.yaml", overrides=overrides), disk, lambda: next(ticks), more)


def own(book):
    """Names and thresholds of the rules that are not shipped."""
    return {found.rule.name: found.rule.condition for found in book.rules().values() if found.origin != "shipped"}


def test_changes_of_files_are_seen(folder):
    """A file that comes, changes and goes is seen at the next look; a broken one leaves its rules as they were."""
    book = opened(folder)
    file = folder / "rules" / "a.yaml"
    assert own(book) == {}
    file.write_text(text_of("One", "Two"))
    assert own(book) == {"One": "error_rate > 5%", "Two": "error_rate > 5%"}
    assert book.rules() is book.rules()

    file.write_text(text_of("One", limit="6%").replace("6%}", "6%}\n  - {name: Two, condition: error_rate >}"))
    assert own(book) == {"One": "error_rate > 6%", "Two": "error_rate > 5%"}
    assert [text.partition(": ")[0] for text in book.problems()] == [f"{file}:3:40"]

    file.write_text(text_of("One", limit="7%"))
    assert (own(book), book.problems()) == ({"One": "error_rate > 7%"}, [])
    file.unlink()
    assert own(book) == {}


def test_a_file_that_is_emptied_to_be_written_keeps_its_rules(folder):
    """Many programs empty a file and then write it: no alert is resolved for the moment between."""
    book = opened(folder)
    file = folder / "rules" / "a.yaml"
    file.write_text(text_of("One"))
    assert list(own(book)) == ["One"]
    file.write_text("\n")
    os.utime(file, (4e9, 4e9))  # just now, however long the test takes
    assert list(own(book)) == ["One"]
    file.write_text(text_of("Two"))
    assert list(own(book)) == ["Two"]
    file.write_text("")
    os.utime(file, (1e9, 1e9))
    assert own(book) == {}


def test_the_first_of_equal_names_counts(folder):
    """Settings, then files, then pages, then the product; what is hidden is told, but for what is shipped.

    A settings file that is gone goes on to count as it was, and that is told.
    """
    book = opened(folder)
    book.put(rule("Requests fail", "3%"), book.rules()["requests-fail"].version, "ann", NOW_NS)
    assert book.rules()["requests-fail"].origin == "kept"
    assert book.problems() == []

    (folder / "rules" / "a.yaml").write_text(text_of("Requests fail", limit="2%"))
    (folder / "settings.yaml").write_text("monitoring:\n" + text_of("Requests fail", limit="1%", key="  alert_rules"))
    assert (book.rules()["requests-fail"].origin, own(book)) == ("settings", {"Requests fail": "error_rate > 1%"})
    where = f"hidden by the one in {folder / 'settings.yaml'}:3; give one of them another name, or a uid"
    assert [text.partition("is ")[2] for text in book.problems()] == [where, where]
    (folder / "settings.yaml").rename(folder / "moved.yaml")
    assert own(book) == {"Requests fail": "error_rate > 1%"}
    assert "the file is gone; what it held stays" in book.problems()[0]


def test_rules_of_pages_are_kept_with_their_versions(folder):
    """What is put is there for the next server, what it was before is remembered, with who and when."""
    book = opened(folder)
    first = book.put(rule(), "", "ann", NOW_NS)
    second = book.put(rule(limit="6%"), first.version, "bob", NOW_NS + 1)
    with pytest.raises(ConflictError) as conflict:
        book.put(rule(limit="7%"), first.version, "eve", NOW_NS + 2)
    assert conflict.value.current == second.version

    again = opened(folder)
    assert (own(again), again.rules()["one"].origin) == ({"One": "error_rate > 6%"}, "kept")
    assert [found.rule for _, found in again.versions("one")] == [rule()]
    again.delete("one", second.version, "ann", NOW_NS + 3)
    with pytest.raises(KeyError):
        again.delete("one", second.version, "ann", NOW_NS + 4)
    assert [(each.kind, each.by, each.time_ns - NOW_NS) for each in again.changes("one")] == [
        ("deleted", "ann", 3),
        ("changed", "bob", 1),
        ("created", "ann", 0),
    ]
    assert "error_rate > 5%" in again.changes()[1].before
    assert "error_rate > 6%" in again.changes()[1].after


def test_a_file_of_prometheus_is_not_kept(folder):
    """What is kept is written in our form: a rule file of Prometheus put there by hand is told of, and left alone."""
    book = opened(folder)
    file = folder / "data" / "alert-rules" / "prometheus.yaml"
    file.write_text("groups:\n- name: g\n  rules:\n  - {alert: Down, expr: up == 0}\n")
    assert own(book) == {}
    hint = "put it into the directory that alerting.dir names"
    assert book.problems() == [f"{file}: a rule file of Prometheus does not count here; {hint}"]


def test_rules_in_files_are_changed_there(folder):
    """Pages neither change nor delete what stands in a file, and say where it does; no uid leads out of the folder."""
    file = folder / "rules" / "a.yaml"
    file.write_text(text_of("One"))
    book = opened(folder)
    version = book.rules()["one"].version
    with pytest.raises(ElsewhereError, match=str(file)):
        book.put(rule(limit="6%"), version, "ann", NOW_NS)
    with pytest.raises(ElsewhereError, match="tune or disable it here"):
        book.delete("one", version, "ann", NOW_NS)
    with pytest.raises(ValueError, match="can't be a uid"):
        book.put(replace(rule(), uid="../one"), "", "ann", NOW_NS)


def test_what_is_tuned_counts_at_once_and_is_remembered(folder):
    """A threshold of any rule is live at once, also after a restart, and told with who, when and what before."""
    (folder / "rules" / "a.yaml").write_text(text_of("One"))
    book = opened(folder)
    written = book.rules()["one"].rule
    assert book.rules()["one"].written == written

    tuned = book.override("one", Threshold(critical=0.2, for_ns=60 * 10**9), "ann", NOW_NS)
    assert (tuned.rule.critical, tuned.rule.for_ns, tuned.written) == (0.2, 60 * 10**9, written)
    book.override("one", Threshold(enabled=False), "bob", NOW_NS + 1)
    with pytest.raises(ValueError, match="critical is reached before warning"):
        book.override("one", Threshold(critical=0.01), "eve", NOW_NS + 2)
    with pytest.raises(KeyError):
        book.override("two", Threshold(), "eve", NOW_NS + 2)

    again = opened(folder)
    assert (again.rules()["one"].rule.critical, again.rules()["one"].rule.enabled) == (None, False)
    assert [(each.rule_uid, each.updated_by, each.updated_ns - NOW_NS) for each in again.thresholds()] == [
        ("one", "bob", 1)
    ]
    assert [(each.by, each.before, each.after) for each in again.changes()] == [
        ("bob", "critical: 0.2, for: 1m", "enabled: false"),
        ("ann", "", "critical: 0.2, for: 1m"),
    ]
    again.override("one", Threshold(), "ann", NOW_NS + 3)
    assert (again.thresholds(), again.rules()["one"].rule) == ([], written)


def test_defaults_of_the_server(folder):
    """Rules without channels get the server's, not written so; shipped ones are off if not wanted, one is always."""
    (folder / "rules" / "a.yaml").write_text(text_of("One"))
    book = opened(folder, **{"alerting.channels": "mail"})
    assert (book.rules()["one"].rule.channels, book.rules()["one"].written.channels) == (("mail",), ())
    shipped = [found for found in book.rules().values() if found.origin == "shipped"]
    assert {found.rule.enabled for found in shipped} == {False}
    wanted = opened(folder, **{"alerting.shipped": "true"}).rules()
    assert [uid for uid, found in wanted.items() if not found.rule.enabled] == ["something-is-unusual"]


def test_shipped_rules_are_right(folder):
    """What comes with the server has no mistakes, and a severity and description each."""
    book = opened(folder)
    shipped = {uid: found.rule for uid, found in book.rules().items() if found.origin == "shipped"}
    assert book.problems() == []
    assert {"requests-fail", "answers-are-slow", "a-disk-fills-up"} <= set(shipped)
    assert [uid for uid, each in shipped.items() if not each.description or each.severity == Severity.INFO] == []


def test_what_is_wrong_is_told_without_a_server(folder):
    """`spanglass serve --check` says what is wrong with rules in settings and files."""
    (folder / "rules" / "a.yaml").write_text("alert_rules:\n- name: A\n")
    (folder / "settings.yaml").write_text("monitoring:\n  alert_rules: 5\n")
    settings = load(file=folder / "settings.yaml", overrides={"alerting.dir": str(folder / "rules")})

    assert [text.removeprefix(str(folder)) for text in problems_of(settings)] == [
        "/settings.yaml:2:16: monitoring.alert_rules: expected a list of alert rules; begin each with a dash",
        "/rules/a.yaml:2:3: alert_rules[0]: condition is missing",
    ]


class FullDisk(Disk):
    """Fails at the operation with a number."""

    def __init__(self, fails_at):
        self.left = fails_at

    def __getattribute__(self, name):
        if name in {"sync", "create", "write", "sync_data", "rename"}:
            self.left -= 1
            if self.left == 0:
                raise OSError(28, "No space left on device")
        return super().__getattribute__(name)


@pytest.mark.parametrize("fails_at", range(1, 6))
def test_tuning_that_fails_changes_nothing(folder, fails_at):
    """Whatever operation of the disk fails, thresholds are those before or those after, here and after a start."""
    (folder / "rules" / "a.yaml").write_text(text_of("One"))
    opened(folder).override("one", Threshold(critical=0.2), "ann", NOW_NS)
    book = opened(folder, FullDisk(fails_at))
    try:
        book.override("one", Threshold(critical=0.3), "ann", NOW_NS)
    except OSError:
        assert book.rules()["one"].rule.critical == 0.2
        assert opened(folder).rules()["one"].rule.critical in {0.2, 0.3}
    else:
        assert opened(folder).rules()["one"].rule.critical == 0.3


def test_an_unreadable_file_of_changes_is_set_aside(folder, caplog):
    """A file that something else wrote does not keep the server from starting, and is not lost."""
    (folder / "data").mkdir()
    (folder / "data" / "alert-rule-changes.json").write_text("{]")
    assert opened(folder).thresholds() == []
    assert "nothing is tuned" in caplog.text
    assert (folder / "data" / "alert-rule-changes.unreadable").read_text() == "{]"


def test_many_threads_lose_no_change(folder):
    """Changes of many threads are all there, and readers see whole books meanwhile."""
    book = opened(folder)
    failures = []

    def work(number):
        try:
            book.put(rule(f"Rule {number}"), "", "ann", NOW_NS + number)
            assert f"rule-{number}" in book.rules()
        except Exception as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(own(book)) == [f"Rule {number}" for number in range(8)]
    assert len(book.changes()) == 8


def test_a_source_that_fails_leaves_the_others(folder, caplog):
    """The rules of a source that raises stay as they were, and the problem is told; those of the others go on."""
    file = folder / "rules" / "a.yaml"
    file.write_text(text_of("One"))
    objectives = SimpleNamespace(origin="slos", read=lambda: Contents((made,)))
    made = Found(rule("Made"), "slos", "the objective 'made'", "1", 0)
    book = opened(folder, more=[objectives])
    assert set(own(book)) == {"One", "Made"}

    def fail():
        raise ArithmeticError("no number")

    objectives.read = fail
    file.write_text(text_of("One", "Two"))
    assert set(own(book)) == {"One", "Two", "Made"}
    assert "ArithmeticError: no number" in book.problems()[0]
    assert caplog.text.count("the source slos failed") == 1

    objectives.read = Contents
    assert set(own(book)) == {"One", "Two"}
    assert book.problems() == []
