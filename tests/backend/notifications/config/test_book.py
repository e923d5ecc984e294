"""What is configured of notifications: read from the settings file and from what is kept, changed, and refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from spanglass_server.forms.errors import ConflictError, ElsewhereError
from spanglass_server.forms.kinds import Text
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.channels.kinds import channel_kinds
from spanglass_server.notifications.config.book import Book
from spanglass_server.notifications.config.channels import ChannelKind, channel_section
from spanglass_server.notifications.config.checking import check_text
from spanglass_server.notifications.config.errors import ConfigurationError
from spanglass_server.notifications.config.routes import route_sections
from spanglass_server.notifications.config.secrets import KEPT, SecretText
from spanglass_server.notifications.config.sections import Sections
from spanglass_server.notifications.config.sources import KeptThings, SettingsFile
from spanglass_server.notifications.model import Inhibition, Limit, Matcher
from spanglass_server.notifications.routing.intervals import TimeInterval
from spanglass_server.notifications.routing.resolving import DEFAULT_ROUTE
from spanglass_server.store.disk import DISK

if TYPE_CHECKING:
    from spanglass_server.forms.secrets import SecretSource

SETTINGS = """\
monitoring:
  channels:
    mail: {to: ops@example.com, from: spanglass@example.com, password: {env: MAIL_PASSWORD}, send_resolved: false}
    pager: {type: mail, to: duty@example.com, limit: {messages: 5, per: 1m}, fallback: mail}
  notifications:
    route:
      channels: mail
      group_by: [alertname]
      repeat_interval: 1h
      routes:
        - match: [team="db", severity=~"error|critical"]
          channels: [pager]
          continue: true
          mute_during: nights
          routes: [{match: {zone: a}, group_by: ["..."]}]
        - match: {zone: a}
        - match: [zone=a]
          group_by: []
    inhibitions: [{source: 'severity="critical"', target: [severity=~"warning|info"], equal: [service]}]
    intervals:
      nights: {times: ["22:00-24:00", {start_time: "00:00", end_time: "06:00"}], location: Europe/Berlin}
      rest: [{weekdays: ["saturday", sunday]}, {days_of_month: "-3:-1", months: [january:march, 12], years: 2026}]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A kind of channels for tests."""

    to: str
    from_: str = ""
    password: SecretSource | None = None


MAIL = ChannelKind("mail", Shape(Mail, {"to": Text(may_be_empty=False), "from": Text(), "password": SecretText()}))


class Place:
    """A settings file and a data directory, with the book over both."""

    def __init__(self, directory: Path) -> None:
        self.settings = directory / "settings.yaml"
        self.kept = directory / "notifications"
        self.now_ns = 1
        self.now_s = 0.0
        self.settings.write_text(SETTINGS)
        self.open()

    def clock(self) -> float:
        """A clock on which every look is long ago."""
        self.now_s += 1
        return self.now_s

    def open(self) -> None:
        """Open the book, as after a restart."""
        sections = Sections([channel_section([MAIL]), *route_sections()])
        kept = KeptThings(self.kept, DISK, lambda: self.now_ns, sections)
        self.book = Book(sections, SettingsFile(self.settings, sections), kept, self.clock)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place whose settings are right."""
    monkeypatch.setenv("MAIL_PASSWORD", "hush")
    return Place(tmp_path)


