"""What is written where a secret was: a mark that says why, and how to tell that something is one already."""

from __future__ import annotations

import re
from collections.abc import Callable

from spanglass_core.lazy_patterns import lazy_pattern

#: What to write instead of a text that was found, given the text and the reason.
Mark = Callable[[str, str], str]

#: In URLs, where a mark with blanks would make it another URL; the semantic conventions of ``url.full`` name this word.
REDACTED = "REDACTED"

# what others, and we before, leave in a secret's place: nothing is gained by marking it again
_WORDS = "redacted|filtered|scrubbed|masked|hidden"
_DONE = lazy_pattern(rf"{_WORDS}|[\[<](?:{_WORDS})\b[^\]>\n]{{0,80}}[\]>]|[*•x.]{{3,}}", re.IGNORECASE)


def mark(reason: str) -> str:
    """Write the mark: ``[scrubbed: password]``."""
    return f"[scrubbed: {reason}]"


def is_marked(text: str) -> bool:
    """Return whether there is no secret any more: empty, or a mark of ours or of somebody else."""
    return not text or _DONE.fullmatch(text) is not None
