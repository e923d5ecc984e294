"""Spans and log records of users: who each is of, by the ids that it carries, and how many users there are about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_server.query.language import FilterError
from spanglass_server.query.language.compiling.sql import TRUE, Sql, all_of, any_of, union_all
from spanglass_server.query.language.parsing.text import quote
from spanglass_server.query.records import match_records
from spanglass_server.query.services.estimates import PROBABILITY, WEIGHT
from spanglass_server.query.statements import rows, statement
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession, Window

#: What tells the user, the first that a record has: as issues count users.
USER_KEYS = ("user.id", "enduser.id", "user.email", "user.name")
SESSION_KEY = "session.id"
_SIGNALS = frozenset({Signal.SPANS, Signal.LOGS})
#: Log records with an event name are what users did, but for those that tell of something else.
IS_EVENT = Sql("coalesce(event_name <> 'exception' AND event_name NOT LIKE 'spanglass.%', false)")
#: Without ``session.id`` so much silence ends a session, as visits to sites are counted elsewhere.
SILENCE_NS = 1_800 * NS_PER_SECOND
#: Users and sessions are put together by pieces of time of this length at most: no such silence fits into one.
_BIN_NS = SILENCE_NS
#: All pieces of time, where a statement has looked at them once (``use/totals.sql``, ``use/overview.sql``).
SEEN = Sql("SELECT * FROM seen")
#: Up to so many rows nobody asks how many users they are of; of more users than these, every so many-th is counted.
_FEW_ROWS, MOST_USERS = 5_000_000, 1_000_000


@dataclass(frozen=True, slots=True)
class UseQuestion:
    """Which records are looked at: those of a range that match, of one user or session if one is named."""

    window: Window
    filter: str = ""
    user: str = ""
    session: str = ""

    @property
    def text(self) -> str:
        """The filter with the user and the session, so that storage can skip by their ids."""
        wanted = [" or ".join(f"{key} = {quote(self.user)}" for key in USER_KEYS)] if self.user else []
        wanted += [f"{SESSION_KEY} = {quote(self.session)}"] if self.session else []
        return " and ".join(f"({part})" for part in (self.filter.strip(), *wanted) if part)

    def only(self, user: Sql, session: Sql) -> Sql:
        """The same of records with this SQL of their user and session: the first of several ids counts."""
        named = ((user, self.user), (session, self.session))
        return all_of([Sql(f"{told.text} = ?", (*told.parameters, value)) for told, value in named if value])


@dataclass(frozen=True, slots=True)
class Identified:
    """Records of one signal with the SQL of their user and session; ``told`` are the stored columns of these.

    ``asked`` holds for the records of whom the question is.
    """

    records: Records
    user: Sql
    session: Sql
    told: frozenset[str]
    asked: Sql

    def relation(self, session: QuerySession, columns: Sequence[str]) -> Sql:
        """Return the rows that may match of whom the question is, with these columns and those of the ids."""
        rows_of_all = self.records.relation(session, (*columns, *self.told))
        return statement("use/asked", relation=rows_of_all, asked=self.asked)

    def of_somebody(self) -> Identified:
        """Ask only for rows that carry an id."""
        return replace(self, records=replace(self.records, require=self.records.require or self.told))


def identified(session: QuerySession, signal: Signal, question: UseQuestion) -> Identified | None:
    """Make a question of one signal ready; None where the filter can only be of the other one, ``trace(...)``.

    FilterError for a filter that can't be understood at all.
    """
    try:
        records = match_records(session, signal, question.window, question.text)
    except FilterError:
        (other,) = _SIGNALS - {signal}
        match_records(session, other, question.window, question.text)
        return None
    user, of_user = first_text(records, USER_KEYS)
    named, of_session = first_text(records, (SESSION_KEY,))
    return Identified(records, user, named, of_user | of_session, question.only(user, named))


def first_text(records: Records, keys: Sequence[str]) -> tuple[Sql, frozenset[str]]:
    """Return the SQL of the first of these keys that a record has a text for, and the stored columns it reads."""
    found = [records.expression(key, "filter") for key in keys]
    texts = [f"nullif(CAST({sql.text} AS VARCHAR), '')" for sql, _ in found]
    parameters = tuple(value for sql, _ in found for value in sql.parameters)
    return Sql(f"coalesce({', '.join((*texts, 'NULL'))})", parameters), frozenset[str]().union(*(of for _, of in found))


@dataclass(frozen=True, slots=True)
class Activity:
    """All records with an id, as ``user_id``, ``session_id``, ``time_ns``, ``requests``, ``errors``, ``events``.

    ``one_in``: users are so many that one in so many of them is looked at.
    """

    seen: Sql
    one_in: int = 1

    def bins(self, bin_ns: int = _BIN_NS) -> Sql:
        """What was seen of each user and session in pieces of time of this length, of users that are looked at."""
        return self._bins(self._chosen("coalesce(user_id, session_id)"), bin_ns)

    def told(self, bins: Sql | None = None) -> Sql:
        """The same, or ``bins`` that are there already, with the place of sessions that have no id."""
        return statement("use/told", bins=bins or self.bins(), chosen=TRUE, silence_ns=SILENCE_NS)

    def sessions(self, bins: Sql | None = None) -> Sql:
        """All sessions with what was seen of each: those with an id chosen by it, whoever was in them.

        ``bins`` are those of all users, where they are there already; of some users sessions need others.
        """
        by_id = self._chosen("session_id")
        bins = bins or self._bins(any_of([by_id, self._chosen("user_id")]), _BIN_NS)
        return statement("use/sessions", told=statement("use/told", bins=bins, chosen=by_id, silence_ns=SILENCE_NS))

    @property
    def chosen_users(self) -> Sql:
        """Whether a user is looked at."""
        return self._chosen("user_id")

    def _bins(self, chosen: Sql, bin_ns: int) -> Sql:
        return statement("use/bins", seen=self.seen, chosen=chosen, bin_ns=bin_ns)

    def _chosen(self, key: str) -> Sql:
        """Whether an id is among those that are looked at; none is not, though null has a hash."""
        return TRUE if self.one_in == 1 else Sql(f"({key} IS NOT NULL AND hash({key}) % {self.one_in} = 0)")


def bin_of(step_ns: int) -> int:
    """The length of pieces of time that steps of this length are made of."""
    return min(step_ns, _BIN_NS)


def activity(session: QuerySession, question: UseQuestion) -> Activity | None:
    """Gather the records of a question that carry an id; None where the range has no such column at all."""
    sources = [(signal, identified(session, signal, question)) for signal in (Signal.SPANS, Signal.LOGS)]
    there = [(signal, source.of_somebody()) for signal, source in sources if source and source.told]
    if not there:
        return None
    seen = union_all([_seen(session, signal, source) for signal, source in there])
    rows_at_most = sum(max(source.records.known.get(column, 0) for column in source.told) for _, source in there)
    one_in = 1
    if rows_at_most > _FEW_ROWS:
        (size,) = rows(session, statement("use/sizes", seen=seen))
        one_in = -(-size["about"] // MOST_USERS) if size["about"] > MOST_USERS else 1
    return Activity(seen, one_in)


def _seen(session: QuerySession, signal: Signal, source: Identified) -> Sql:
    shared = {"user": source.user, "session": source.session, "where": source.records.predicate}
    if signal is Signal.LOGS:
        return statement(
            "use/logs", **shared, is_event=IS_EVENT, relation=source.relation(session, ("time_ns", "event_name"))
        )
    is_sampled = PROBABILITY in source.records.known
    columns = ("start_time_ns", "kind", "status_code", *([PROBABILITY] if is_sampled else []))
    weight = Sql(WEIGHT if is_sampled else "1")
    return statement("use/spans", **shared, weight=weight, relation=source.relation(session, columns))
