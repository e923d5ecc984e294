"""A command: a program of this machine that gets the message as JSON on its input."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.kinds import Duration, Many, Text, Texts
from spanglass_server.forms.shapes import Shape
from spanglass_server.notifications.channels.processes import Ended, Program, run
from spanglass_server.notifications.channels.sending import Sending, cut
from spanglass_server.notifications.channels.webhook.body import message_body
from spanglass_server.notifications.config.secrets import SecretText
from spanglass_server.notifications.model import Outcome
from spanglass_server.supervision import in_words
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.forms.secrets import SecretSource
    from spanglass_server.notifications.model import Message

_SECOND_NS = 10**9
#: Why a command of pages is not run.
NOT_ALLOWED: Final = (
    "this command may only be run from a channel of the settings file; list it, with all its arguments, in the "
    "setting notifications.commands to allow it here"
)
_LATER = 75  # EX_TEMPFAIL of <sysexits.h>
#: Variables of the server that a command gets, too: none of them is a secret.
_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "TZ", "HOME")
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]{0,99}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOptions:
    """``command`` is a program with its arguments, passed as they are: no shell reads them."""

    command: tuple[str, ...]
    environment: Mapping[str, SecretSource] = field(default_factory=dict)
    timeout_ns: int = 10 * _SECOND_NS


def _check(value: Any, node: Node, report: Report) -> None:
    place = node.named("command") or node
    if not value.command:
        report.add(place, "command is empty", "give a program and its arguments: [/usr/local/bin/page, --now]")
    elif not value.command[0].startswith("/"):
        report.add(place, f"{value.command[0]!r} is no absolute path", "begin the program with /")


COMMAND: Final = Shape(
    CommandOptions,
    {
        "command": Many(Text(), most=50, alone=True),
        "environment": Texts(SecretText(), _VARIABLE, "use letters, digits and _, such as PAGER_KEY", most=50),
        "timeout": Duration(_SECOND_NS),
    },
    check=_check,
)


class CommandSender(Sending):
    """Runs the command of the settings file, or one of pages that the settings allow word for word.

    It has taken the message if it ends with 0; with 75 it is run again later. It gets the notification's id as
    ``SPANGLASS_NOTIFICATION``, by which it can tell one that it was given before.
    """

    async def deliver(self, message: Message) -> Outcome:
        """See ``Sending``."""
        options: CommandOptions = self.channel.options
        if self.channel.origin != "settings" and options.command not in self.context.commands:
            return Outcome(sent=False, error=NOT_ALLOWED)
        secrets = {name: value.reveal() for name, value in options.environment.items()}
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        program = Program(
            argv=options.command,
            given=message_body(message, self.context.base_url()),
            environment={**inherited, "SPANGLASS_NOTIFICATION": message.notification.id, **secrets},
            timeout_s=options.timeout_ns / NS_PER_SECOND,
        )
        name = options.command[0]
        try:
            ended = await run(program)
        except OSError as error:
            return Outcome(sent=False, error=f"{name} can't be run: {in_words(error)}")
        said = cut(ended.output.decode("utf-8", "replace"), secrets.values())
        if ended.code == 0:
            return Outcome(sent=True, answer=said)
        how = _how(ended, program.timeout_s)
        return Outcome(sent=False, retryable=ended.code == _LATER, answer=said, error=f"{name} {how}")


def _how(ended: Ended, timeout_s: float) -> str:
    if ended.code is None:
        return f"did not end within {timeout_s:g} s, and was ended"
    return f"was ended by signal {-ended.code}" if ended.code < 0 else f"ended with {ended.code}"
