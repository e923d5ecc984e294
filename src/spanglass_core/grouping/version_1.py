"""Fingerprint version 1: exception types through the chain, and where in the application each was raised.

Of each exception the innermost frame of the application counts, without line numbers: who called it, and where the
exception was caught, may differ. If it was raised in an installed package, the frame that called that frame counts too,
because code around a package (a client, a repository) serves many callers. What has no name (a script's top level, an
anonymous function) says too little, so the normalised message is added; so it is in Go, where a stack tells where an
error was reported. Without frames of the application, the normalised message and the innermost frames of libraries
count; without frames at all, the normalised message.

This never changes: another way of grouping is another version.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import takewhile
from typing import TYPE_CHECKING

from spanglass_core.grouping import normalise
from spanglass_core.grouping.culprit import name

if TYPE_CHECKING:
    from spanglass_core.grouping.exception import ExceptionReport
    from spanglass_core.stacks.model import Frame, Raised

Inputs = list[tuple[str, str]]

_LIBRARY_FRAMES = 2
#: Functions that begin a program or a module.
_ENTRIES = frozenset(
    (
        *("main", "Main", "<main>", "{main}", "<Main>$", "Main$", "_start", "<module>", "__main__", "_compile"),
        *(
            "global code",
            "module code",
            "eval code",
            "<top (required)>",
            "block in <top (required)>",
            "block in <main>",
        ),
    )
)
#: Those, and functions without a name of their own.
_UNNAMED = _ENTRIES | {
    *("", "<anonymous>", "anonymous", "(anonymous)", "_onTimeout", "_onImmediate", "<lambda>", "lambda", "eval"),
    *("{closure}", "?", "<unknown>"),
}
#: So many frames of libraries inside the application's innermost one say that it only started them, as a server does.
_FAR = 12
#: Frames that newer interpreters no longer have.
_INLINED = frozenset(("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"))
_LAST_PART = re.compile(r"[^.:#/\\>]*$")

#: Functions that fail on behalf of their callers.
_HELPER = re.compile(
    r"_*(?:(?:must|require|ensure|assert|invariant|check|verify|expect|unwrap|fail|die|bail|abort|panic|raise|throw)"
    r"(?:_?(?:if|unless|that|true|ok|not_?null|not_?none|nil|error|err|exception))?"
    r"|(?:raise|throw|make|create|build|new|wrap|handle|check)_?\w{0,40}_?(?:error|exception|err))$",
    re.IGNORECASE,
)

_SCRIPT = re.compile(r"\.(?:[cm]?[jt]sx?|vue|svelte)(?:$|\?)|^(?:node|ext|webpack|webpack-internal):")
_SCRIPT_FRAMES = 10

_INSTALLED = ("/site-packages/", "/dist-packages/", "/node_modules/", "/pkg/mod/", "/cargo/", "/gems/", "/vendor/")
#: What reaches other processes, of the libraries of languages.
_CLIENTS = (
    *("java.net.", "java.sql.", "javax.sql.", "System.Net.", "System.Data.", "node:net", "node:http", "node:_http"),
    *("http.client", "urllib.", "smtplib", "sqlite3", "ssl", "socket", "xmlrpc.", "imaplib", "ftplib"),
)
#: Modules of Python's own library whose exceptions say nothing of a client.
_NOT_INSTALLED = ("__main__", "builtins", "json", "asyncio", "decimal", "concurrent", "subprocess", "zipfile", "struct")
_LANGUAGES = ("java.", "javax.", "jdk.", "sun.", "kotlin.", "scala.", "System.", "Microsoft.")

#: The file says it all, and each version of Python says it in other words.
_SYNTAX = ("SyntaxError", "IndentationError", "TabError")
_OVERFLOW_TYPES = ("RecursionError", "StackOverflowError", "SystemStackError", "StackOverflowException")
_OVERFLOWS = ("Maximum call stack", "too much recursion", "stack overflow", "maximum recursion depth")


def inputs(report: ExceptionReport, chain: tuple[Raised, ...]) -> Inputs:
    """Return what decides the group, apart from the service."""
    lead = _of_lead(chain[0], report)
    others = list(dict.fromkeys(_of_other(raised) for raised in _others(chain)))
    if any(raised.relation == "member" for raised in chain):
        others.sort()  # the members of a group come in the order in which tasks ended
    found = list(lead)
    for told in others:
        found += told
    return found


def _others(chain: tuple[Raised, ...]) -> list[Raised]:
    """Return the causes, contexts and members that count: what says why, and what every sender of the language tells.

    In JavaScript span events have ``error.stack``, which tells no causes, and log records tell them: neither may split
    the other. Causes in Rust are messages, without type and frames. What was suppressed did not lead to the failure.
    """
    if len(chain) == 1 or any(_SCRIPT.search(frame.file) for frame in chain[0].frames[-_SCRIPT_FRAMES:]):
        return []
    return [one for one in chain[1:] if (one.type or one.frames) and one.relation != "suppressed"]


def _of_lead(raised: Raised, report: ExceptionReport) -> Inputs:
    told = raised.message or report.message
    found = _type(raised.type or report.type)
    own = _own(raised)
    if not own:
        return [*found, ("message", normalise.message(told)), *_library_frames(raised)]
    if raised.type.endswith(_OVERFLOW_TYPES) or any(words in told for words in _OVERFLOWS):
        return [*found, *_recursion(own)]
    found.append(("frame", name(own[0])))
    unnamed, where_told = _last_part(own[0]) in _UNNAMED, _is_where_told(raised, own[0])
    says_little = where_told or (unnamed and raised.type not in _SYNTAX) or _is_far(raised)
    if not unnamed and (where_told or _HELPER.match(_last_part(own[0])) or _is_of_package(raised, own)):
        caller = next((frame for frame in own if name(frame) != found[-1][1]), None)
        if caller is not None and _last_part(caller) not in _UNNAMED:
            found.append(("frame", name(caller)))
        elif caller is not None and _last_part(caller) not in _ENTRIES:
            says_little = True
    return [*found, ("message", normalise.message(told))] if says_little else found


def _type(kind: str) -> Inputs:
    plain = normalise.type_name(kind)
    return [("type", plain)] if plain else []


def _own(raised: Raised) -> list[Frame]:
    """Return the frames of the application, the innermost first."""
    return [frame for frame in reversed(raised.frames) if frame.in_app and frame.function not in _INLINED]


def _of_other(raised: Raised) -> tuple[tuple[str, str], ...]:
    """Return what counts of a cause, a context or a member: its type, and where it was raised."""
    return (*_type(raised.type), *(("frame", name(frame)) for frame in _own(raised)[:1]))


def _library_frames(raised: Raised) -> Inputs:
    return [("frame", name(frame)) for frame in raised.frames[: -_LIBRARY_FRAMES - 1 : -1]]


def _recursion(own: list[Frame]) -> Inputs:
    """Return the functions that call each other, in a fixed order: which of them hits the limit is chance."""
    counts = Counter(name(frame) for frame in own)
    most = max(counts.values())
    return [("frame", one) for one in sorted(counts) if counts[one] * 2 > most]


def _is_far(raised: Raised) -> bool:
    """Whether only libraries failed, and the application's innermost frame is somewhere around them."""
    return len(raised.frames) > _FAR and not any(frame.in_app for frame in raised.frames[-_FAR:])


