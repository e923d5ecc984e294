"""What holds for every place that dashboards come from, and for the one where pages keep theirs."""

from __future__ import annotations

import pytest

from spanglass_server.dashboards.form.spec import DASHBOARDS
from spanglass_server.dashboards.library import Library
from spanglass_server.dashboards.sources.files import DirectorySource, SettingsFileSource, reader_of
from spanglass_server.dashboards.sources.kept import KeptDashboards
from spanglass_server.dashboards.sources.ports import Found
from spanglass_server.forms.errors import ConflictError, TooManyError
from spanglass_server.forms.files import MAX_FILES
from spanglass_server.forms.kept import KEPT_VERSIONS, Form, KeptFiles
from spanglass_server.store.disk import Disk


def text_of(*names, panel="up"):
    """YAML of dashboards."""
    listed = "".join(f"    - name: {name}\n      panels: [{{title: P, query: '{panel}'}}]\n" for name in names)
    return f"monitoring:\n  dashboards:\n{listed}"


def dashboard(name="One", panel="up"):
    """A dashboard."""
    return DASHBOARDS.read_yaml(text_of(name, panel=panel)).values[0]


def kept(directory, disk=None):
    """Open the store of pages; its clock goes on by one each time."""
    ticks = iter(range(1, 10_000))
    return KeptDashboards(directory, disk or Disk(), lambda: next(ticks))


SOURCES = {
    "settings": lambda folder: SettingsFileSource(folder / "file.yaml"),
    "files": DirectorySource,
    "shipped": lambda folder: DirectorySource(folder, "shipped"),
    "kept": kept,
}


@pytest.fixture(params=SOURCES)
def source(request, tmp_path):
    """Each source over a directory in which it reads file.yaml."""
    return SOURCES[request.param](tmp_path)


def names(contents):
    """Names of dashboards, sorted."""
    return sorted(found.dashboard.name for found in contents.found)


def test_changes_of_files_are_seen(source, tmp_path):
    """A file that comes, changes, also to the same length within one tick of the clock, and goes is seen each time.

    What a settings file held stays when it is gone, and that is told.
    """
    file = tmp_path / "file.yaml"
    assert names(source.read()) == []
    for wanted in ("One", "Two", "Six"):
        file.write_text(text_of(wanted))
        assert names(source.read()) == [wanted]
        assert names(source.read()) == [wanted]
    file.unlink()
    stays = source.origin == "settings"
    assert names(source.read()) == ["Six"] * stays
    assert [problem.message.partition(";")[0] for problem in source.read().problems] == ["the file is gone"] * stays


def test_equal_dashboards_have_equal_versions(source, tmp_path):
    """The version follows from what a dashboard is, not from the file's time."""
    (tmp_path / "file.yaml").write_text(text_of("One"))
    (before,) = source.read().found
    (tmp_path / "file.yaml").write_text("# the same\n" + text_of("One"))
    (after,) = source.read().found
    (tmp_path / "file.yaml").write_text(text_of("One", panel="down"))
    (other,) = source.read().found

    assert before.version == after.version != other.version
    assert (before.origin, before.file) == (source.origin, str(tmp_path / "file.yaml"))


def test_a_broken_file_keeps_its_last_good_state(source, tmp_path):
    """While a file is broken, its dashboards stay and the problem is told with its place; then it counts again."""
    file = tmp_path / "file.yaml"
    file.write_text(text_of("One", "Two"))
    source.read()
    file.write_text(text_of("One", "Two") + "      pane: x\n")

    broken = source.read()

    assert names(broken) == ["One", "Two"]
    assert [(problem.file, problem.line, problem.column) for problem in broken.problems] == [(str(file), 7, 7)]
    file.write_text("monitoring: [")
    assert names(source.read()) == ["One", "Two"]
    file.write_text(text_of("Three"))
    assert (names(source.read()), source.read().problems) == (["Three"], ())


def test_what_cannot_be_read_is_told(source, tmp_path):
    """A file that is no text is a problem with its name, and nothing raises."""
    (tmp_path / "file.yaml").write_bytes(b"\xff\xfe\x00")

    assert "not UTF-8" in source.read().problems[0].message


def test_directories_are_read_with_those_below(tmp_path):
    """Files of directories below count, hidden ones and other kinds of files do not, and too many are told."""
    for path in ("a.yaml", "deep/b.yml", ".git/c.yaml", ".d.yaml", "readme.md"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text_of(f"From {path[-6:]}"))
    source = DirectorySource(tmp_path)

    assert names(source.read()) == ["From /b.yml", "From a.yaml"]
    for number in range(MAX_FILES):
        (tmp_path / f"empty{number}.yaml").touch()
    assert "too many" in source.read().problems[-1].message
    assert "can't be read" in DirectorySource(tmp_path / "nowhere").read().problems[0].message


