"""Interfaces inside alerting, with their contracts: ``AlertStore``, ``Evaluator``, ``RuleBook``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from spanglass_core.alerting.lifecycle import Status
    from spanglass_core.alerting.rule import Rule
    from spanglass_core.alerting.severity import Severity
    from spanglass_server.alerting.evidence.shared import Shared
    from spanglass_server.alerting.model import Alert, Entry, Failure, Key, KeyState, Origin, Readings, Recorded
    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.store.ports import QuerySession


class Evaluator(Protocol):
    """Computes what rules say, at one step (live) or at many (backtests): the same numbers either way."""

    def evaluate(self, session: QuerySession, rules: Sequence[Rule], steps: Steps) -> Mapping[str, Readings | Failure]:
        """The readings of each rule, by uid. Never raises for what is wrong with one rule: that is its ``Failure``.

        A step's readings depend on what is stored up to it only, never on the other steps asked for. ``QueryError``
        is raised when the session was stopped. Rules that read the same data share one scan.
        """

    def check(self, rule: Rule) -> Failure | None:
        """What is wrong with a rule's condition, without any data; None if nothing is."""


@dataclass(frozen=True, slots=True)
class Found:
    """A rule with where it stands. ``version`` is a digest of its written form, for changes at the same time."""

    rule: Rule
    origin: Origin
    file: str
    version: str
    line: int = 0
    group: str = ""  # of a rule file of Prometheus
    as_written: Rule | None = None  # where ``rule`` is not, but tuned or with the server's channels

    @property
    def uid(self) -> str:
        """The rule's."""
        return self.rule.uid

    @property
    def written(self) -> Rule:
        """The rule as it stands in its file: what is to be changed and kept anew."""
        return self.as_written or self.rule


class RuleBook(Protocol):
    """All rules of a server, whatever source they come from; safe for any thread, quick when no file changed.

    While a file is broken, the rules it held when it was right stay. ``put`` and ``delete`` change what is kept;
    ``override`` changes what is tuned of any rule (enabled, thresholds, for) and is remembered with who and when.
    """

    def rules(self) -> Mapping[str, Found]:
        """The rules by uid, with what is overridden applied; disabled ones too."""

    def problems(self) -> Sequence[str]:
        """What is wrong with the files now, each with file, line and hint."""

    def put(self, rule: Rule, version: str, by: str, now_ns: int) -> Found:
        """Keep a rule in the place of the one with its uid and this version ("": a new one); ``ConflictError``.

        One in the place of a shipped one hides it. ``ElsewhereError`` for a uid of the settings or of a file.
        """

    def delete(self, uid: str, version: str, by: str, now_ns: int) -> None:
        """Delete a kept rule; ``KeyError`` for one that is not there, ``ConflictError`` for a changed one.

        ``ElsewhereError`` for one that is not kept.
        """

    def override(self, uid: str, threshold: Threshold, by: str, now_ns: int) -> Found:
        """Tune a rule, in the place of all that was tuned of it before; nothing given takes that back.

        ``KeyError`` for a rule that is not there, ``ValueError`` for thresholds that can't be.
        """

    def thresholds(self) -> Sequence[KeptThreshold]:
        """What is tuned now, with who and when."""

    def changes(self, uid: str = "") -> Sequence[RuleChange]:
        """What people changed of a rule, or of all, over pages or the API, newest first."""

    def versions(self, uid: str) -> Sequence[tuple[int, Found]]:
        """What a kept rule was before, with the time in ns it was replaced or deleted, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What may be tuned of a rule without writing it anew; None leaves a value as the rule has it."""

    warning: float | None = None
    error: float | None = None
    critical: float | None = None
    recovery: float | None = None
    for_ns: int | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class KeptThreshold:
    """A tuned rule: what, who, when."""

    rule_uid: str
    threshold: Threshold
    updated_by: str
    updated_ns: int


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A change that somebody made. ``before`` and ``after`` are YAML of the rule, or what was tuned as text."""

    time_ns: int
    by: str
    rule_uid: str
    kind: str  # created, changed, deleted, tuned
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts are meant; empty fields mean all. Times are of creation."""

    statuses: tuple[Status, ...] = ()
    severities: tuple[Severity, ...] = ()
    rule_uid: str = ""
    service: str = ""
    host: str = ""
    source: str = ""
    text: str = ""  # in title, description or values of labels, in any case of letters
    part_of: str | None = None  # parts of this alert's problem; "": alerts that stand for one; None: both
    start_ns: int = 0
    end_ns: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)


class AlertNotFoundError(KeyError):
    """There is no alert of that id."""


class AlertStoreError(Exception):
    """The alert store can't be used; the message says what to do."""


class AlertStoreVersionError(AlertStoreError):
    """The alert store was written by a newer version of the server."""


class AlertStoreDamagedError(AlertStoreError):
    """The alert store's file is not what this server or an older one wrote."""


