"""Names with their values in running text: ``password=x``, ``"token": "x"``, ``Cookie: a=b; c=d``, ``--password x``.

Written for logs, Python representations, headers, pieces of JSON and stack traces. Names are judged by ``KeyRules``.
The search goes on behind what it has read and every repetition is possessive, so a text is read once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spanglass.scrubbing.plans import is_marked
from spanglass_core.lazy_patterns import lazy_pattern

if TYPE_CHECKING:
    from spanglass.scrubbing.keys import KeyRules, Rule
    from spanglass.scrubbing.plans import Mark

# A name and what parts it from its value. It begins a word, or follows a line break that is written as `\\n`.
# `"a", "b"` parts them where pairs of headers, or the arguments of a command, are listed.
_NAME = lazy_pattern(
    r"(?:(?<=\\[nrt])|(?<![\w.-])(?!(?<=\\)[nrt]))"
    r"(?P<name>(?:(?i:api|secret|private|access|credit|debit|card|security|social|bank|account)[ ](?=\w)){0,2}+"
    r"[\w.-]{1,128}+)"
    r"(?P<quote>\\{0,8}[\"'])?(?P<item>(?<=[\"'])\])?(?P<part>\s{0,8}(?:=>|:=|[=:])\s{0,8}|(?<=[\"']),\s{0,8})"
)
_FLAG = lazy_pattern(r"(?<![^\s\"'`(\[])--?(?P<name>[A-Za-z][\w-]{1,64}+) {1,4}(?=[^\s-])")
_FLAG_ALONE = lazy_pattern(r"-{1,2}[A-Za-z][\w-]{1,64}+")
_NEXT_FLAG = lazy_pattern(r"-{1,2}[A-Za-z][\w-]{0,64}+\\{0,8}[\"']")
# `token: str | None = "x"`: what stands between a name and its value
_ANNOTATION = lazy_pattern(r"[\w.]++(?:\[[\w., |]{1,60}+\])?+(?:\s?\|\s?[\w.]++){0,3}+\s{0,4}=\s{0,4}")
_PAIR_BEGINS = lazy_pattern(r"\([bBrRuUfF]{0,2}\\{0,8}[\"']\Z")
_PAIR_ENDS = lazy_pattern(r"\\{0,8}[\"'],?\s?\)")
_FIELD = lazy_pattern(r"[a-z_]*+")
_OPEN = lazy_pattern(r"[bBrRuUfF]{0,2}(\\{0,8})([\"'])")
_QUOTE_OR_LINE = {'"': lazy_pattern(r"[\"\n]"), "'": lazy_pattern(r"['\n]")}
# A backslash is part of a value unless it writes a control character or a quote.
_VALUE = lazy_pattern(r"(?:[^\s\"'\\,;&<>(){}\[\]]|\\\\|\\[^\s\\nrtbfu\"'/])++")
_SCHEME = lazy_pattern(r"(?i:bearer|basic|digest|token|apikey|api-key|negotiate|ntlm)[ ]{1,4}")
_COOKIES = lazy_pattern(r"[^\s\"'\\,;=]++=[^\s\"'\\,;]*+(?:;[ ]?[^\s\"'\\,;]++)*+")
# Where the value of an argument ends, and no sentence goes on: a token may be any word there too.
_ENDS_ARGUMENT = lazy_pattern(r"\s*+(?:\Z|[\"'`])| {1,4}-|\s*+\n")
# Literals in brackets, `auth=("bob", "hunter2")`, and not names of source code, `auth=(user, password)`.
_LITERALS = lazy_pattern(r"[({\[]\s{0,8}[bBrRuUfF]{0,2}[\"']")
# What stands where a value would and is none: a placeholder, a type, a word of prose, a name in source code.
_NO_VALUE = lazy_pattern(
    r"%\w?|\$|\$\d{1,3}|\$[A-Z_]++|\?|:[a-z_]++|[=:|~.+*-]++|[a-z_]{1,24}(?:\.[a-z_]{1,24}|\.[A-Z_]{1,24})++"
    r"|(?i:bearer|basic|digest)\W*+|TEXT|STRING|VALUE|(?i:none|null|nil|true|false|undefined|str|int|bytes|bool|float"
    r"|string|any|optional|text|ok|yes|no|self|cls|required|missing|invalid|empty|unset|wrong|incorrect|expired|changed"
    r"|is|was|must|not|and|or|for)"
)
_CODE_NAME = lazy_pattern(r"[A-Za-z]++(?:_[A-Za-z]++)++|[A-Z]{3,}+")
_CALLED = lazy_pattern(r"[A-Za-z_.]++")
_LOOKS_RANDOM = lazy_pattern(r"(?=[^\s\d]*+\d)\S{6,}+|(?=[^\sa-z]*+[a-z])(?=[^\sA-Z]*+[A-Z])\S{8,}+|\S{20,}+")
_LETTER = lazy_pattern(r"\w")
_BRACKETS = frozenset("{[(")
_BRACKET = lazy_pattern(r"\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?|[{}\[\]()]", re.DOTALL)


def scrub_pairs(text: str, rules: KeyRules, mark: Mark) -> str:
    """Replace values whose name says that they are secret; gives the same object when there is none."""
    if "=" in text or ":" in text or "," in text:
        text = _scan(text, _NAME, rules, mark)
    if "-" in text and " " in text:
        text = _scan(text, _FLAG, rules, mark)
    return text


def _scan(text: str, names: re.Pattern[str], rules: KeyRules, mark: Mark) -> str:
    pieces: list[str] = []
    copied = done = 0
    while found := names.search(text, done):
        done = found.end()
        rule = rules.find(found["name"])
        span = _locate(text, found, rule, rules) if rule is not None else None
        if rule is None or span is None:
            continue
        start, end, wrapper = span
        done = max(done, end)
        if not is_marked(text[start:end]) and _LETTER.search(text, start, end):
            pieces += [text[copied:start], wrapper, mark(text[start:end], rule.reason), wrapper]
            copied = end
    return "".join([*pieces, text[copied:]]) if pieces else text


def _locate(text: str, found: re.Match[str], rule: Rule, rules: KeyRules) -> tuple[int, int, str] | None:
    """Find a secret name's value: where it begins and ends, and the quotes that its mark needs around it."""
    fields = found.groupdict()
    key_quote, part = fields.get("quote") or "", fields.get("part") or " "
    start = found.end()
    opening = _OPEN.match(text, start)
    if part[0] == "," and not _is_listed(text, found, rule, opening):
        return None
    if opening:
        return opening.end(), _closing(text, opening), ""
    if fields.get("item"):  # `config["password"] = ask()`
        return None
    if key_quote:
        return _structured(text, start, key_quote, rule)
    return _unquoted(text, found, rule, rules)