def test_settings_become_a_configuration_with_what_routes_inherit(place: Place) -> None:
    """Every key of the sections is read; routes have what they inherit; nothing is read anew that did not change."""
    configuration = place.book.configuration()
    assert place.book.problems() == []
    assert place.book.configuration() is configuration
    pager, mail = configuration.channels["pager"], configuration.channels["mail"]
    assert (pager.kind, pager.options.to, pager.fallback) == ("mail", "duty@example.com", "mail")
    assert pager.limit == Limit(messages=5, per_ns=60 * 10**9)
    assert (mail.send_resolved, mail.origin, mail.line) == (False, "settings", 3)
    assert mail.options.password.reveal() == "hush"
    assert "hush" not in f"{mail}{mail.options.password}"
    root = configuration.route
    first, second, third = root.routes
    assert [route.key for route in (root, first, first.routes[0], second, third)] == [
        "{}",
        '{}/{severity=~"error|critical",team="db"}',
        '{}/{severity=~"error|critical",team="db"}/{zone="a"}',
        '{}/{zone="a"}',
        '{}/{zone="a"}#2',
    ]
    assert (first.channels, first.repeat_interval_ns, first.continues) == (("pager",), 3600 * 10**9, True)
    assert (first.mute_during, first.routes[0].mute_during) == (("nights",), ())
    assert [each.group_by for each in (first, first.routes[0], third)] == [("alertname",), None, ("alertname",)]
    assert configuration.inhibitions == (
        Inhibition((Matcher("severity", "=", "critical"),), (Matcher("severity", "=~", "warning|info"),), ("service",)),
    )
    assert configuration.intervals["nights"] == (
        TimeInterval(times=((1320, 1440), (0, 360)), location="Europe/Berlin"),
    )
    assert configuration.intervals["rest"] == (
        TimeInterval(weekdays=((6, 6), (0, 0))),
        TimeInterval(days_of_month=((-3, -1),), months=((1, 3), (12, 12)), years=((2026, 2026),)),
    )


