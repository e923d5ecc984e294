"""The labels of scraped series: those of the target, those of its job, and what relabelling makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.scraping.jobs import Job, Rule

NAME: Final = "__name__"
_EXPORTED: Final = "exported_"


def target_labels(job: Job, target: str) -> dict[str, str]:
    """The labels that every series of a target has."""
    return {"job": job.job, "instance": target, **job.labels}


def labelled(name: str, labels: Mapping[str, str], own: Mapping[str, str], job: Job) -> dict[str, str] | None:
    """A series' labels, its name among them; None if relabelling drops it.

    Where a target's label has the name of one of ours, ours stays, and the target's is called ``exported_`` and so on;
    the other way round with ``honor_labels``.
    """
    joined = {NAME: name, **labels}
    for label, value in own.items():
        theirs = joined.get(label)
        if theirs and job.honor_labels:
            continue
        if theirs:
            joined[_free(_EXPORTED + label, joined)] = theirs
        joined[label] = value
    return relabelled(joined, job.relabel)


def _free(label: str, taken: Mapping[str, str]) -> str:
    while label in taken:
        label = _EXPORTED + label
    return label


def relabelled(labels: dict[str, str], rules: Sequence[Rule]) -> dict[str, str] | None:
    """Apply rules in their order; None if one drops the series, or it has no name any more."""
    for rule in rules:
        value = labels.get(rule.label, "")
        if rule.regex is not None:
            if (rule.regex.fullmatch(value) is not None) != (rule.action == "keep"):
                return None
            continue
        labels.pop(rule.label, None)
        if rule.to and value:
            labels[rule.to] = value
    return labels if labels.get(NAME) else None
