"""What was made of parts is kept as long as it is of use."""

from __future__ import annotations

from spanglass_server.store.part_cache import UNUSED_S, PartCache


def test_what_nobody_asks_for_goes():
    """Of parts that are gone at once, of others when it was not asked for lately; what is of no part stays."""
    now_s = 0.0
    cache = PartCache(monotonic_s=lambda: now_s)
    keys = {name: ("piece", (kind, 1), name) for name, kind in (("gone", "chunk"), ("used", "segment"))}
    keys |= {"both": ("series", (("segment", 1), ("chunk", 1)), ()), "of one": ("series", (("segment", 1),), ())}
    keys |= {"unused": ("counts", ("segment", 1)), "labels": ("labels", ("segment", 1), 7), "rules": ("recurring",)}
    for key in keys.values():
        cache.put(key, "made", 10)

    now_s = UNUSED_S - 1
    assert cache.get(keys["used"]) == "made"
    cache.forget_all_but([("segment", 1)])
    kept = {"used", "unused", "of one", "labels", "rules"}
    assert ({name for name, key in keys.items() if cache.has(key)}, cache.bytes) == (kept, 10 * len(kept))

    now_s = UNUSED_S + 1
    cache.put(keys["used"], "made anew", 7)
    cache.forget_all_but([("segment", 1)])
    assert ({name for name, key in keys.items() if cache.has(key)}, cache.bytes) == ({"used", "rules"}, 17)


def test_what_is_left_of_parts_that_were_gone_before_goes_with_the_next_one():
    """While parts are only added nothing is looked through; once one is gone, all that is of none that is there."""
    cache = PartCache(monotonic_s=lambda: 0.0)
    cache.forget_all_but({("chunk", 1), ("chunk", 2)})
    for number in (0, 1, 2, 3):  # the first of a session over what was there before
        cache.put(("piece", ("chunk", number)), "made", 10)
    told = []
    for parts in ({1, 2, 3}, {2, 3}, set()):
        cache.forget_all_but({("chunk", number) for number in parts})
        told.append({number for number in range(4) if cache.has(("piece", ("chunk", number)))})
    assert told == [{0, 1, 2, 3}, {2, 3}, set()]
    assert cache.bytes == 0
