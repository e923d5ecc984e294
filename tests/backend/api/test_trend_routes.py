"""The routes about trends, capacity and forecasts: what is asked wrongly, and what is not known."""

from __future__ import annotations


def test_forecasts_are_asked_for(api):
    """What is wrong with a question is told with its field; a query without series has none; lists begin empty."""
    client = api()
    wrong = {
        "query=disk_usage&ahead=1m": ("ahead", "5m to 30d"),
        "query=disk_usge": ("query", "no measure"),
        "query=sum(": ("query", ""),
        "": ("query", ""),
        "query=x&toward=up": ("toward", ""),
    }
    for text, (field, message) in wrong.items():
        answer = client.get(f"/api/v1/forecast?{text}")
        error = answer.json()["error"]
        assert (answer.status_code, error["field"]) == (400, field), text
        assert message in error["message"], text
    found = client.get("/api/v1/forecast?query=disk_usage&ahead=2d&bound=0.9").json()
    assert (found["series"], found["step_s"], len(found["ahead_times"])) == ([], 3600, 48)
    assert client.get("/api/v1/forecast?query=disk_usage&ahead=2h").json()["step_s"] == 300
    assert client.get("/api/v1/trends?kind=rising&quantity=disk").json()["trends"] == []
    assert client.get("/api/v1/capacity?host=h").json()["looked"] == []


def test_a_rate_is_known_from_its_first_whole_interval_on(api):
    """Five minutes that begin before the first record hold fewer requests than the rate says: they are left out."""
    span = {"trace_id": bytes(16), "name": "GET /", "kind": 2, "duration_ns": 5, "status_code": 0}
    spans = [
        {**span, "span_id": second.to_bytes(8, "big"), "start_time_ns": second * 10**9}
        for second in range(705, 2000, 10)
    ]
    client = api(spans=spans)

    found = client.get("/api/v1/forecast?query=request_rate&ahead=1h").json()

    (series,) = found["series"]
    assert found["unit"] == "/s"
    assert found["times"][-4:] == [f"1970-01-01T00:{minute}:00.000000000Z" for minute in (15, 20, 25, 30)]
    assert series["values"][-4:] == [None, 0.1, 0.1, 0.1]