def test_a_channel_that_is_wrong_is_told_of_once(place: Place) -> None:
    """Routes and channels that name it lead somewhere: only what is wrong with it is a problem, not its name."""
    place.settings.write_text(SETTINGS.replace("to: ops@", "too: ops@").replace("to: duty@", "too: duty@"))
    assert [problem for problem in place.book.problems() if "unknown key 'too'" in problem]
    assert not [problem for problem in place.book.problems() if "there is no channel" in problem]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("type: mail", "type: mial", "there is no type 'mial' of channels; did you mean 'mail'?"),
        ("to: duty@", "too: duty@", "unknown key 'too'; did you mean 'to'?"),
        ("fallback: mail", "title: '{{ severty }}'", "the template is wrong: line 1: there is no 'severty'"),
        ("fallback: mail", "fallback: smoke", "there is no channel 'smoke'; there are: mail, pager"),
        ("channels: mail", "channels: mial", "there is no channel 'mial'; did you mean 'mail'?"),
        ("mute_during: nights", "mute_during: nigths", "no interval 'nigths'; did you mean 'nights'?"),
        ("continue: true", "escalation: db", "there is no escalation 'db'; there is no escalation yet"),
        ("group_by: [alertname]", "match: a=b", "the first route takes every alert, and has no match"),
        ('["..."]', '["...", a]', "... is all labels, and stands alone"),
        ("[zone=a]", '[zone=~"a("]', "is no regular expression: missing ): ^(?:a()$"),
        ("[zone=a]", '[a="b", "="]', "expected the name of a label, not ="),
        ("22:00-24:00", "22:00-06:00", "the time ends before it begins; write it like 09:00-17:00; one over midnight"),
        ("saturday", "caturday", "'caturday' is not possible here; write it like monday:friday or sunday"),
        ("-3:-1", "-1:-3", "the range always ends before it begins"),
        ("Europe/Berlin", "Europe/Bärlin", "there is no time zone 'Europe/Bärlin'"),
        ("repeat_interval: 1h", "repeat_interval: 0s", "too short or too long"),
        ("    inhibitions:", "    inhibits:", "unknown key 'inhibits'; did you mean 'inhibitions'?"),
        ("{env: MAIL_PASSWORD}", "{env: NOT_SET}", "channel mail: the variable NOT_SET is not set"),
        ("{env: MAIL_PASSWORD}", "{file: /no/where}", "channel mail: /no/where can't be read: No such file"),
        ("{env: MAIL_PASSWORD}", "{vault: a}", "password: expected a secret; write {env: NAME}"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(place: Place, before: str, after: str, said: str) -> None:
    """A mistake in a settings file is named with file and line; what was right before it stays in force."""
    good = place.book.configuration()
    assert before in SETTINGS
    place.settings.write_text(SETTINGS.replace(before, after, 1))
    (problem,) = (problem for problem in place.book.problems() if said in problem)
    line = SETTINGS[: SETTINGS.index(before)].count("\n") + 1
    assert problem.startswith(f"{place.settings}:")
    assert abs(int(problem.split(":")[1]) - line) <= 7
    configured = place.book.configuration()
    assert configured.route == good.route
    assert {name: each.fallback for name, each in configured.channels.items()} == {"mail": "", "pager": "mail"}


def test_what_is_made_in_pages_is_kept_with_versions(place: Place) -> None:
    """Kept things survive a restart, in the settings file's form; who comes second is told; names in use stay."""
    written = {"type": "mail", "to": "web@example.com", "password": "s3cret"}
    first = place.book.put("channels", "web", written, "", "ann")
    file = place.kept / "channels" / "web.yaml"
    assert yaml.safe_load(file.read_text())["monitoring"]["channels"]["web"] == written
    assert file.stat().st_mode & 0o077 == 0
    shown = place.book.written("channels", "web")
    assert (shown["password"], shown["to"]) == (KEPT, "web@example.com")
    place.open()
    second = place.book.put("channels", "web", {**shown, "to": "new@example.com"}, first, "bob\n\x00\x85 of web")
    channel = place.book.configuration().channels["web"]
    assert (channel.options.to, channel.options.password.reveal()) == ("new@example.com", "s3cret")
    assert (channel.origin, channel.version) == ("kept", second)
    with pytest.raises(ConflictError):
        place.book.put("channels", "web", written, first, "bob")
    old = [(found.value.options.to, found.by) for _, found in place.book.versions("channels", "web")]
    assert (old, place.book.found("channels")["web"].by) == ([("web@example.com", "ann")], "bob of web")
    place.book.put("channels", "next", {"type": "mail", "to": "a@b", "fallback": "web"}, "", "ann")
    with pytest.raises(ConfigurationError, match="the channel is used by the channel 'next'"):
        place.book.delete("channels", "web", second, "ann")
    with pytest.raises(KeyError):
        place.book.delete("channels", "gone", "", "ann")
    next_version = place.book.found("channels")["next"].version
    place.book.delete("channels", "next", next_version, "ann")
    place.book.delete("channels", "web", second, "ann")
    assert set(place.book.configuration().channels) == {"mail", "pager"}


def test_a_settings_file_that_is_gone_takes_nothing_with_it(place: Place) -> None:
    """What it held stays, and the problem is told, until there is one again: editors move files away to write them."""
    channels = place.book.configuration().channels
    place.settings.unlink()
    for _ in range(2):
        assert place.book.configuration().channels == channels
        assert place.book.problems()[0].endswith("the file is gone; what it held stays until the server starts anew")
    place.settings.write_text("server: {}\n")
    assert place.book.configuration().channels == {}
    assert place.book.problems() == []


def test_the_settings_file_comes_first(place: Place) -> None:
    """What stands in the settings file is changed there; without it the kept one counts, and that is told."""
    for change in (
        lambda: place.book.put("routes", "root", {}, "", "ann"),
        lambda: place.book.delete("channels", "mail", "", "ann"),
    ):
        with pytest.raises(ElsewhereError, match=r"settings.yaml, line \d+: change it there"):
            change()
    place.settings.write_text("server: {}\n")
    assert place.book.configuration().route is DEFAULT_ROUTE
    tree = {"routes": [{"match": ["a=b"], "group_wait": "0s", "mute_during": ["weekends"]}]}
    place.book.put("intervals", "weekends", {"weekdays": ["saturday", "sunday"]}, "", "ann")
    version = place.book.put("routes", "root", tree, "", "ann")
    assert place.book.configuration().route.routes[0].group_wait_ns == 0
    shown = place.book.written("routes", "root")
    assert (shown["routes"][0]["match"], shown["routes"][0]["group_interval"]) == (['a="b"'], None)
    assert place.book.put("routes", "root", shown, version, "ann") == version
    place.book.put("inhibitions", "quiet", {"source": ["a=b"], "target": ["c=d"]}, "", "ann")
    assert place.book.configuration().inhibitions[0].target == (Matcher("c", "=", "d"),)
    place.settings.write_text(SETTINGS)
    assert len(place.book.configuration().route.routes) == 3
    assert [problem.split(": ", 1)[1] for problem in place.book.problems()] == [
        (
            f"the tree of routes 'root' is hidden by the one in {place.settings}:7; "
            "delete one of them, or give it another name"
        )
    ]


def test_a_look_at_files_is_remembered_for_a_moment_and_changes_made_here_count_at_once(
    place: Place,
) -> None:
    """Within a tenth of a second files are not looked at again, unless something is kept or deleted."""
    place.book = Book(place.book._sections, place.book._settings, place.book._kept, lambda: place.now_s)
    before = place.book.configuration()
    place.settings.write_text("server: {}\n")
    assert place.book.configuration() is before
    version = place.book.put("channels", "web", {"type": "mail", "to": "a@b"}, "", "ann")
    assert set(place.book.configuration().channels) == {"web"}
    place.book.delete("channels", "web", version, "ann")
    assert place.book.configuration().channels == {}
    place.settings.write_text(SETTINGS)
    assert place.book.configuration().channels == {}
    place.now_s += 0.2
    assert set(place.book.configuration().channels) == {"mail", "pager"}


@pytest.mark.parametrize(
    ("section", "name", "value", "said"),
    [
        ("channels", "web", {"type": "mail"}, ["to is missing"]),
        ("channels", "web", {"type": "mail", "to": "a", "fallback": "b", "password": {"file": "/etc/passwd"}}, [
            ("password: a secret from the environment or a file can only be named in the settings file; "
            "write the secret itself here"),
            "fallback: there is no channel 'b'; there are: mail, pager",
        ]),
        ("channels", "web", {"type": "mail", "to": "a", "password": KEPT}, [
            ("password: expected a secret; write {env: NAME} for a variable of the server's environment, "
                "or {file: PATH}")
        ]),
        ("channels", "No/name", {"type": "mail", "to": "a"}, [
            "name: 'No/name' can't be a uid: use small letters, digits, - and _, at most 100 of them"
        ]),
        ("inhibitions", "a", {"source": "a=~(", "target": []}, [
            ("source: '(' is no regular expression: missing ): ^(?:()$; the syntax is RE2: no look-around, "
            "no back-references; escape special characters with a backslash")
        ]),
    ],
)  # fmt: skip
def test_wrong_things_are_refused_by_field(
    place: Place, section: str, name: str, value: object, said: list[str]
) -> None:
    """Each wrong field of what a page gives is named; secrets of the server's machine can't be read through a page."""
    with pytest.raises(ConfigurationError) as refused:
        place.book.put(section, name, value, "", "ann")
    assert [str(problem) for problem in refused.value.problems] == said
    assert name not in place.book.found(section)


def test_the_documented_settings_are_right() -> None:
    """What docs/routing.md gives as an example is read without a problem by the kinds of channels that there are."""
    text = (Path(__file__).parents[4] / "docs" / "routing.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    sections = Sections([channel_section(channel_kinds()), *route_sections()])
    checked = check_text(example, "routing.md", sections)
    assert (checked.counts, checked.problems) == (
        {"channels": 3, "routes": 1, "inhibitions": 1, "intervals": 1},
        (),
    )