def _is_listed(text: str, found: re.Match[str], rule: Rule, opening: re.Match[str] | None) -> bool:
    """Whether a name in quotes and what follows it after a comma are a header, or an argument, with its value."""
    name: str = found["name"]
    if opening is None or text[found.start() - 1 : found.start()] != found["quote"][-1:]:  # source code
        return False
    if not name.startswith("-"):
        return rule.header or _is_pair(text, found.start(), opening)
    if _NEXT_FLAG.match(text, opening.end()):  # an argument without a value
        return False
    plain = name.strip("-").replace("-", "_")
    return not text.startswith((f"{plain}'", f'{plain}"'), opening.end())  # a parser of arguments is told a name


def _is_pair(text: str, name_start: int, opening: re.Match[str]) -> bool:
    """Whether a name and a value are all that stands in brackets, not two fields: ``("password", "x1")``."""
    end = _closing(text, opening)
    value = text[opening.end() : end]
    return (
        _PAIR_BEGINS.search(text, max(name_start - 4, 0), name_start) is not None
        and _PAIR_ENDS.match(text, end) is not None
        and _FIELD.fullmatch(value) is None
    )


def _closing(text: str, opening: re.Match[str]) -> int:
    """Find where a quoted value ends: at the same quote, escaped as often; at the end of its line if there is none."""
    escapes, quote = len(opening[1]), opening[2]
    position = opening.end()
    while found := _QUOTE_OR_LINE[quote].search(text, position):
        at = found.start()
        if found.group() == "\n":
            return at
        before = at
        while before > position and text[before - 1] == "\\":
            before -= 1
        if not escapes and (at - before) % 2 == 0:
            return at
        if escapes and at - before <= escapes:
            return before
        position = at + 1
    return len(text)


