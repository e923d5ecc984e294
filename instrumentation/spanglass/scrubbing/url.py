"""URLs and query strings: user and password, and secret parameters; every other byte stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_plus

from spanglass.scrubbing.plans import is_marked
from spanglass.scrubbing.shapes import scrub_userinfo
from spanglass_core.lazy_patterns import lazy_pattern

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from spanglass.scrubbing.hints import Hint
    from spanglass.scrubbing.keys import KeyRules
    from spanglass.scrubbing.plans import Mark

#: Parameters that are secret in a URL and have harmless names elsewhere: signatures of cloud storage (semantic
#: conventions, ``url.query``), assertions of single sign-on, session ids.
_PARAMETERS = frozenset(
    {
        "assertion", "awsaccesskeyid", "googleaccessid", "hdnea", "samlart", "samlrequest", "samlresponse", "sid",
        "sig", "signature", "x-amz-credential", "x-amz-signature", "x-goog-credential", "x-goog-signature",
    }
)  # fmt: skip
#: What a URL with something to scrub contains, besides what texts do: a name may be written in percents.
HINTS: tuple[Hint, ...] = (*((name, "") for name in _PARAMETERS), ("code=", ""), ("%", ""))

_PARAMETER = lazy_pattern(r"([^&;=]++)=([^&;]*+)")


def scrub_url(url: str, rules: KeyRules, mark: Mark, scrub_text: Callable[[str], str]) -> str:
    """Scrub a URL, absolute or from its path on; gives the same object when there is nothing."""
    url = scrub_userinfo(url)
    base, hash_sign, fragment = url.partition("#")
    path, question, query = base.partition("?")
    new_path = scrub_text(path)
    new_query = scrub_query(query, rules, mark, scrub_text) if query else query
    new_fragment = scrub_query(fragment, rules, mark, scrub_text) if "=" in fragment else fragment
    if new_path is path and new_query is query and new_fragment is fragment:
        return url
    return f"{new_path}{question}{new_query}{hash_sign}{new_fragment}"


def scrub_query(query: str, rules: KeyRules, mark: Mark, scrub_text: Callable[[str], str]) -> str:
    """Scrub the values of a query string, without its question mark; ``mark`` gives what is written, unquoted."""
    # an authorization code of OAuth travels with its state; other codes are no secrets
    oauth = "code=" in query and "state=" in query

    def replace(found: re.Match[str]) -> str:
        name, value = unquote_plus(found[1]), unquote_plus(found[2])
        reason = _reason(name, value, rules, scrub_text, oauth=oauth)
        return f"{found[1]}={quote(mark(value, reason))}" if reason else found.group()

    scrubbed = _PARAMETER.sub(replace, query)
    return query if scrubbed == query else scrubbed


def _reason(name: str, value: str, rules: KeyRules, scrub_text: Callable[[str], str], *, oauth: bool) -> str:
    if is_marked(value) or rules.is_safe(name):
        return ""
    rule = rules.find(name)
    if rule is not None:
        return rule.reason
    if name.lower() in _PARAMETERS:
        return "url signature"
    if oauth and name == "code":
        return "authorization"
    return "url parameter" if scrub_text(value) != value else ""  # a URL or token inside it
