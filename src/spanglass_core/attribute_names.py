"""Names of attributes and events that Spanglass itself defines, where the semantic conventions have none.

docs/app/attributes.md explains each. Whatever the conventions name is in ``semconv_names``.
"""

from __future__ import annotations

# -- exceptions: on the span event `exception` and on the log record
#: Random hex id of one occurrence: the same on every span event and log record that speaks of it.
EXCEPTION_OCCURRENCE_ID = "spanglass.exception.occurrence_id"
#: JSON text: the list of exceptions of the occurrence, the one that was caught first, then causes, contexts, members.
EXCEPTION_CHAIN = "spanglass.exception.chain"
#: The group that the application chose for this occurrence: a list of texts.
EXCEPTION_FINGERPRINT = "spanglass.exception.fingerprint"
#: Whether anything in the application handled it: false for what reached an excepthook.
EXCEPTION_HANDLED = "spanglass.exception.handled"

# -- sampling
#: Probability with which this span was kept, when below 1: it stands for 1/probability spans.
SAMPLING_PROBABILITY = "spanglass.sampling.probability"
#: Why the tail sampler kept the span: error, slow or share; late-error for a failed span of a trace that was dropped.
SAMPLING_REASON = "spanglass.sampling.reason"

#: Of how many traces the server kept this one when it thinned old ones: it is in the probability above too.
KEPT_ONE_IN = "spanglass.retention.one_in"

# -- scrubbing
#: Keys of attributes whose value was scrubbed, wholly or in part.
SCRUBBED = "spanglass.scrubbed"

# -- spans in progress: log records with this event name
SPAN_RUNNING_EVENT = "spanglass.span.running"
SPAN_NAME = "spanglass.span.name"
SPAN_KIND = "spanglass.span.kind"
SPAN_START_UNIX_NANO = "spanglass.span.start_unix_nano"
SPAN_PARENT_ID = "spanglass.span.parent_id"
#: The status so far, ``ok`` or ``error``; left out while it is unset.
SPAN_STATUS = "spanglass.span.status"
SPAN_STATUS_MESSAGE = "spanglass.span.status_message"
#: How soon the record is repeated while the span is open, in nanoseconds: silence of three times that is a loss.
SPAN_REPEAT_NANO = "spanglass.span.repeat_nano"
#: True in the last record of a span that was announced: it ended, and may be on its way or not kept by a sampler.
SPAN_ENDED = "spanglass.span.ended"
#: All of these: what else such a record has is the span's own.
SPAN_ANNOUNCEMENT_KEYS = frozenset(
    {SPAN_NAME, SPAN_KIND, SPAN_START_UNIX_NANO, SPAN_PARENT_ID, SPAN_STATUS, SPAN_STATUS_MESSAGE, SPAN_REPEAT_NANO}
    | {SPAN_ENDED}
)

# -- profiles: log records with this event name, a stack each
PROFILE_EVENT = "spanglass.profile.stack"
#: How often the stack was seen.
PROFILE_SAMPLES = "spanglass.profile.samples"
#: For how long it is taken to have been there, in nanoseconds, and for how much of that it was on a processor.
PROFILE_WALL_NANO = "spanglass.profile.wall_nano"
PROFILE_CPU_NANO = "spanglass.profile.cpu_nano"
#: The name of the span with which the process began to work on the request or task that the stack is part of.
PROFILE_OPERATION = "spanglass.profile.operation"

# -- logs
#: The text with its placeholders, before values were put in.
MESSAGE_TEMPLATE = "spanglass.message.template"
#: Why values could not be put into the text.
MESSAGE_ERROR = "spanglass.message.error"

# -- functions traced by the decorator
#: Before the name of an argument whose value was captured.
ARGUMENT_PREFIX = "spanglass.argument."
#: What the function returned, if captured.
RESULT = "spanglass.result"

# -- operations: on the metric and the span
#: The name given to `track_operation`, or `_OTHER` beyond the number of names that are kept apart.
OPERATION_NAME = "spanglass.operation.name"

# -- health checks: on metrics and on the log records of changes
HEALTH_CHECK_NAME = "spanglass.health.check.name"
#: Whether the application is unhealthy when this check is.
HEALTH_CHECK_CRITICAL = "spanglass.health.check.critical"
#: On checks that the server runs: http, tcp, tls, dns, heartbeat, sql, redis or command.
HEALTH_CHECK_KIND = "spanglass.health.check.kind"
#: On checks that the server runs: what addresses go by.
HEALTH_CHECK_UID = "spanglass.health.check.uid"
#: healthy, degraded or unhealthy.
HEALTH_STATUS = "spanglass.health.status"
#: What it was before; absent on the first result.
HEALTH_PREVIOUS_STATUS = "spanglass.health.previous_status"
#: What the check said, or the exception that it raised.
HEALTH_DETAIL = "spanglass.health.detail"
#: Event name of the log record of a change.
HEALTH_CHANGED_EVENT = "spanglass.health.changed"

# -- instrumentations: on the metrics spanglass.instrumentation.*
#: Name of its entry point, such as sqlalchemy.
INSTRUMENTATION_NAME = "spanglass.instrumentation.name"
#: active, ready, late, disabled, replaced, version-conflict, library-missing, broken or failed.
INSTRUMENTATION_STATE = "spanglass.instrumentation.state"
#: Why it is left out, or what it can't see.
INSTRUMENTATION_REASON = "spanglass.instrumentation.reason"

# -- delivery: on the metrics spanglass.spool.*
#: traces, metrics or logs.
SIGNAL = "spanglass.signal"
#: kept, replayed, spool_full, spool_failed or spool_corrupt.
SPOOL_OUTCOME = "spanglass.spool.outcome"

# -- failures of our own: on the metric spanglass.internal.failures
#: What could not be done, such as "export spans".
FAILURE = "spanglass.internal.failure"

# -- tests: spans of the pytest plugin
#: Which worker of pytest-xdist ran it: gw0.
TEST_WORKER = "spanglass.test.worker"
#: What a parametrised test got, followed by the parameter's name: the value's repr.
TEST_PARAMETER_PREFIX = "spanglass.test.parameter."

# -- metrics of tasks and databases
#: Name of a background task or job, on its metrics.
TASK_NAME = "spanglass.task.name"
#: How it ended: success, failure, retry, revoked, rejected, ignored, unknown.
TASK_OUTCOME = "spanglass.task.outcome"
#: What a session of a database does: PostgreSQL's pg_stat_activity.state.
DB_SESSION_STATE = "spanglass.db.session.state"