def _structured(text: str, start: int, quote: str, rule: Rule) -> tuple[int, int, str] | None:
    """The value of a quoted name that is not quoted itself: a number, an object, a mapping or list."""
    atom = _VALUE.match(text, start)
    end = atom.end() if atom else start
    if text[end : end + 1] in _BRACKETS:
        return start, _balanced(text, end), quote
    if atom is None or _NO_VALUE.fullmatch(atom.group()) or (not rule.numbers and is_number(atom.group())):
        return None
    return start, end, quote


def is_flag(value: object) -> bool:
    """Whether an argument of a command only names what the next one is: ``--password``."""
    return isinstance(value, str) and _FLAG_ALONE.fullmatch(value) is not None


def is_number(text: str) -> bool:
    """Whether a text is a number in digits, with sign or point or without."""
    return text.lstrip("+-").replace(".", "", 1).isdigit()


def _balanced(text: str, start: int) -> int:
    """Find the end of what a bracket opens, or of the text: what has been cut off has no end."""
    depth = 0
    for found in _BRACKET.finditer(text, start):
        sign = found.group()
        if len(sign) == 1 and sign not in "\"'":
            depth += 1 if sign in _BRACKETS else -1
            if depth == 0:
                return found.end()
    return len(text)


def _unquoted(text: str, found: re.Match[str], rule: Rule, rules: KeyRules) -> tuple[int, int, str] | None:
    start = found.end()
    if rule.reason == "cookie":
        cookies = _COOKIES.match(text, start)
        return (start, cookies.end(), "") if cookies else None
    scheme = _SCHEME.match(text, start) if rule.header else None
    value = _VALUE.match(text, scheme.end() if scheme else start)
    if value is None:
        return (start, _balanced(text, start), '"') if _LITERALS.match(text, start) else None
    annotation = _ANNOTATION.match(text, start) if found.groupdict().get("part", "").strip() == ":" else None
    opening = _OPEN.match(text, annotation.end()) if annotation else None
    if opening:
        return opening.end(), _closing(text, opening), ""
    if text[value.end() : value.end() + 1] in {"(", "["} and _CALLED.fullmatch(value.group()):
        # `get_password()` is source code; `SecretStr('x')` is how an object shows its value
        opening = None if value.group().islower() else _OPEN.match(text, value.end() + 1)
        return (opening.end(), _closing(text, opening), "") if opening else None
    given = scheme or (found.re.pattern == _FLAG.pattern and _ENDS_ARGUMENT.match(text, value.end()))
    if _is_name(value.group(), found["name"], rules) or not (given or _is_secret(value.group(), rule)):
        return None
    return value.start(), value.end(), ""


def _is_name(value: str, name: str, rules: KeyRules) -> bool:
    """Whether what follows is source code or a placeholder: ``password=db_password``, ``password=%s``."""
    if _NO_VALUE.fullmatch(value) or value.lower() == name.lower():
        return True
    return _CODE_NAME.fullmatch(value) is not None and rules.find(value) is not None


def _is_secret(value: str, rule: Rule) -> bool:
    """Whether a word behind a secret name is one: a password may be any word, a token is no word of a sentence."""
    if rule.prose:
        return rule.numbers or not is_number(value)
    return _LOOKS_RANDOM.match(value) is not None and (rule.numbers or not is_number(value))
