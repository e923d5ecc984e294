"""Secrets that are known by their shape, wherever they stand: keys of known services, JWTs, private keys, card numbers.

Every pattern begins with a literal and repeats single character classes possessively, so a text is read once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spanglass.scrubbing.plans import REDACTED, is_marked
from spanglass_core.lazy_patterns import lazy_pattern

if TYPE_CHECKING:
    from spanglass.scrubbing.hints import Hint
    from spanglass.scrubbing.plans import Mark

# Reason, what it begins with, the rest.
_SHAPES: tuple[tuple[str, str, str], ...] = (
    ("aws key", "AKIA ASIA ABIA ACCA", r"[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ("github token", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{30,}+"),
    ("github token", "github_pat_", r"\w{22,}+"),
    ("gitlab token", "glpat- glptt- gldt- glrt- glcbt- gloas-", r"[\w-]{20,}+"),
    ("slack token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-", r"[A-Za-z0-9-]{10,}+"),
    ("slack webhook", "hooks.slack.com/", r"(?:services|workflows|triggers)/[\w/-]{10,}+"),
    ("stripe key", "sk_live_ sk_test_ rk_live_ rk_test_", r"[A-Za-z0-9]{16,}+"),
    ("stripe key", "whsec_", r"[A-Za-z0-9+/=]{24,}+"),
    ("google key", "AIza", r"[\w-]{35}(?![\w-])"),
    ("google token", "ya29.", r"[\w-]{20,}+"),
    ("google secret", "GOCSPX-", r"[\w-]{20,}+"),
    ("npm token", "npm_", r"[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    ("pypi token", "pypi-AgE", r"[\w-]{40,}+"),
    ("sendgrid key", "SG.", r"[\w-]{16,}+\.[\w-]{16,}+"),
    ("twilio key", "SK", r"[0-9a-f]{32}(?![0-9A-Za-z])"),
    ("vault token", "hvs. hvb. hvr.", r"[\w-]{24,}+"),
    ("digitalocean token", "doo_v1_ dop_v1_ dor_v1_", r"[a-f0-9]{64}"),
    ("shopify token", "shpat_ shpca_ shppa_ shpss_", r"[a-fA-F0-9]{32}"),
    ("hugging face token", "hf_", r"[A-Za-z]{30,}+"),
    ("api key", "sk-", r"(?=[\w-]{0,200}\d)[\w-]{32,}+"),
    # not in the midst of a run of its characters: it would be read again from each place
    ("jwt", "eyJ", r"(?:(?<=\\[nrt]eyJ)|(?<![\w-]eyJ))[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*+(?:\.[\w-]*+){0,2}"),
    ("authorization", "Bearer bearer BEARER", r"[ ](?=[^\s\"'\\]{0,40}\d)[\w.~+/=-]{16,}+"),
    ("authorization", "Basic basic BASIC", r"[ ](?=[A-Za-z]{0,40}[\d=+])[A-Za-z0-9+/]{12,}+={0,2}"),
)
_KEY_BLOCK = "-----BEGIN "


def _pattern(begins: str, rest: str) -> str:
    return f"((?:{'|'.join(re.escape(begin) for begin in begins.split())}){rest})"


_BEGIN = lazy_pattern("|".join(re.escape(begin) for _, begins, _ in _SHAPES for begin in begins.split()))
_SHAPE = lazy_pattern("|".join(_pattern(begins, rest) for _, begins, rest in _SHAPES))
_KEY_BEGIN = lazy_pattern(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = lazy_pattern(r"(?:[A-Za-z0-9+/=\s:,.()-]|\\[nr])*+")
_KEY_END = lazy_pattern(r"-----END [A-Z0-9 ]{1,60}-----")

# 14 to 19 digits, together or in the groups they are printed in
_CARD = lazy_pattern(r"[2-6]\d{3}(?:\d{10,15}|([ -])\d{4}\1\d{4}\1\d{1,7}|([ -])\d{6}\2\d{4,5})")
_ISSUERS = lazy_pattern(
    r"4\d{15}(?:\d{3})?|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|4[4-9]\d|5\d\d)\d{12}"
    r"|35\d{14}|62\d{14,17}"
)
_USERINFO = lazy_pattern(r"(\w{0,3})://((?:[^\s/?#\"'<>\\@]*+@)++)")
# as urllib.parse's results show themselves
_NETLOC = lazy_pattern(r"(netloc\\{0,8}[\"']?\s?[=:]\s?b?\\{0,8}[\"'])((?:[^\s/?#\"'<>\\@]*+@)++)")
_WEB = ("ttp", "tps", "ws", "wss", "ftp")  # the last three characters of the scheme


#: What all of the above begin with. No pattern has a class in a capital letter, so they can be written in small ones.
HINTS: tuple[Hint, ...] = (
    *((begin.lower(), rest.lower()) for _, begins, rest in _SHAPES for begin in begins.split()),
    *((digit, r"\d{3}(?:\d{10}|[ -]\d{4})") for digit in "23456"),
    (_KEY_BLOCK.lower(), ""),
    ("://", r"[^\s/?#\"'<>\\@]*+@"),
    ("netloc", r"\\{0,8}[\"']?\s?[=:]\s?b?\\{0,8}[\"'][^\s/?#\"'<>\\@]*+@"),
)


def scrub_shapes(text: str, mark: Mark, *, cards: bool = True) -> str:
    """Replace what is known by its shape; gives the same object when there is nothing. ``cards``: card numbers too."""
    if _KEY_BLOCK in text:
        text = _private_keys(text, mark)
    text = _known_shapes(text, mark)
    return _keep(text, _CARD.sub(lambda found: _card(found, mark), text)) if cards else text


def scrub_userinfo(text: str) -> str:
    """Replace ``user:password@`` of every URL in a text; of a web address a user alone too, for it is often a token."""
    if "@" not in text:
        return text
    scrubbed = _USERINFO.sub(_userinfo, text) if "://" in text else text
    return _keep(text, _NETLOC.sub(_netloc, scrubbed) if "netloc" in text else scrubbed)


def _keep(before: str, after: str) -> str:
    return before if after == before else after


def _known_shapes(text: str, mark: Mark) -> str:
    pieces: list[str] = []
    copied = done = 0
    while begin := _BEGIN.search(text, done):
        done = begin.end()
        found = None if _inside_word(begin) else _SHAPE.match(text, begin.start())
        if found is None:
            continue
        reason = _SHAPES[(found.lastindex or 1) - 1][0]
        start = begin.end() + 1 if reason == "authorization" else begin.start()  # the scheme stays
        done = found.end()
        pieces += [text[copied:start], mark(text[start:done], reason)]
        copied = done
    return "".join([*pieces, text[copied:]]) if pieces else text


def _private_keys(text: str, mark: Mark) -> str:
    pieces: list[str] = []
    done, end = 0, -1  # `end` is looked for again only when it has been passed
    while begin := _KEY_BEGIN.search(text, done):
        if end < begin.end() and end != len(text):
            end = text.find("-----END", begin.end())
            end = len(text) if end < 0 else end
        body = _KEY_BODY.match(text, begin.end(), end)
        stop = body.end() if body else begin.end()
        closing = _KEY_END.match(text, end) if stop == end else None
        stop = closing.end() if closing else stop
        pieces += [text[done : begin.start()], mark(text[begin.start() : stop], "private key")]
        done = stop
    return "".join([*pieces, text[done:]]) if pieces else text


def _inside_word(found: re.Match[str]) -> bool:
    """Whether a letter or digit stands right before; the letter of a line break written as two characters does not."""
    before = found.string[max(0, found.start() - 2) : found.start()]
    return before[-1:].isalnum() and before not in {"\\n", "\\r", "\\t"}


def _card(found: re.Match[str], mark: Mark) -> str:
    digits = found.group().replace(" ", "").replace("-", "")
    after = found.string[found.end() : found.end() + 2]
    before = found.string[max(0, found.start() - 1) : found.start()]
    in_more = _inside_word(found) or before in {"_", ".", "-"} or after[:1].isalnum() or after[:1] == "_"
    if in_more or (after[:1] in {".", "-"} and after[1:].isdigit()):
        return found.group()
    if not _ISSUERS.fullmatch(digits) or not luhn(digits):
        return found.group()
    return mark(found.group(), "card number")


def luhn(digits: str) -> bool:
    """Check the last digit of a card number (ISO/IEC 7812-1, annex B)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def _netloc(found: re.Match[str]) -> str:
    user, colon, password = found[2][:-1].partition(":")
    if is_marked(password if colon else user):
        return found.group()
    return f"{found[1]}{REDACTED}:{REDACTED}@" if colon else f"{found[1]}{REDACTED}@"


def _userinfo(found: re.Match[str]) -> str:
    scheme, info = found[1], found[2][:-1]
    user, colon, password = info.partition(":")
    if (is_marked(password) if colon else scheme not in _WEB or is_marked(user)) or info == f"{REDACTED}:{REDACTED}":
        return found.group()
    return f"{scheme}://{REDACTED}:{REDACTED}@" if colon else f"{scheme}://{REDACTED}@"