def test_the_store_keeps_changes_and_what_was_before(tmp_path):
    """What is put is read, also by a store that opens the directory anew; old versions come newest first."""
    store = kept(tmp_path)
    first = store.put(dashboard(), "")
    second = store.put(dashboard(panel="down"), first.version)

    assert kept(tmp_path).read().found == (second,)
    assert [(old.version, old.dashboard) for old in store.versions("one")] == [(first.version, dashboard())]
    store.delete("one", second.version)
    assert store.read().found == ()
    assert store.versions("../one") == store.versions("never") == []
    assert [old.version for old in store.versions("one")] == [second.version, first.version]


def test_one_that_is_too_many_is_refused_and_not_kept(tmp_path):
    """As many as may be can be made; a new one more is refused with the number, and one that is there still changes."""
    form = Form("dashboard", "dashboards", reader_of("kept"), lambda found: text_of(*(each.uid for each in found)))
    files = KeptFiles(tmp_path, Disk(), iter(range(1, 99)).__next__, form, most=2)

    def put(uid, version=""):
        return files.put(uid, version, lambda file: Found(dashboard(uid), "kept", file, f"new {version}"))

    first, _ = put("b"), put("c")
    with pytest.raises(TooManyError, match="there are 2 dashboards, and no more can be kept"):
        put("a")
    assert names(files.contents()) == ["b", "c"]
    stands = next(found for found in files.contents().found if found.uid == first.uid)
    assert put("b", stands.version).uid == "b"


def test_of_two_editors_the_second_is_told(tmp_path):
    """A change that began with another version than the one that stands is refused, and nothing is lost."""
    store = kept(tmp_path)
    first = store.put(dashboard(), "")
    second = store.put(dashboard(panel="down"), first.version)

    for change in (
        lambda: store.put(dashboard(panel="other"), first.version),
        lambda: store.put(dashboard(panel="other"), ""),
        lambda: store.delete("one", first.version),
    ):
        with pytest.raises(ConflictError) as refused:
            change()
        assert refused.value.current == second.version
    assert store.read().found == (second,)
    with pytest.raises(KeyError):
        store.delete("nothing", "")


def test_old_versions_are_bounded(tmp_path):
    """Only so many old versions stay."""
    store = kept(tmp_path)
    version = ""
    for number in range(KEPT_VERSIONS + 3):
        version = store.put(dashboard(panel=f"up{number}"), version).version

    assert len(store.versions("one")) == KEPT_VERSIONS
    assert store.versions("one")[0].dashboard == dashboard(panel=f"up{KEPT_VERSIONS + 1}")


def test_files_with_several_dashboards_lose_none(tmp_path):
    """Changing or deleting one of a file that somebody put there by hand leaves the others."""
    (tmp_path / "mine.yaml").write_text(text_of("One", "Two"))
    store = kept(tmp_path)
    versions = {found.dashboard.uid: found.version for found in store.read().found}

    changed = store.put(dashboard(panel="down"), versions["one"])
    assert names(store.read()) == ["One", "Two"]
    store.delete("one", changed.version)
    assert names(store.read()) == ["Two"]


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


@pytest.mark.parametrize("fails_at", range(1, 10))
def test_a_change_that_fails_changes_nothing(tmp_path, fails_at):
    """Whatever operation of the disk fails, the dashboard is the one before or the one after, whole."""
    before = kept(tmp_path).put(dashboard(), "")
    try:
        kept(tmp_path, FullDisk(fails_at)).put(dashboard(panel="down"), before.version)
    except OSError:
        wanted = {before.version, kept(tmp_path / "other").put(dashboard(panel="down"), "").version}
    else:
        wanted = {kept(tmp_path / "other").put(dashboard(panel="down"), "").version}

    contents = kept(tmp_path).read()
    assert contents.problems == ()
    assert {found.version for found in contents.found if "other" not in found.file} <= wanted


def test_the_first_of_equal_names_counts(tmp_path, caplog):
    """Settings, then files, then pages, then the product: what is hidden is told, but for what the product brings."""
    for folder in ("files", "shipped"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.yaml").write_text(text_of("One", panel=folder))
    (tmp_path / "settings.yaml").write_text(text_of("One", panel="settings"))
    store = kept(tmp_path / "kept")
    store.put(dashboard(panel="kept"), "")
    library = Library(
        [
            DirectorySource(tmp_path / "shipped", "shipped"),
            DirectorySource(tmp_path / "files"),
            SettingsFileSource(tmp_path / "settings.yaml"),
        ],
        store,
    )

    shelf = library.shelf()
    library.shelf()

    assert shelf.dashboards["one"].origin == "settings"
    assert [problem.file.rpartition("/")[2] for problem in shelf.problems] == ["a.yaml", "one.yaml"]
    assert sum("is hidden by" in record.message for record in caplog.records) == 2
    (tmp_path / "settings.yaml").write_text("alerting: {}\n")
    (tmp_path / "files" / "a.yaml").unlink()
    assert library.shelf().dashboards["one"].origin == "kept"
