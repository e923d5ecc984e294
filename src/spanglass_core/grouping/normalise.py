"""Messages, paths and names without what differs from one occurrence to the next, or from one build to the next.

Part of fingerprint version 1: a change here changes keys, so it belongs into a new version.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: Characters of a message that are looked at; what follows is a body or a listing.
MAX_MESSAGE = 1000
_MAX_CACHED = 300

_QUOTED = r'"[^"\n]*"|(?<!\w)\'[^\'\n]*\'(?!\w)|`[^`\n]*`'
_QUOTED += r"|\u201c[^\u201d\n]*\u201d|\u2018[^\u2019\n]*\u2019|\xab[^\xbb\n]*\xbb"
_TIME = (
    r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
    r"|\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{4}"
    r"|\b\d\d:\d\d:\d\d(?:[.,]\d+)?"
)
#: What is replaced in messages, the first that matches at a place; the names of the groups are what stands there then.
_VARIABLE = re.compile(
    "|".join(
        f"(?P<{name}>{pattern})"
        for name, pattern in (
            ("url", r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s\"'<>`]+"),
            ("json", r"[\"']?[\[{]\s*[\"'{\[][^\n]*[}\]][\"']?|\{\s*\}"),
            ("text", _QUOTED),
            ("email", r"[\w.+%-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"),
            ("uuid", r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"),
            ("ulid", r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b"),
            ("time", _TIME),
            (
                "ip",
                r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\[?(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}\b\]?",
            ),
            ("path", r"(?<![\w<])(?:[A-Za-z]:[\\/]|\\\\|~?/|\.{1,2}/)[\w.@%+~$-]+(?:[\\/][\w.@%+~$-]*)*"),
            (
                "hex",
                r"\b0[xX][0-9a-fA-F]+\b|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b|\b(?=[A-F]*\d)(?=\d*[A-F])[0-9A-F]{8,}\b",
            ),
            ("data", r"\b(?=[A-Za-z+/_-]*\d)(?=[0-9a-z+/_-]*[A-Z])(?=[0-9A-Z+/_-]*[a-z])[A-Za-z0-9+/_-]{20,}={0,2}"),
            ("amount", r"\b(?:\d+(?:\.\d+)?(?:ns|us|\xb5s|ms|s|m|h|d|[kKMGT]i?B|bytes|B)){1,4}\b"),
            ("id", r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*"),
            ("n", r"[-+]?\d(?:[\d_]|[.,](?=\d))*(?:[eE][-+]?\d+)?"),
        )
    )
)
_REPEATED = re.compile(r"(<\w+>)(?:(?:,? |,)\1)+")
_SPACES = re.compile(r"\s+")


def message(text: str) -> str:
    """Return a message without numbers, ids, addresses, times, quoted values, paths, bodies and the like."""
    found = _VARIABLE.sub(_replacement, text[:MAX_MESSAGE])
    return _REPEATED.sub(r"\1", _SPACES.sub(" ", found)).strip()


def _replacement(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    if kind == "url":
        return _url(match[0])
    return "<n>" if kind == "amount" else f"<{kind}>"


def _url(text: str) -> str:
    """Return scheme and shape of the path: parts with digits and long ones differ from call to call."""
    scheme, _, rest = text.partition("://")
    path = re.split("[?#]", rest, maxsplit=1)[0].rstrip(".,;:)]}")
    parts = path.split("/")[1:]
    shape = "/".join("*" if _is_variable(part) else part for part in parts)
    return f"{scheme.lower()}://<host>/{shape}".rstrip("/")


def _is_variable(part: str) -> bool:
    return len(part) > 24 or any(char.isdigit() for char in part)  # noqa: PLR2004 - longer than the words of routes


#: Directories that say where something is deployed, and how many names below them belong to that.
_ROOTS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://+[^/]*|[A-Za-z]:)?/"
    r"(?:(?:private/)?(?:var/)?tmp/[^/]+/|var/folders/[^/]+/[^/]+/[^/]+/[^/]+/|(?:home|Users)/[^/]+/(?:[^/]+/)?"
    r"|(?:srv|opt|root|workspaces?|builds?)/(?:[^/]+/)?|var/www/(?:[^/]+/)?|var/(?:task|app|lib)/"
    r"|usr/(?:src|local|lib|share)/(?:[^/]+/)?|(?:mnt|media|data|nix/store)/[^/]+/)?"
)
#: Names of directories that are layout, and say nothing about what lies in them.
_LAYOUT = frozenset(
    (
        *("", ".", "..", "app", "apps", "src", "source", "lib", "dist", "build", "out", "output", "code", "bin", "cmd"),
        *("current", "releases", "release", "deploy", "deployment", "deployments", "work", "workspace", "workspaces"),
        *("static", "assets", "public", "js", "javascript", "_next", "chunks", "server", "esm", "cjs", "main", "java"),
        *("project", "repo", "site", "www", "html", "htdocs", "web", "webroot", "target", "classes", "package"),
        *("tmp", "temp", "srv", "opt", "home", "usr", "var", "root", "local", "venv", ".venv", "env", "debug"),
    )
)
#: Names of files that many directories have, so that the directory says which one it is.
_COMMON = frozenset(
    (
        *(
            "__init__",
            "__main__",
            "main",
            "index",
            "app",
            "application",
            "mod",
            "lib",
            "views",
            "view",
            "models",
            "model",
        ),
        *("utils", "util", "helpers", "helper", "handlers", "handler", "routes", "route", "router", "routers", "api"),
        *("tasks", "task", "jobs", "job", "services", "service", "controllers", "controller", "serializers", "schemas"),
        *("schema", "forms", "admin", "urls", "client", "server", "base", "core", "common", "errors", "exceptions"),
        *("page", "layout", "middleware", "resolvers", "store", "db", "database", "queries", "repository", "types"),
        *("commands", "command", "cli", "config", "settings", "signals", "managers", "manager", "endpoints", "worker"),
    )
)
#: A directory that differs between releases or runs: with a number of some length, a version, a hash.
_VOLATILE = re.compile(r".*\d{3}|.*\d\.\d|v?\d+$|(?=.*\d)[0-9a-f]{7,}$|.*[-_.](?=[a-z]*\d)[0-9a-z]{6,}$")
#: The hash of a bundle: ``app.3f2a9c.js``, ``main-5d41402a.js``, ``index-DiwrgTda.js``.
_HASHED = re.compile(r"[.-](?:(?=[a-f]*\d)[0-9a-f]{5,}|(?=[A-Za-z_]*[\dA-Z])(?=[^a-z]*[a-z])[\w]{8}|\d+)(?=[.-]|$)")
_EXTENSIONS = re.compile(
    r"\.(?:py[cw]?|[cm]?[jt]sx?|vue|svelte|rb|php|go|rs|java|kt|cs|chunk|bundle|min|prod|dev|esm)(?=\.|$)"
)


#: The name of a part of a bundle, which is only a number or a hash.
_NUMBERED = re.compile(r"(?:\d+|(?=[a-f]*\d)[0-9a-f]{6,})$")
#: What minifiers leave of a name, and files that they write: what browsers load, ``.min.js``, names with a hash.
_MINIFIED = re.compile(r"(?:.*[.# ])?[\w$]{1,2}$")
_MINIFIED_FILE = re.compile(r"https?://|.*\.min\.js")


def place(file: str) -> str:
    """Return what a file is called wherever it is deployed: ``stock``; ``orders.views`` if many are called so."""
    return _place(file) if len(file) <= _MAX_CACHED else _place(file[-_MAX_CACHED:])


@lru_cache(maxsize=4096)
def _place(file: str) -> str:
    path = file.replace("\\", "/")
    path = re.split("[?#]", path, maxsplit=1)[0]
    root = _ROOTS.match(path)
    parts = path[root.end() if root else 0 :].split("/")
    name = _HASHED.sub("", _EXTENSIONS.sub("", parts[-1])) or parts[-1]
    if _NUMBERED.match(name):
        return "chunk"
    if name.lower() in _COMMON:
        above = [part for part in parts[:-1] if part.lower() not in _LAYOUT and not _VOLATILE.match(part)]
        if above:
            return f"{above[-1]}.{name}"
    return name


#: What compilers and runtimes generate or number in names, and what stands there then.
_GENERATED = (
    (re.compile(r"lambda\$(\w+?)\$\d+|<(\w+)>[bdg]__[\w|]*(?:`\d+)?(?:\.MoveNext)?"), r"\1\2"),  # JVM, .NET
    (
        re.compile(
            r"\$\$?Lambda[\w$]*(?:/0x[0-9a-f]+|/[0-9]+|@[0-9a-f]+)*|\$\$?(?:EnhancerBy|FastClassBy|SpringCGLIB|ByteBuddy)[\w$]*"
        ),
        "",
    ),
    (re.compile(r"\$Proxy\d+"), "$Proxy"),
    (re.compile(r"\$HibernateProxy\$\w+|\$\$[0-9a-f]{6,}|\$suspendImpl|\$default|\$\d+(?=\W|$)"), ""),
    (
        re.compile(r"(?:::)?\{\{(?:closure|vtable\.shim)\}\}|(?:::)?\{closure[^}\n]*\}|::h[0-9a-f]{16}$"),
        "",
    ),  # Rust, PHP
    (re.compile(r"\.(?:func|gowrap|deferwrap)\d+(?:\.\d+)*|-fm$|-range\d+"), ""),  # Go
    (re.compile(r"<>c__DisplayClass\d+_\d+(?:`\d+)?\.?|<>c(?:`\d+)?\.|`\d+"), ""),  # .NET
    (re.compile(r"(?:/<|<$)+|\*$"), ""),  # Firefox
    (re.compile(r"@anonymous.*|0x[0-9a-fA-F]+|@[0-9a-f]{5,}"), ""),
)
_RECEIVER = re.compile(
    r"^(?:async )?(?:Object|Function|Module|global|window|globalThis|exports|module\.exports)\.(?=.)"
)


def function(name: str) -> str:
    """Return a function's name without what compilers and runtimes number or generate."""
    return _function(name) if len(name) <= _MAX_CACHED else _function(name[:_MAX_CACHED])


@lru_cache(maxsize=4096)
def _function(name: str) -> str:
    plain = _RECEIVER.sub("", name)
    for pattern, instead in _GENERATED:
        plain = pattern.sub(instead, plain)
    return plain.removesuffix("->").strip(".:$ ")


def function_in(name: str, file: str) -> str:
    """Return a function's name; empty if a minifier made it up, as the next build has another."""
    plain = function(name)
    if len(plain) <= _MAX_CACHED and _MINIFIED.match(plain) and _MINIFIED_FILE.match(file[:_MAX_CACHED]):
        return ""
    return plain


#: Types of Python that newer versions know by another name.
_RENAMED = {
    "asyncio.exceptions.TimeoutError": "TimeoutError",
    "asyncio.TimeoutError": "TimeoutError",
    "concurrent.futures._base.TimeoutError": "TimeoutError",
    "socket.timeout": "TimeoutError",
}


def type_name(name: str) -> str:
    """Return an exception's type without what only says that it was run as a script, and without generated parts."""
    return _RENAMED.get(name) or function(name.removeprefix("builtins.").removeprefix("__main__."))
