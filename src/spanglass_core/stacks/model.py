"""What a stack trace says: the exceptions of a chain, each with its frames."""

from __future__ import annotations

from dataclasses import dataclass

#: Frames that are kept of one exception; the innermost ones, if there are more.
MAX_FRAMES = 400
#: Exceptions that are kept of one chain; those nearest to what was caught.
MAX_CHAIN = 40


@dataclass(frozen=True, slots=True)
class Frame:
    """One call.

    ``function`` is as the language writes it, without addresses and arguments. ``module`` is the package, module,
    namespace or crate if it is known, ``file`` the path as sent; both are empty if unknown. ``in_app`` says that the
    code is the application's own: not the language's library or runtime, no installed package, no framework.
    """

    function: str
    module: str
    file: str
    line: int | None
    in_app: bool


@dataclass(frozen=True, slots=True)
class Raised:
    """One exception of a chain; ``frames`` has the outermost call first and the one that raised last.

    ``relation`` is empty for the first, which is what was caught, else ``cause``, ``context``, ``suppressed`` or
    ``member``; ``parent`` is the index in the chain of the exception that it belongs to.
    """

    type: str
    message: str
    frames: tuple[Frame, ...]
    relation: str = ""
    parent: int | None = None
