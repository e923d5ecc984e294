"""Measures of requests and logs."""

from __future__ import annotations

from spanglass_server.measures.kinds import Durations, Share, Values
from spanglass_server.measures.sources import SERVICE, Measure, of_service, rate, rates

_REQUESTS = 'span_kind=~"server|consumer"<m>'
_ERRORS = 'log_records_total{severity=~"error|fatal"<m>}'
_HTTP, _OLD_HTTP = "http_server_request_duration_seconds", "http_server_duration_milliseconds"

REQUEST_MEASURES: tuple[Measure, ...] = (
    of_service(
        "response_time",
        "s",
        "Duration of requests: server and consumer spans, else the HTTP server's histogram, new or old.",
        Durations((f"span_duration_seconds{{{_REQUESTS}}}", f"{_HTTP}{{<m>}}"), SERVICE, (f"{_OLD_HTTP}{{<m>}}",)),
    ),
    of_service(
        "request_rate",
        "/s",
        "Requests a second, from the same.",
        Values(
            rates(f"spans_total{{{_REQUESTS}}}", f"{_HTTP}_count{{<m>}}", f"{_OLD_HTTP}_count{{<m>}}"), SERVICE, "sum"
        ),
    ),
    of_service(
        "error_rate",
        "ratio",
        "Share of requests that failed: spans of status error, else HTTP's answers of 500 and more.",
        Share(
            rates(
                f'spans_total{{status_code="error", {_REQUESTS}}}',
                f'{_HTTP}_count{{http_response_status_code=~"5.."<m>}}',
                f'{_OLD_HTTP}_count{{http_status_code=~"5.."<m>}}',
            ),
            rates(f"spans_total{{{_REQUESTS}}}", f"{_HTTP}_count{{<m>}}", f"{_OLD_HTTP}_count{{<m>}}"),
            SERVICE,
        ),
    ),
    of_service(
        "active_requests",
        "",
        "Requests under way.",
        Values(('{"http.server.active_requests"<m>}<o>',), SERVICE, "sum"),
    ),
    of_service(
        "user_count",
        "",
        "Users with a request in the window, by `user.id` or `enduser.id`.",
        Values(
            tuple(
                f'count by (<ids>) (sum by (<ids>, {key}) (rate(spans_total{{{key}!="", {_REQUESTS}}}[<w>]<o>)) > 0)'
                for key in ("user_id", "enduser_id")
            ),
            SERVICE,
            "sum",
        ),
    ),
    of_service(
        "log_errors",
        "/s",
        "Log records of severity error and fatal a second.",
        Values((f"({rate(_ERRORS)} or 0 * {rate('log_records_total{<m>}')})",), SERVICE, "sum"),
    ),
    of_service("log_rate", "/s", "Log records a second.", Values(rates("log_records_total{<m>}"), SERVICE, "sum")),
)
