"""Stack traces of the JVM: Java, Kotlin, Scala, Clojure, and what logging libraries add to them."""

from __future__ import annotations

import re

from spanglass_core.stacks import in_app
from spanglass_core.stacks.java_text import JavaText
from spanglass_core.stacks.jvm_names import is_made, stable_class, stable_method
from spanglass_core.stacks.lines import Section, raised, raised_where_it_was_made
from spanglass_core.stacks.model import Frame, Raised

# Never a space before the parenthesis, as JavaScript has, and a place in it, no parameters as in .NET.
_FRAME = re.compile(
    r"\s{0,200}at ([^\s()][^()]{0,1000})(?<!\s)\("
    r"(Native Method|Unknown Source|Redefined|<[\w ]{1,40}>|SourceFile|[^\s():/\\]{1,300}\.\w{1,12}"
    r"|[^\s():/\\]{0,300}:-?\d{1,9}|Unknown Source:\d{1,9})\)"
    r"(?: ~?\[.*)?\s*"
)
_NOT_JVM_FILE = re.compile(r"\.(?:php|cs|vb|fs|m?js|tsx?|py)(?::-?\d+)?$")
_PLACE = re.compile(r"(?:([^\s():]*\.\w+)|[^():]*)(?::(-?\d+))?")
_LAMBDA_ADDRESS = re.compile(r"(\$\$Lambda(?:\$\d+)?)/(?:0x)?[0-9a-fA-F]+")
_THREAD = re.compile(r'Exception in thread "[^"]{0,300}" ')
_TYPE = re.compile(r"([\w$]+(?:\.[\w$]+)*)(?:: ?|$)", re.DOTALL)
_INNER = re.compile(r"(?<=\w)\$(?=[^\W\d])")


def read(text: str, type: str, message: str) -> tuple[Raised, ...] | None:  # noqa: A002 - the attribute's name
    """Return the chain that a JVM printed, None if there is no frame of a JVM in the text."""
    if " at " not in text and "\tat " not in text and not text.startswith("at "):
        return None
    if text.lstrip().startswith("Traceback (most recent call last)"):
        return None  # Python that tells what a JVM told it
    reader = JavaText(_frame)
    reader.read(text, message)
    if not reader.found:
        return None
    place = {id(section): index for index, section in enumerate(reader.sections)}
    chain = []
    for index, section in enumerate(reader.sections):
        section.restore()
        sent = (type, message) if index == 0 else ("", "")
        told = _type_and_message(section, *sent)
        raised_where_it_was_made(section, told[0], ".")
        chain.append(raised(section, *told, None if section.parent is None else place[id(section.parent)]))
    return tuple(chain)


def _type_and_message(section: Section, sent_type: str, sent_message: str) -> tuple[str, str]:
    """What a header says; what was sent beside it where the header is in words of the application's own."""
    told = section.told()
    if thread := _THREAD.match(told):
        told = told[thread.end() :]
    found = _TYPE.match(told)
    sent = source_name(sent_type)
    if found is None or (sent and source_name(found[1]) != sent):
        return sent, sent_message or told
    message = told[found.end() :]
    return source_name(found[1]), "" if message == "null" else message  # what logback writes of no message


def source_name(type: str) -> str:  # noqa: A002 - what it is
    """A type as in source code: ``Stock$Empty`` of a stack and ``Stock.Empty`` of an attribute are the same."""
    return _INNER.sub(".", type)


def _frame(line: str) -> Frame | None:
    if "at " not in line[:204] or "(" not in line:
        return None
    found = _FRAME.fullmatch(line)
    if found is None or "." not in found[1] or _NOT_JVM_FILE.search(found[2]):
        return None
    name = _LAMBDA_ADDRESS.sub(r"\1", found[1]).rpartition("/")[2]
    owner, _, method = name.rpartition(".")
    package, _, type_name = owner.rpartition(".")
    place = _PLACE.fullmatch(found[2])
    line_number = int(place[2]) if place and place[2] else None
    function = f"{stable_class(type_name)}.{stable_method(method)}" if type_name else stable_method(method)
    own = in_app.jvm(owner) and not is_made(type_name)
    return Frame(function, package, (place[1] or "") if place else "", line_number, own)