def _last_part(frame: Frame) -> str:
    """Return a function's name without its class and module."""
    function = normalise.function_in(frame.function, frame.file)
    last = _LAST_PART.search(function)
    return function if function in _UNNAMED or last is None else last[0]


def _is_where_told(raised: Raised, innermost: Frame) -> bool:
    """Whether the stack is of where an error was reported, perhaps by a helper: errors of Go have none themselves.

    Those that keep their callers, as ``github.com/pkg/errors`` does, tell the outermost function of the runtime too.
    """
    if not innermost.file.endswith(".go") or raised.frames[0].function == "runtime.goexit":
        return False
    return raised.type != "panic" and not raised.type.startswith("runtime.")


def _is_of_package(raised: Raised, own: list[Frame]) -> bool:
    """Whether an installed package, or a client of the language's library, stands between application and failure."""
    is_script = _SCRIPT.search(own[0].file) is not None
    inside = takewhile(lambda frame: not frame.in_app, reversed(raised.frames))
    if any(_is_package(frame, is_script=is_script) for frame in inside):
        return True
    if not own[0].file.endswith(".py"):
        return False
    # what is written in C has no frames in Python, but its exceptions have their modules
    package, dot, _ = raised.type.partition(".")
    if not dot or package in _NOT_INSTALLED:
        return False
    return not any(f"/{package}/" in frame.file or f"/{package}.py" in frame.file for frame in own)


def _is_package(frame: Frame, *, is_script: bool) -> bool:
    where = frame.module or frame.function
    if any(part in frame.file for part in _INSTALLED) or where.startswith(_CLIENTS):
        return True
    if is_script or "/" in frame.file:
        return False
    return "." in where and "::" not in where and not where.startswith(_LANGUAGES)  # JVM and .NET: by their names only
