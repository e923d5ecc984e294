"""The state machine of a rule's key: each line of its table, and what holds for any course of things."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_core.alerting.compare import comparer
from spanglass_core.alerting.machine import (
    CLOCK_SET_BACK_NS,
    advance,
    is_at_rest,
    is_quiet,
    policy_of,
)
from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import SEVERITIES, Severity
from spanglass_core.alerting.states import INITIAL, Kind, Phase, Policy, Sample, State, Transition

S = 10**9
STEP_NS = 15 * S
START_NS = 1_790_000_000 * S
WARNING, ERROR, CRITICAL = Severity.WARNING, Severity.ERROR, Severity.CRITICAL

#: What a letter of the tables below says: holds as warning, error, critical; between; recovered; no data; failure.
SAMPLES = {
    "w": {"value": 3.0, "level": WARNING, "recovered": False},
    "e": {"value": 4.0, "level": ERROR, "recovered": False},
    "c": {"value": 5.0, "level": CRITICAL, "recovered": False},
    "E": {"value": 3.9, "level": WARNING, "recovered": False, "holding": ERROR},
    "b": {"value": 2.0, "recovered": False},
    ".": {"value": 1.0},
    "-": {},
    "!": {"error": "out of memory"},
}


def sample(letter: str, number: int) -> Sample:
    return Sample(time_ns=START_NS + number * STEP_NS, **SAMPLES[letter])


def run(letters: str, policy: Policy, state: State = INITIAL, first: int = 0) -> tuple[State, list[Transition]]:
    """Step through the samples of a text, 15 s apart; a blank is an evaluation that was missed."""
    transitions = []
    for number, letter in enumerate(letters, start=first):
        if letter != " ":
            now = sample(letter, number)
            state, more = advance(state, now, policy, now.time_ns + 5 * S)
            transitions += more
    return state, transitions


def told(transitions: list[Transition]) -> str:
    return " ".join(f"{(each.time_ns - START_NS) // STEP_NS}:{each.kind}" for each in transitions)


FOR_30 = Policy(for_ns=30 * S)
KEEP_30 = Policy(keep_firing_for_ns=30 * S)
PATIENT = Policy(no_data_ns=45 * S)
COURSES = [
    # samples, policy, transitions, the phase in the end
    ("..w", Policy(), "2:fired", Phase.FIRING),
    (".w.", FOR_30, "1:pending 2:cancelled", Phase.INACTIVE),
    (".wb", FOR_30, "1:pending 2:cancelled", Phase.INACTIVE),
    (".ww", FOR_30, "1:pending", Phase.PENDING),
    (".www.", FOR_30, "1:pending 3:fired 4:resolved", Phase.INACTIVE),
    ("wecew", Policy(), "0:fired 1:raised 2:raised 3:lowered 4:lowered", Phase.FIRING),
    ("weEEbw.", Policy(), "0:fired 1:raised 5:lowered 6:resolved", Phase.INACTIVE),
    ("wbbb.", Policy(), "0:fired 4:resolved", Phase.INACTIVE),
    ("w...", KEEP_30, "0:fired 3:resolved", Phase.INACTIVE),
    ("w..", KEEP_30, "0:fired", Phase.KEEP_FIRING),
    ("w..w..e...", KEEP_30, "0:fired 6:raised 9:resolved", Phase.INACTIVE),
    ("w.bb", KEEP_30, "0:fired 3:resolved", Phase.INACTIVE),
    # failures neither fire nor resolve, and their time does not count
    ("w!!.", Policy(), "0:fired 1:failed 3:works_again 3:resolved", Phase.INACTIVE),
    ("w!!w", FOR_30, "0:pending 1:failed 3:works_again", Phase.PENDING),
    ("w!!ww", FOR_30, "0:pending 1:failed 3:works_again 4:fired", Phase.FIRING),
    ("!-!.", Policy(), "0:failed 1:works_again 1:no_data 2:failed 3:works_again", Phase.INACTIVE),
    # no data is put up with for 45 s, and its time does not count
    ("w---", PATIENT, "0:fired 1:no_data", Phase.FIRING),
    ("w----", PATIENT, "0:fired 1:no_data 4:resolved", Phase.INACTIVE),
    ("w---.", PATIENT, "0:fired 1:no_data 4:data_again 4:resolved", Phase.INACTIVE),
    ("w-ww", FOR_30, "0:pending 1:no_data 2:data_again 3:fired", Phase.FIRING),
    ("w----", Policy(for_ns=30 * S, no_data_ns=45 * S), "0:pending 1:no_data 4:cancelled", Phase.INACTIVE),
    ("--.", Policy(), "0:no_data 2:data_again", Phase.INACTIVE),
    ("w-", Policy(no_data="ok"), "0:fired 1:no_data 1:resolved", Phase.INACTIVE),
    (
        ".---.",
        Policy(no_data="alert", for_ns=30 * S),
        "1:no_data 1:pending 3:fired 4:data_again 4:resolved",
        Phase.INACTIVE,
    ),
    ("w-", Policy(no_data="alert", no_data_severity=CRITICAL), "0:fired 1:no_data 1:raised", Phase.FIRING),
    # ... for so long: then the key is gone for good
    ("w---", Policy(no_data="alert", gone_ns=30 * S), "0:fired 1:no_data 3:resolved", Phase.INACTIVE),
    # missed evaluations count as if the condition had held, longer gaps do not
    ("w   w", Policy(for_ns=60 * S, max_gap_ns=60 * S), "0:pending 4:fired", Phase.FIRING),
    ("w    w", Policy(for_ns=60 * S, max_gap_ns=60 * S), "0:pending", Phase.PENDING),
]


@pytest.mark.parametrize(("letters", "policy", "expected", "phase"), COURSES)
def test_every_course_has_the_transitions_of_the_table(letters, policy, expected, phase):
    """Samples 15 s apart lead to exactly these transitions at these samples, and end in this phase."""
    state, transitions = run(letters, policy)

    assert told(transitions) == expected
    assert state.phase is phase


def test_transitions_say_the_level_the_value_and_why():
    """What alerts are made from: severity, value, time, and the reason where it is not the value itself."""
    _, transitions = run("we!", Policy())
    _, resolved = run("w----", PATIENT)

    assert transitions == [
        Transition(Kind.FIRED, START_NS, WARNING, 3.0),
        Transition(Kind.RAISED, START_NS + STEP_NS, ERROR, 4.0),
        Transition(Kind.FAILED, START_NS + 2 * STEP_NS, ERROR, None, "out of memory"),
    ]
    assert resolved[-1] == Transition(Kind.RESOLVED, START_NS + 4 * STEP_NS, WARNING, None, "no data for 45s")


def test_a_sample_that_is_late_changes_nothing_and_a_clock_set_back_is_followed():
    """Only when the clock itself is far behind the state does an older sample count, with all durations kept."""
    state, _ = run("ww", Policy(for_ns=60 * S))
    older = Sample(START_NS - 3600 * S, 1.0)
    late_ns = state.evaluated_ns - CLOCK_SET_BACK_NS

    assert advance(state, older, Policy(), late_ns) == (state, ())
    again, _ = advance(state, sample("w", -240), FOR_30, START_NS - 3600 * S)
    assert (again.phase, again.evaluated_ns) == (Phase.PENDING, START_NS - 3600 * S)
    assert again.evaluated_ns - again.pending_ns == STEP_NS + 1
    assert told(run("w", Policy(for_ns=30 * S), again, first=-239)[1]) == "-239:fired"


def test_the_policy_of_a_rule():
    """All that the machine needs comes from the rule, with the default interval where it names none."""
    rule = Rule(uid="a", name="A", condition="x > 1", severity=ERROR, for_ns=7, keep_firing_for_ns=8, no_data="alert")

    assert policy_of(rule, 2 * S) == Policy(7, 8, "alert", no_data_severity=ERROR, max_gap_ns=20 * S)


LETTERS = st.text("wwwweecEbb...--! ", max_size=40)
POLICIES = st.builds(
    Policy,
    for_ns=st.sampled_from([0, 30 * S, 60 * S]),
    keep_firing_for_ns=st.sampled_from([0, 30 * S]),
    no_data=st.sampled_from(["keep", "ok", "alert"]),
    no_data_ns=st.just(45 * S),
    max_gap_ns=st.sampled_from([0, 45 * S]),
)


@settings(max_examples=120, deadline=None)
@given(LETTERS, POLICIES, st.lists(st.integers(0, 40), max_size=3))
def test_any_course_of_things_keeps_the_rules_of_alerts(letters, policy, late):
    """Fired only after ``for`` in which nothing said otherwise, resolved only after fired, nothing twice."""
    state, firing, severity, told_twice = INITIAL, False, None, []
    for number, letter in enumerate(letters):
        if letter == " ":
            continue
        state, transitions = advance(state, sample(letter, number), policy, START_NS + number * STEP_NS)
        for delay in late:  # whatever comes again is no news
            old = sample("c", max(number - delay, 0))
            assert advance(state, old, policy, START_NS + number * STEP_NS) == (state, ())
        for each in transitions:
            match each.kind:
                case Kind.FIRED:
                    assert not firing
                    assert (
                        _held_s(letters[: number + 1], "wecE-" if policy.no_data == "alert" else "wecE")
                        >= policy.for_ns / S
                    )
                    firing, severity = True, each.severity
                case Kind.RAISED | Kind.LOWERED:
                    assert firing
                    assert (each.severity.rank > severity.rank) == (each.kind is Kind.RAISED)
                    assert each.severity is not severity
                    severity = each.severity
                case Kind.RESOLVED:
                    assert firing
                    assert letter in ".b-"
                    firing = False
                case Kind.PENDING | Kind.CANCELLED:
                    assert not firing
        told_twice += [each.kind for each in transitions]
        assert firing == (state.phase in {Phase.FIRING, Phase.KEEP_FIRING})
        assert not is_at_rest(state) or state == State(evaluated_ns=state.evaluated_ns, value=state.value)
    assert told_twice.count(Kind.FIRED) - told_twice.count(Kind.RESOLVED) == firing


def _held_s(letters: str, holding: str) -> float:
    """How long the condition held at most in the end, by what was seen: missed ones count, what could not tell not."""
    counted = 0
    for letter in reversed(letters[:-1]):
        if letter not in holding + " !-":
            break
        counted += letter in holding + " "
    return counted * STEP_NS / S


@settings(max_examples=60, deadline=None)
@given(LETTERS, POLICIES, st.integers(0, 40))
def test_a_restart_in_between_changes_nothing(letters, policy, cut):
    """The same samples in two pieces, with the state kept between them, give the same transitions and state."""
    whole = run(letters, policy)
    state, first = run(letters[:cut], policy)
    end, second = run(letters[cut:], policy, state, first=len(letters[:cut]))

    assert (end, first + second) == whole


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([WARNING, ERROR, CRITICAL]), st.lists(st.floats(-0.02, 0.02), min_size=2, max_size=40))
def test_a_value_that_swings_around_a_threshold_does_not_flap(level, swings):
    """L2: warning, error, critical and recovery in one rule; two percent around any of them is at most one change."""
    rule = comparer(Rule(uid="a", name="A", condition="x > 100", error=200.0, critical=400.0, recovery=90.0))
    middle = {WARNING: 100.0, ERROR: 200.0, CRITICAL: 400.0}[level]
    state, transitions = INITIAL, []
    values = [middle * (1 + swing) for swing in swings]
    for number, value in enumerate([*values, 1.0]):
        state, more = advance(state, rule.sample({"x": value}, START_NS + number * STEP_NS), Policy(), 0)
        transitions += more

    kinds = [each.kind for each in transitions]
    crossed = any(value > middle for value in values)
    lower = level is not WARNING
    raised = crossed and lower and values[0] <= middle
    assert kinds == [Kind.FIRED] * (crossed or lower) + [Kind.RAISED] * raised + [Kind.RESOLVED] * (crossed or lower)


def test_ten_thousand_keys_take_a_fraction_of_a_tick():
    """Ten thousand firing keys advance within half a second of processor time, and quiet ones need no call at all."""
    state, _ = run("w", Policy())
    quiet = sample(".", 1)
    holding = sample("w", 1)

    start = time.thread_time()
    for _ in range(10_000):
        advance(state, holding, FOR_30, holding.time_ns)
    assert time.thread_time() - start < 0.5

    assert is_quiet(quiet)
    assert advance(INITIAL, quiet, FOR_30, quiet.time_ns) == (State(evaluated_ns=quiet.time_ns, value=1.0), ())
    assert [severity.rank for severity in SEVERITIES] == [1, 2, 3, 4]
