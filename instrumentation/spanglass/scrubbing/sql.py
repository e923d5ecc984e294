"""SQL without its values: literals become ``?``, as the semantic conventions ask (``db.query.text``, sanitization).

Comments, names, parameters (``$1``, ``:id``, ``%(id)s``) and the layout stay. One pass; where dialects disagree about
the end of a string, more is replaced rather than less.
"""

from __future__ import annotations

import re

from spanglass_core.lazy_patterns import lazy_pattern

#: Systems where "..." is a string too, not a name.
_QUOTES_ARE_STRINGS = frozenset({"bigquery", "gcp.bigquery", "hive", "mariadb", "mysql", "spark", "gcp.spanner"})

#: Systems whose query texts are no SQL.
NO_SQL = frozenset(
    {
        "aws.dynamodb", "azure.cosmosdb", "cosmosdb", "couchbase", "couchdb", "dynamodb", "elasticsearch", "hbase",
        "memcached", "mongodb", "neo4j", "opensearch", "redis", "valkey",
    }
)  # fmt: skip

_TOKEN = lazy_pattern(
    r"""(?P<comment>--[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?)
    |(?P<escaped>[eE]'(?:[^'\\]|\\.|'')*+'?)
    |(?P<string>(?:[uU]&|[nNbBxX])?'[^']*+(?:''[^']*+)*+'?)
    |(?P<dollar>(?<![\w$])\$(?:[A-Za-z_]\w*+)?+\$)
    |(?P<quoted>"[^"]*+(?:""[^"]*+)*+"?)
    |`[^`]*+`?
    |\[[A-Za-z_][\w .$-]*+\]
    |[$:@?\#]{1,2}[\w.]++|%\(?[A-Za-z_][\w.]*+|[^\W\d][\w$]*+
    |(?P<number>(?:0[xX][0-9a-fA-F]++|(?:\d[\d_]*+(?:\.\d*+)?+|\.\d++)(?:[eE][+-]?\d++)?+))
    """,
    re.VERBOSE | re.DOTALL,
)
#: What every statement with a literal contains, and few others: a digit in a name or parameter is a suspicion too.
HINT = lazy_pattern(r"['\"$0-9]")
_SIGN_IS_OPERATOR = lazy_pattern(r"[\w)\]\"'`]\s{0,8}\Z")


def scrub_sql(text: str, system: str = "") -> str:
    """Replace the literals of a statement by ``?``; gives the same object when there are none.

    ``system`` is the value of ``db.system.name``: some systems write strings in double quotes.
    """
    if HINT.search(text) is None:
        return text
    pieces: list[str] = []
    copied = done = 0
    while found := _TOKEN.search(text, done):
        kind = found.lastgroup
        start, done = found.span()
        if kind == "quoted" and system not in _QUOTES_ARE_STRINGS:
            continue
        if kind in {"string", "quoted"}:
            done = _string_end(text, found)
        elif kind == "dollar":
            end = text.find(found.group(), done)
            done = len(text) if end < 0 else end + len(found.group())
        elif kind == "number":
            start = _with_sign(text, start, copied)
        if kind is None or kind == "comment":
            continue
        pieces += [text[copied:start], "?"]
        copied = done
    return "".join([*pieces, text[copied:]]) if pieces else text


def _string_end(text: str, found: re.Match[str]) -> int:
    """Find a string's end. Dialects disagree on a backslash before a quote: then it is the last quote."""
    quote = found.group()[-1] if found.group()[-1] in "'\"" else ""
    if quote and "\\" + quote in found.group():
        return text.rfind(quote) + 1
    return found.end()


def _with_sign(text: str, start: int, copied: int) -> int:
    """Take the sign into a number, unless it is an operator between two values."""
    before = start - 1
    if before < copied or text[before] not in "+-":
        return start
    return start if before > copied and _SIGN_IS_OPERATOR.search(text, max(copied, before - 8), before) else before