class AlertStore(Protocol):
    """Keeps alerts, their history, and the states of rules. Every method is one transaction, durable when it returns.

    Any thread may call; changes are serialised. Raises ``OSError`` when the disk can't be used; then nothing changed.
    """

    def commit(self, tick: Tick) -> None:
        """Take what one tick of evaluation led to: states, new and changed alerts, entries; all of it or nothing.

        What people did meanwhile stays: of a changed alert only what a rule says is taken (``merging.said``), nothing
        of one that was deleted. If an alert with the fingerprint of an opened one is open, that one counts one more.
        """

    def states(self) -> Sequence[KeyState]:
        """The states of all keys that are not where every key begins."""

    def ticked_ns(self) -> Mapping[str, int]:
        """The time of the last tick of each rule, by uid."""

    def digests(self) -> Mapping[str, str]:
        """What was last said of each rule's meaning (``Tick.digests``), by uid."""

    def alert(self, alert_id: str) -> Alert:
        """One alert; ``AlertNotFoundError``."""

    def found(self, alert_ids: Sequence[str]) -> Mapping[str, Alert]:
        """The alerts of these ids that there are, without their evidence, by id."""

    def all_open(self) -> Sequence[Alert]:
        """All alerts that are not over, without their evidence, in the order in which they opened."""

    def last_cursor(self) -> int:
        """The cursor of the latest entry, 0 if there was none."""

    def open_alert(self, fingerprint: str) -> Alert | None:
        """The alert of a fingerprint that is not over, if there is one."""

    def alerts(self, wanted: AlertFilter, *, limit: int, after: str = "") -> Sequence[Alert]:
        """Alerts, newest first; ``after`` is the id of the last one of the page before."""

    def count(self, wanted: AlertFilter) -> int:
        """How many there are."""

    def counts(self, wanted: AlertFilter) -> Mapping[tuple[Status, Severity], int]:
        """How many there are of each status and severity, whatever is wanted of these; in one look at the alerts."""

    def history(self, alert_id: str) -> Sequence[Entry]:
        """What became of one alert, oldest first."""

    def create(self, alert: Alert, entry: Entry) -> Alert:
        """Add an alert made by hand; if one with its fingerprint is open, that one counts one more and is returned."""

    def change_status(self, alert_id: str, status: Status, entry: Entry) -> Alert:
        """Change the status; ``IllegalChangeError``, ``AlertNotFoundError``."""

    def edit(self, alert_id: str, written: Mapping[str, Any], entry: Entry) -> Alert:
        """Write fields of an alert anew: any of title, description, severity, labels, owner and runbook."""

    def note(self, alert_id: str, entry: Entry) -> None:
        """Add a note."""

    def tell(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """Add to the history of alerts what changes nothing else of them; of one that was deleted nothing is kept."""

    def attach(self, alert_id: str, evidence: Mapping[str, Any], entry: Entry) -> None:
        """Replace the evidence of an alert, and nothing else."""

    def evidence_traces(self) -> Collection[bytes]:
        """The ids of all traces that the evidence of any alert names."""

    def entries_after(self, cursor: int, limit: int) -> Sequence[Recorded]:
        """Entries of all alerts in the order in which they were committed, after a cursor (0: from the first)."""

    def join(self, alert_id: str, head_id: str, entry: Entry) -> None:
        """Make an alert, and the parts that it has, parts of the problem that another one stands for."""

    def delete(self, alert_id: str) -> None:
        """Delete an alert with its history."""

    def purge(self, before_ns: int) -> int:
        """Delete alerts that were over before then and no longer fire, with their history; how many there were."""

    def version(self) -> int:
        """A number that rises with every change; quick."""


@dataclass(frozen=True, slots=True)
class Tick:
    """What the evaluation of some rules at one time led to. ``gone`` are keys whose state is forgotten.

    ``forgotten`` are rules of which no state, tick or digest is kept any longer. ``digests`` are kept beside the tick
    of a rule, by uid. An opened alert may not be the one that counts: the store puts the right one into the state.
    """

    time_ns: int
    rules: tuple[str, ...]
    states: tuple[KeyState, ...] = ()
    gone: tuple[tuple[str, Key], ...] = ()
    opened: tuple[tuple[Alert, tuple[Entry, ...]], ...] = ()
    changed: tuple[tuple[Alert, tuple[Entry, ...]], ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    forgotten: tuple[str, ...] = ()


class EvidenceSource(Protocol):
    """Finds what explains an alert, once, soon after it opened."""

    def gather(
        self, session: QuerySession, rule: Rule, alert: Alert, readings: Readings, shared: Shared
    ) -> Mapping[str, Any]:
        """The evidence, as JSON has it. ``readings`` are those that the alert opened with, of all keys.

        ``shared`` holds what was read over this session for other alerts.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStatus:
    """A recording rule and how its latest evaluation went; ``last_ns`` is its tick, 0 before the first."""

    file: str
    group: str
    interval_ns: int
    limit: int  # of the group: series of one rule, 0 for any
    record: str
    expr: str
    labels: Mapping[str, str]
    line: int = 0
    last_ns: int = 0
    duration_ns: int = 0
    error: str = ""


class Recorder(Protocol):
    """Recording rules: what they write is there before the alert rules of the same tick are evaluated."""

    def groups(self) -> Mapping[str, int]:
        """The groups by name, in the order in which they are to be evaluated, with their interval in nanoseconds."""

    def record(self, group: str, steps: Steps) -> None:
        """Evaluate the rules of a group in their order, and store what they give. Twice at one time: stored once."""

    def problems(self) -> Sequence[str]:
        """What fails now, in words for people."""

    def status(self) -> Sequence[RecordingStatus]:
        """All recording rules, in the order in which they are evaluated."""
