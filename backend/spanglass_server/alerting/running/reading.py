"""The readings of many rules, where one that fails fails alone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.alerting.model import Failure, Readings
from spanglass_server.promql.evaluation.windows import step_times
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.supervision import in_words
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.ports import Evaluator
    from spanglass_server.alerting.running.schedule import Batch
    from spanglass_server.store.ports import QuerySession


@dataclass(frozen=True, slots=True)
class Piece:
    """What a rule says at some ticks."""

    steps: Steps
    said: Readings | Failure


@dataclass(frozen=True, slots=True)
class Read:
    """What the rules of a batch say, each in pieces, the earliest first, and how long it took to read a rule."""

    pieces: dict[str, list[Piece]]
    duration_ns: int  # of one rule: its share of the whole


class Reader:
    """Evaluates batches. ``stopping`` says whether an evaluation was interrupted because the server stops."""

    def __init__(self, evaluator: Evaluator, stopping: Callable[[], bool]) -> None:
        self._evaluator = evaluator
        self._stopping = stopping

    def read(self, session: QuerySession, batch: Batch) -> Read:
        """Evaluate the rules of a batch at all its ticks."""
        began = time.perf_counter_ns()
        steps = batch.due.steps
        pieces = {uid: [Piece(steps, said)] for uid, said in self._together(session, batch.rules, steps).items()}
        for rule in batch.rules:
            said = pieces[rule.uid][0].said
            # a condition that is right may be too much for many ticks at once
            if isinstance(said, Failure) and steps.size > 1 and not said.column:
                pieces[rule.uid] = self._one_by_one(session, rule, steps)
        return Read(pieces, (time.perf_counter_ns() - began) // max(len(batch.rules), 1))

    def checked(self, batch: Batch) -> Read:
        """What the rules of a batch say where nothing came in at all its ticks: nothing, or that they can't be read."""
        steps = batch.due.steps
        return Read(
            {rule.uid: [Piece(steps, self._evaluator.check(rule) or _nothing(steps))] for rule in batch.rules}, 0
        )

    def _one_by_one(self, session: QuerySession, rule: Rule, steps: Steps) -> list[Piece]:
        times_ms = step_times(steps).tolist()
        single = [Steps(time_ms, steps.step_ms, 1) for time_ms in times_ms]
        return [Piece(step, self._together(session, [rule], step)[rule.uid]) for step in single]

    def _together(self, session: QuerySession, rules: Sequence[Rule], steps: Steps) -> dict[str, Readings | Failure]:
        try:
            return dict(self._evaluator.evaluate(session, rules, steps))
        except Exception as error:
            if self._stopping():
                raise
            if len(rules) == 1:
                return {rules[0].uid: Failure(in_words(error))}
        return {rule.uid: self._together(session, [rule], steps)[rule.uid] for rule in rules}


def _nothing(steps: Steps) -> Readings:
    shape = (0, steps.size)
    return Readings(
        step_times(steps) * NS_PER_MS, (), np.empty(shape), np.empty(shape, np.int8), np.empty(shape, np.bool_)
    )
