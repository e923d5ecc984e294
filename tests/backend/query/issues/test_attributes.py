"""Attributes that stand out in an issue, against all traffic of its service."""

from __future__ import annotations

import pytest
from known_occurrences import WINDOW, at

from spanglass_core.differences.shares import difference
from spanglass_server.query.issues.attributes import attribute_shares


def shares(world):
    """Ask what stands out in the first issue."""
    return attribute_shares(world.session(), world.issues, "SHOP-1", WINDOW, 20)


def traffic(world, signal="spans"):
    """Let 300 requests come; those of customer acme on host h1 fail, which are 30, and so do 3 of others."""
    for number in range(300):
        acme = number % 10 == 0
        ids = {"trace_id": number.to_bytes(16, "big"), "span_id": number.to_bytes(8, "big")}
        time = {"spans": {"start_time_ns": at(number)}, "logs": {"time_ns": at(number), "arrival_order": number + 1}}
        position = {"spans": "span", "logs": "log"}[signal]
        record = {
            **ids,
            **time[signal],
            "resource.service.name:str": "shop",
            "resource.host.name:str": f"h{number % 2}",
            f"{position}.customer:str": "acme" if acme else f"c{number % 7}",
            f"{position}.request.id:str": str(number),
            f"{position}.size:int": 1,
        }
        failed = acme or number % 100 == 7
        if failed:
            record[f"{position}.error.type:str"] = "ValueError"
            source = {"source": 0} if signal == "spans" else {"source": 1, "record_order": number + 1}
            world.see(1, number, **ids, **source)
        world.records[signal].append(record)
    world.records[signal].append({**record, "resource.service.name:str": "other", f"{position}.customer:str": "acme"})


@pytest.mark.parametrize("signal", ["spans", "logs"])
def test_what_stands_out(world, signal):
    """Customer and host stand out with the shares of both; ids, constants and what only failures have do not."""
    traffic(world, signal)

    answer = shares(world)

    assert (answer["signal"], answer["counted"], answer["baseline"]) == (signal, 33, 300)
    assert [(each["key"], [value["value"] for value in each["values"]]) for each in answer["attributes"]] == [
        ("customer", ["acme"]),
        ("host.name", ["h0"]),
    ]
    (customer,) = answer["attributes"][0]["values"]
    assert (customer["share"], customer["baseline_share"]) == (0.9091, 0.1)
    assert (customer["count"], customer["baseline_count"]) == (30, 30)
    assert 0.5 < customer["difference"] < 0.9091 - 0.1


def test_one_scan_of_all_traffic(world):
    """All traffic of the service is read by one statement."""
    traffic(world)
    session = world.session()

    attribute_shares(session, world.issues, "SHOP-1", WINDOW, 20)

    assert (
        len([text for text in session.statements if "stored_spans" in text and "stored_occurrences" not in text]) == 1
    )


def test_nothing_to_count(world):
    """Without stored records nothing stands out."""
    world.see(1, 1)

    answer = shares(world)

    assert (answer["counted"], answer["baseline"], answer["attributes"]) == (0, 0, [])


def test_small_groups_prove_nothing():
    """Two of two beside a half is nothing, fifty of fifty is much; a share that is smaller is no difference."""
    assert difference(2, 2, 500, 1000) == 0
    assert difference(50, 50, 500, 1000) > 0.3
    assert difference(10, 50, 500, 1000) == 0
    assert difference(0, 0, 1, 1) == difference(1, 1, 0, 0) == 0
