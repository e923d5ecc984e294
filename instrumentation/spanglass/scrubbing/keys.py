"""Which names stand for secrets: ``db_password``, ``refreshToken``, ``x-api-key``; and not ``author``, ``token_count``.

A name is split into words (at case, digits and punctuation) and words are compared whole, so ``passenger``, ``compass``
and ``secretary`` hold nothing. A secret's noun that is followed by what describes it (``password_length``,
``cookie_name``) names no secret either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from spanglass_core.lazy_patterns import lazy_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass.scrubbing.hints import Hint

_ANY, _LAST, _ALONE = "any", "last", "alone"
_MAX_KEY = 256  # characters of a name that are looked at, from its end: that is where nouns stand
_CACHED_KEYS = 4096
_WORDS = lazy_pattern(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+")


class Rule(NamedTuple):
    """Why a name is secret, and what its value looks like."""

    reason: str
    phrases: tuple[str, ...]  # words, one blank between them
    where: str = _ANY  # where in the name the phrase must stand
    numbers: bool = False  # whether a number can be such a secret
    prose: bool = True  # whether `name: word` in running text is one even if the word looks like any other
    header: bool = False  # the name of an HTTP header: it may stand before its value as a pair, ("cookie", "a=b")
    described: bool = True  # whether describing words after the phrase make the name harmless
    identified: bool = False  # whether an id of it is harmless: `api_key_id` is no key


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split(","))


RULES: tuple[Rule, ...] = (
    Rule("password", _phrases("password, passwords, passwd, passphrase, passcode, pwd, passwort, kennwort, contrasena,"
         "senha, db pass, database pass, user pass, smtp pass, mail pass, email pass, mysql pass, pg pass, redis pass,"
         "ftp pass, auth pass, admin pass, root pass, basic pass"), numbers=True),
    Rule("password", ("pass", "auth pass"), where=_ALONE, prose=False),
    Rule("secret", _phrases("secret, secrets, clientsecret"), numbers=True, prose=False),
    Rule("credential", _phrases("credential, credentials, creds"), prose=False, identified=True),
    Rule("authorization", ("authorization",), prose=False, header=True),
    Rule("authorization", ("auth",), where=_LAST, prose=False),
    Rule("authorization", _phrases("auth code, authorization code, oauth code"), prose=False),
    Rule("token", _phrases("token, bearer, access tokens, refresh tokens, auth tokens, api tokens, id tokens"),
         prose=False, header=True),
    Rule("jwt", ("jwt", "jwts"), prose=False, header=True),
    Rule("api key", _phrases("api key, apikey, api keys, apikeys, subscription key, account key, shared access key"),
         prose=False, header=True, identified=True),
    Rule("key", _phrases("private key, privatekey, secret key, secretkey, access key, accesskey, encryption key,"
         "signing key, master key, ssh key, rsa key, hmac key, auth key, aws access key"), prose=False,
         identified=True),
    Rule("cookie", _phrases("cookie, cookies"), prose=False, header=True),
    Rule("csrf", _phrases("csrf, xsrf"), where=_LAST, prose=False, header=True),
    Rule("session", _phrases("sessionid, sessid, session key, phpsessid, jsessionid, connect sid, aspsessionid"),
         prose=False),
    Rule("one-time code", _phrases("otp, totp, mfa code, fa code, one time code, one time password, verification code,"
         "recovery code, recovery codes, backup codes"), numbers=True),
    Rule("pin", ("pin",), where=_ALONE, numbers=True, prose=False),
    Rule("pin", _phrases("card pin, atm pin, sim pin, user pin, security pin, login pin"), numbers=True),
    Rule("card number", _phrases("credit card, creditcard, card number, cardnumber, card no, cc number, cc num, ccnum,"
         "card num, debit card"), numbers=True, identified=True),
    Rule("card code", _phrases("cvv, cvc, card code, security code"), numbers=True),
    Rule("social security number", _phrases("ssn, social security, social security number"), numbers=True),
    Rule("bank account", _phrases("iban, bank account, bank account number, routing number"), numbers=True,
         identified=True),
    Rule("passport", _phrases("passport number, passport no"), numbers=True),
)  # fmt: skip

#: Ends of words written together: ``dbpassword``, ``accesstoken``, ``csrfmiddlewaretoken``.
_ENDINGS = ("password", "passwd", "passphrase", "apikey", "secretkey", "privatekey", "accesskey", "token", "secret")

#: A name that ends in one of these speaks about a secret and holds none.
DESCRIPTIONS = frozenset(
    {
        "age", "alg", "algorithm", "arn", "at", "attempts", "audience", "backend", "backends", "brand", "budget",
        "changed", "class", "consent", "count", "counts", "created", "date", "disabled", "domain", "duration",
        "enabled", "encoder", "endpoint", "error", "errors", "exempt", "exists", "expiration", "expired", "expires",
        "expiry", "failed", "failures", "field", "fields", "file", "filename", "form", "function", "handler",
        "hasher", "hashers", "host", "httponly", "in", "invalid", "issuer", "kind", "label", "last", "len",
        "length", "level", "limit", "manager", "max", "method", "min", "missing", "mode", "model", "module", "ms",
        "name", "names", "ok", "on", "path", "period", "policy", "port", "prefix", "present", "provider", "rate",
        "ratio", "realm", "reason", "removed", "required", "reset", "result", "rotated", "rule", "rules",
        "samesite", "sampled", "scheme", "scope", "scopes", "seconds", "secure", "server", "service", "set", "size",
        "source", "state", "status", "store", "strategy", "strength", "suffix", "time", "timeout", "timestamp",
        "total", "ttl", "type", "types", "updated", "uri", "url", "urls", "usage", "used", "valid", "validator",
        "validators", "version", "view",
    }
)  # fmt: skip

#: A name that begins with one of these is a question or a measure.
_QUESTIONS = frozenset(
    {"allow", "avg", "has", "is", "max", "min", "needs", "no", "num", "require", "requires", "total"}
)

#: Before ``token``: what it is then is a place in a text or in a list of pages.
_OTHER_TOKENS = frozenset(
    {
        "bos", "cached", "cancel", "cancellation", "cls", "completion", "continuation", "cursor", "end", "eos",
        "first", "input", "mask", "next", "output", "pad", "page", "pagination", "per", "prompt", "reasoning",
        "sep", "special", "stop", "sync", "unexpected", "unk",
    }
)  # fmt: skip


def words_of(name: str) -> list[str]:
    """Split a name into its words, in small letters; digits and punctuation only separate."""
    return [word.lower() for word in _WORDS.findall(name[-_MAX_KEY:])]


class KeyRules:
    """Tells by a name whether its value is a secret. Safe for threads; decisions are remembered, a bounded number."""

    def __init__(self, extra_keys: Iterable[str] = (), safe_keys: Iterable[str] = ()) -> None:
        """``extra_keys`` are words or phrases that make a name secret; ``safe_keys`` whole names, or ``prefix.*``."""
        safe = [key.lower() for key in safe_keys]
        self._safe = frozenset(key for key in safe if not key.endswith("*"))
        self._safe_prefixes = tuple(key[:-1] for key in safe if key.endswith("*"))
        extra = [Rule(key, (" ".join(words_of(key)),), numbers=True, described=False) for key in extra_keys]
        self._by_word = _index([*extra, *RULES])
        self._joined = {rule.phrases[0].replace(" ", ""): rule for rule in extra}
        self._cache: dict[str, Rule | None] = {}

    def hints(self) -> list[Hint]:
        """What every name that is secret contains, written in small letters."""
        phrases = [(phrase, rule) for candidates in self._by_word.values() for phrase, rule in candidates]
        return [(" ".join(phrase), "" if rule.where == _ANY else "(?![a-z])") for phrase, rule in phrases]

    def is_safe(self, key: str) -> bool:
        """Whether the user said that this key is never scrubbed."""
        return key.lower() in self._safe or (bool(self._safe_prefixes) and key.lower().startswith(self._safe_prefixes))

    def find(self, key: str) -> Rule | None:
        """Return the rule that makes this name secret, or None."""
        try:
            return self._cache[key]
        except KeyError:
            rule = self._decide(key)
            if len(key) <= _MAX_KEY:
                if len(self._cache) >= _CACHED_KEYS:
                    self._cache.clear()
                self._cache[key] = rule
            return rule

    def _decide(self, key: str) -> Rule | None:
        if self.is_safe(key) or key == "PWD":  # the shell's variable: where it is
            return None
        words = words_of(key)
        for start, word in enumerate(words):
            rule = self._joined.get(word) or self._at(words, start, word)
            if rule is not None:
                return rule
        return None

    def _at(self, words: list[str], start: int, word: str) -> Rule | None:
        for phrase, rule in self._by_word.get(word, ()):
            if words[start : start + len(phrase)] == phrase and _means_it(rule, words, start, len(phrase)):
                return rule
        if word not in self._by_word and word.endswith(_ENDINGS):
            ending = next(ending for ending in _ENDINGS if word.endswith(ending))
            return self._at([*words[:start], ending, *words[start + 1 :]], start, ending)
        return None


def _index(rules: Iterable[Rule]) -> dict[str, list[tuple[list[str], Rule]]]:
    by_word: dict[str, list[tuple[list[str], Rule]]] = {}
    for rule in rules:
        for phrase in rule.phrases:
            words = phrase.split()
            if words:
                by_word.setdefault(words[0], []).append((words, rule))
    for candidates in by_word.values():
        candidates.sort(key=lambda each: len(each[0]), reverse=True)  # the longest says the most exact reason
    return by_word


def _means_it(rule: Rule, words: list[str], start: int, length: int) -> bool:
    """Whether a phrase in a name is the secret itself, by what stands around it."""
    after = words[start + length :]
    if (rule.where == _ALONE and len(words) > length) or (rule.where == _LAST and after and after[-1] != "token"):
        return False
    if not rule.described:
        return True
    if after and (after[-1] in DESCRIPTIONS or (rule.identified and after[-1] in {"id", "ids"})):
        return False
    if words[0] in _QUESTIONS and start > 0:
        return False
    return not (words[start] == "token" and start > 0 and words[start - 1] in _OTHER_TOKENS)
