"""How much of spans comes in a day, and what of it would be stored once everything has its age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.retention.model import Policies
    from spanglass_server.retention.sampling import Looked
    from spanglass_server.store.ports import Part

_DAY_NS: Final = 86_400 * 10**9
_MOST_DAYS: Final = 7


def bytes_a_day(parts: Sequence[Part], looked: Sequence[Looked], ages_ns: Sequence[int], now_ns: int) -> NDArray[Any]:
    """What comes in a day by class, as it was before thinning, in the last days before anything is gone by its age.

    ``ages_ns`` are those of all classes, 0 for ever. Segments that were not looked at are taken to be like the others.
    """
    if not looked:
        return np.zeros(len(ages_ns))
    shortest_ns = min((age for age in ages_ns if age), default=_MOST_DAYS * _DAY_NS)
    last_ns = min(now_ns, max(part.max_time_ns for part in parts))
    since_ns = last_ns - min(_MOST_DAYS * _DAY_NS, max(shortest_ns, _DAY_NS))
    first_ns = max(min(part.min_time_ns for part in parts), since_ns)
    known = {each.part.key: each.received / each.part.rows for each in looked}
    recent = [each for each in looked if each.part.max_time_ns >= first_ns] or looked
    rows = sum(each.part.rows for each in recent)
    usual: NDArray[Any] = np.sum([each.received for each in recent], axis=0) / rows
    lately = [part for part in parts if part.max_time_ns >= first_ns]
    size = np.sum([part.bytes * known.get(part.key, usual) for part in lately], axis=0)
    return np.asarray(size * _DAY_NS / max(last_ns - first_ns, _DAY_NS // 1440))


def bytes_at_pace(a_day: NDArray[Any], policies: Policies, age_ns: int) -> float | None:
    """What would be stored once everything has its age; None without end. What is held is little, and left out."""
    ages = [*(policy.age_ns for policy in policies.policies), age_ns]
    filled = [*a_day[:-2].tolist(), float(a_day[-1])]
    if any(size and not age for size, age in zip(filled, ages, strict=True)):
        return None
    thinning = policies.ordinary
    if thinning is not None and age_ns > thinning.after_ns:
        ages[-1] = thinning.after_ns + (age_ns - thinning.after_ns) // thinning.keep_one_in
    return float(sum(size * age for size, age in zip(filled, ages, strict=True))) / _DAY_NS
