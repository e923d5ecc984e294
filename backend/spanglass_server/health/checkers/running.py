"""One run of a check of any kind, within its timeout: it always comes to an end, and never raises."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.secrets import SecretError
from spanglass_server.health.checkers.command import check_command
from spanglass_server.health.checkers.http import check_http
from spanglass_server.health.checkers.network import check_tcp, check_tls
from spanglass_server.health.checkers.outcome import Outcome, unhealthy
from spanglass_server.health.checkers.redis import check_redis
from spanglass_server.health.checkers.sql import check_sql
from spanglass_server.health.model import Run
from spanglass_server.supervision import in_words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from spanglass_server.egress.egress import Egress
    from spanglass_server.health.check import Check, Dns

_LOG = logging.getLogger(__name__)


async def _check_dns(check: Dns, egress: Egress, timeout_s: float) -> Outcome:
    from spanglass_server.health.checkers.names import check_dns  # noqa: PLC0415 - 3 MB that most servers never need

    return await check_dns(check, egress, timeout_s)


#: Kinds that are run; a heartbeat is called.
_CHECKERS: Final[Mapping[str, Callable[[Any, Egress, float], Awaitable[Outcome]]]] = {
    "http": check_http,
    "tcp": check_tcp,
    "tls": check_tls,
    "dns": _check_dns,
    "sql": check_sql,
    "redis": check_redis,
    "command": check_command,
}


async def run_check(check: Check, egress: Egress, timeout_ns: int, started_ns: int) -> Run:
    """Run a check once; ``started_ns`` is the time now. Cancelling it cancels the run."""
    began_ns = monotonic_ns()
    outcome = await _outcome(check, egress, timeout_ns / 1e9)
    return Run(
        started_ns=started_ns,
        latency_ns=monotonic_ns() - began_ns,
        status=outcome.status,
        detail=outcome.detail,
        figures=outcome.figures,
    )


async def _outcome(check: Check, egress: Egress, timeout_s: float) -> Outcome:
    try:
        async with asyncio.timeout(timeout_s):
            return await _CHECKERS[check.kind](check.options, egress, timeout_s)
    except TimeoutError:
        return unhealthy(f"no answer within {timeout_s:g} s")
    except SecretError as error:
        return unhealthy(str(error))
    except OSError as error:
        return unhealthy(f"{error.filename}: {in_words(error)}" if error.filename else in_words(error))
    except UnicodeError:  # of a name with an empty part, or one of more than 63 letters
        return unhealthy("its address holds what can't be the name of a host")
    except Exception as error:  # noqa: BLE001 - whatever it is, other checks go on
        _LOG.error("check %s: a fault of this server", check.uid, exc_info=error)
        return unhealthy(f"the check itself has failed, a fault of this server: {in_words(error)}")
