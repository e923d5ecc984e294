"""Take secrets out of telemetry: by the name of an attribute, in texts, URLs and SQL.

What is replaced leaves a mark that says why: ``[scrubbed: password]``; in URLs ``REDACTED``, in SQL ``?``. Whatever
holds nothing is given back as the same object, so a caller sees by identity that nothing was done. Pure functions of
their input: no I/O, no clock. Safe for threads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from spanglass.scrubbing.hints import hint_pattern
from spanglass.scrubbing.json_text import is_json, scrub_json
from spanglass.scrubbing.keys import KeyRules, words_of
from spanglass.scrubbing.pairs import is_flag, scrub_pairs
from spanglass.scrubbing.plans import REDACTED, Plan, is_marked, mark, plan_of
from spanglass.scrubbing.shapes import HINTS as SHAPE_HINTS
from spanglass.scrubbing.shapes import scrub_shapes, scrub_userinfo
from spanglass.scrubbing.sql import HINT as SQL_HINT
from spanglass.scrubbing.sql import NO_SQL, scrub_sql
from spanglass.scrubbing.url import HINTS as URL_HINTS
from spanglass.scrubbing.url import scrub_query, scrub_url
from spanglass_core.attribute_names import SCRUBBED
from spanglass_core.lazy_patterns import lazily

MAX_TEXT = 1_048_576  # characters of one text that are read; what is behind them is cut off, for nobody looked at it
MAX_DEPTH = 32  # levels of mappings and lists in one value
_CACHED_TEXTS, _CACHED_LENGTH = 4096, 256  # texts without secrets that are remembered, and their greatest length
_CACHED_KEYS = 4096
_PLAIN, _SECRET = int(Plan.PLAIN), int(Plan.SECRET)
_NUMBERS = frozenset({bool, int, float})
_ALWAYS = re.compile("")
_SHORT = 8  # shorter texts can't hold a name with its value: "a=secret" has 8 characters


class ScrubMatch(NamedTuple):
    """What was found, as a callback sees it."""

    key: str  # of the attribute, with the path inside it: "request.user.password"; "" if a text was given alone
    value: Any  # the value as it was, or the part of a text
    reason: str  # such as "password" or "card number"


#: Gives what to use instead; ``match.value`` keeps it, None takes the usual mark. It may raise: the caller of the
#: scrubber decides what then.
Callback = Callable[[ScrubMatch], Any]


class Scrubber:
    """Scrubs attributes, values, texts, URLs and SQL."""

    def __init__(
        self, extra_keys: Iterable[str] = (), safe_keys: Iterable[str] = (), callback: Callback | None = None
    ) -> None:
        """``extra_keys`` are words that make a key secret; ``safe_keys``, whole or ``prefix.*``, are never scrubbed."""
        self._rules = KeyRules(extra_keys, safe_keys)
        self._callback = callback
        self._text_hint = lazily(lambda: hint_pattern([*self._rules.hints(), *SHAPE_HINTS]))
        self._url_hint = lazily(lambda: hint_pattern([*self._rules.hints(), *SHAPE_HINTS, *URL_HINTS]))
        by_plan = {
            Plan.TEXT: self._text_hint,
            Plan.URL: self._url_hint,
            Plan.QUERY: self._url_hint,
            Plan.SQL: SQL_HINT,
        }
        self._hints = [by_plan.get(Plan(each), _ALWAYS) if each else _ALWAYS for each in range(max(Plan) + 1)]
        self._plans: dict[str, Plan] = {}
        self._clean: list[set[str]] = [set() for _ in range(max(Plan) + 1)]  # by plan

    def attributes(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Scrub the values of a mapping; the new one lists what was scrubbed as ``spanglass.scrubbed``."""
        plans, clean, hints = self._plans, self._clean, self._hints
        changed: dict[str, Any] | None = None
        for key, value in attributes.items():  # for every attribute of every span: hardly more than look-ups
            plan = plans.get(key) or self._plan(key)
            if plan == _PLAIN or (value.__class__ in _NUMBERS and plan != _SECRET):
                continue
            if value.__class__ is str:
                if value in clean[plan]:
                    continue
                if hints[plan].search(value.lower()) is None:
                    self._remember(plan, value)
                    continue
            scrubbed = self._apply(plan, key, value, attributes)
            if scrubbed is not value:
                changed = changed or {}
                changed[key] = scrubbed
        if changed is None:
            return attributes
        named = attributes.get(SCRUBBED, ())
        return {**attributes, **changed, SCRUBBED: tuple(dict.fromkeys([*named, *changed]))}

    def value(self, key: str, value: Any) -> Any:
        """Scrub one value by its key and by what it is; lists and mappings to ``MAX_DEPTH``."""
        return self._apply(self._plans.get(key) or self._plan(key), key, value, {})

    def text(self, text: str, key: str = "") -> str:
        """Scrub a text: names with their values, headers, tokens, private keys, card numbers, URLs' passwords."""
        if len(text) < _SHORT or (len(text) <= _CACHED_LENGTH and text in self._clean[Plan.TEXT]):
            return text
        if len(text) > MAX_TEXT:
            text = text[:MAX_TEXT] + mark(f"not read, {len(text) - MAX_TEXT} more characters")
        if self._text_hint.search(text.lower()) is None:
            return self._remember(Plan.TEXT, text)
        if is_json(text):
            scrubbed = scrub_json(text, self._rules, self._marker(key), lambda part: self.text(part, key))
        else:
            scrubbed = self._plain_text(text, key)
        return self._remember(Plan.TEXT, text) if scrubbed == text else scrubbed

    def url(self, url: str, key: str = "") -> str:
        """Scrub a URL: user and password, secret parameters, tokens in its path."""
        if self._url_hint.search(url.lower()) is None:
            return self._remember(Plan.URL, url)
        scrubbed = scrub_url(url, self._rules, self._marker(key, REDACTED), self.text)
        return self._remember(Plan.URL, url) if scrubbed is url else scrubbed

    def query(self, query: str, key: str = "") -> str:
        """Scrub the parameters of a URL, without question mark."""
        if self._url_hint.search(query.lower()) is None:
            return self._remember(Plan.QUERY, query)
        scrubbed = scrub_query(query, self._rules, self._marker(key, REDACTED), self.text)
        return self._remember(Plan.QUERY, query) if scrubbed is query else scrubbed

    def sql(self, text: str, system: str = "") -> str:
        """Replace the literals of an SQL statement by ``?``; ``system`` as in ``db.system.name``.

        Query texts of systems without SQL, such as Redis, are scrubbed as texts. No callback is asked: a literal is no
        secret that was found, it is what a statement's text should not hold.
        """
        if system in NO_SQL:
            return self.text(text)
        scrubbed = scrub_sql(text if len(text) <= MAX_TEXT else text[:MAX_TEXT], system)
        # what double quotes mean depends on the system
        return self._remember(Plan.SQL, text) if scrubbed is text and '"' not in text else scrubbed

    def _plan(self, key: str) -> Plan:
        plan = Plan.PLAIN if self._rules.is_safe(key) else plan_of(key, secret=self._rules.find(key) is not None)
        if len(self._plans) >= _CACHED_KEYS:
            self._plans.clear()
        self._plans[key] = plan
        return plan

    def _apply(self, plan: Plan, key: str, value: Any, around: Mapping[str, Any]) -> Any:
        if plan is Plan.PLAIN:
            return value
        if plan is Plan.SECRET:
            return self._secret(key, value)
        if isinstance(value, str):
            return self._by_plan(plan, key, value, around)
        return self._nested(key, value, 0)

    def _by_plan(self, plan: Plan, key: str, value: str, around: Mapping[str, Any]) -> str:
        if plan is Plan.URL:
            return self.url(value, key)
        if plan is Plan.QUERY:
            return self.query(value, key)
        if plan is Plan.SQL:
            return self.sql(value, str(around.get("db.system.name") or around.get("db.system") or ""))
        return self.text(value, key)

    def _nested(self, key: str, value: Any, depth: int) -> Any:
        """Scrub what is in a list or mapping; gives the same object when there is nothing."""
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, str):
            return self.text(value, key)
        if depth >= MAX_DEPTH:
            return mark("nested too deep to read")
        if isinstance(value, Mapping):
            return self._mapping(key, value, depth)
        if isinstance(value, (bytes, bytearray)):
            text = value.decode("latin-1")
            scrubbed = self.text(text, key)
            return value if scrubbed is text else scrubbed.encode("latin-1", "replace")
        return self._sequence(key, value, depth) if isinstance(value, (Sequence, set, frozenset)) else value

    def _mapping(self, key: str, value: Mapping[Any, Any], depth: int) -> Any:
        prefix = f"{key}." if key else ""
        items = {
            name: self._secret(f"{prefix}{name}", item)
            if self._rules.find(str(name)) is not None and not self._rules.is_safe(f"{prefix}{name}")
            else self._nested(f"{prefix}{name}", item, depth + 1)
            for name, item in value.items()
        }
        return value if all(item is value[name] for name, item in items.items()) else items

    def _sequence(self, key: str, value: Iterable[Any], depth: int) -> Any:
        before = list(value)
        items = [self._nested(key, item, depth + 1) for item in before]
        for index, item in enumerate(before[:-1]):  # a command line: --password x
            if is_flag(item) and not is_flag(before[index + 1]) and self._rules.find(item):
                items[index + 1] = self._secret(f"{key}.{item.strip('-')}", before[index + 1], item)
        return value if all(new is old for new, old in zip(items, before, strict=True)) else tuple(items)

    def _secret(self, key: str, value: Any, name: str = "") -> Any:
        """Replace a value whose name is secret; what can hold none, such as true or an empty text, stays."""
        rule = self._rules.find(name or key) or self._rules.find(key.rpartition(".")[2])
        reason = rule.reason if rule is not None else "query parameter"
        number = isinstance(value, (int, float))
        if value is None or isinstance(value, bool) or (number and rule is not None and not rule.numbers):
            return value
        if (isinstance(value, str) and is_marked(value)) or (not number and hasattr(value, "__len__") and not value):
            return value
        marked = self._instead(key, value, reason)
        if isinstance(value, (list, tuple)):  # a list of headers' values stays one, so that its column keeps its type
            return value if tuple(value) == (marked,) else (marked,)
        return marked

    def _plain_text(self, text: str, key: str) -> str:
        marker = self._marker(key)
        text = scrub_userinfo(text)
        text = scrub_pairs(text, self._rules, marker)
        return scrub_shapes(text, marker, cards=not key or words_of(key)[-1:] not in (["id"], ["ids"]))

    def _marker(self, key: str, default: str = "") -> Callable[[str, str], str]:
        """Make what gives the replacement of a part of a text: the callback's, ``default``, or the usual mark."""
        return lambda found, reason: str(self._instead(key, found, reason, default))

    def _instead(self, key: str, value: Any, reason: str, default: str = "") -> Any:
        instead = self._callback(ScrubMatch(key, value, reason)) if self._callback is not None else None
        return (default or mark(reason)) if instead is None else instead

    def _remember(self, plan: Plan, text: str) -> str:
        """Note that there is nothing in a text, and give it back."""
        if len(text) <= _CACHED_LENGTH:
            clean = self._clean[plan]
            if len(clean) >= _CACHED_TEXTS:
                clean.clear()
            clean.add(text)
        return text
