"""What the API says of retention: policies in force, their changes, how far they are carried out, a preview."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from spanglass_server.forms.problems import ProblemJson
from spanglass_server.query.answers import JsonSchema, Slot, Time


class Standing(TypedDict):
    """How far the policies are carried out: segments of spans and log records, and rows of traces that stay longer."""

    segments: int
    segments_due: int
    kept_rows: int
    rest_bytes: Annotated[int, JsonSchema({"description": "bytes of segments that hold only what policies keep"})]


class Retention(TypedDict):
    """The policies in force; ``file`` is where they stand if they can't be changed here, else null."""

    policies: Annotated[list[dict[str, Any]], JsonSchema({"description": "in their order, as files have them"})]
    ordinary: Annotated[dict[str, Any] | None, JsonSchema({"description": "thinning of all others, null for none"})]
    yaml: str
    version: Annotated[int, JsonSchema({"description": "to be named by who changes them; 0 before the first change"})]
    file: str | None
    problem: Annotated[str | None, JsonSchema({"description": "why they can't be read: then nothing is deleted"})]
    ages_s: Annotated[dict[str, float], JsonSchema({"description": "of each signal in seconds, 0 for ever"})]
    max_bytes: int
    standing: Standing


class PolicyChange(TypedDict):
    """A change that somebody made, with the policies that it led to."""

    version: int
    time: Time
    by: str
    note: str
    yaml: str


class PolicyChanges(TypedDict):
    """The changes, the newest first."""

    changes: list[PolicyChange]


class CheckedPolicies(TypedDict):
    """Policies that are typed, as they were understood, with all problems."""

    yaml: str
    problems: list[ProblemJson]


class Amount(TypedDict):
    """How much of what is stored, about: spans, traces, bytes on disk.

    ``bytes_error`` is how far the bytes may be off either way, in 19 of 20 cases: 0 where all segments were read, null
    where too few were.
    """

    spans: float
    traces: float
    bytes: float
    bytes_error: float | None


class PreviewedClass(TypedDict):
    """The traces that one policy names first; of ``keep`` ``held`` pins and evidence, of ``ordinary`` all others."""

    name: str
    keep: str
    age_s: Annotated[float, JsonSchema({"description": "how old they become, 0 for ever"})]
    stored: Amount
    freed: Amount


class PreviewedService(TypedDict):
    """The same of one service."""

    service: str
    slot: Slot
    spans: float
    bytes: float
    freed_spans: float
    freed_bytes: float


class RetentionPreview(TypedDict):
    """What policies would free of the stored spans at once, and what would be stored in the long run."""

    segments: int
    segments_read: int
    spans_read: int
    stored: Amount
    freed: Amount
    waiting_bytes: Annotated[float, JsonSchema({"description": "past their age, of segments that are not due yet"})]
    classes: list[PreviewedClass]
    services: list[PreviewedService]
    bytes_a_day: Annotated[float, JsonSchema({"description": "of spans, in the last days"})]
    bytes_at_pace_before: Annotated[float | None, JsonSchema({"description": "without policies; null: without end"})]
    bytes_at_pace: Annotated[float | None, JsonSchema({"description": "with these policies; null: without end"})]
