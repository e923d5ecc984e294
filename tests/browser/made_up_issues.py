"""Made-up issues, releases and grouping rules, which actions change as on a real server."""

# ruff: noqa: S311, ARG002, E501 - made-up data needs no secrets, ignores what it does not vary, and reads best as a table
from __future__ import annotations

import random

import raised
from made_up import HOSTILE, MS, NOW_NS, SLOTS, STACK, log, rfc, span

from spanglass_server.pages.ports import ApiError

TRACE_ID = "4f1c2b77d06e4b9c8a53f0e1b2c6a90e"
MINUTE_NS = 60_000 * MS
HOUR_NS, DAY_NS = 60 * MINUTE_NS, 1440 * MINUTE_NS
OPEN = ("new", "ongoing", "regressed")
STATES = (*OPEN, "resolved", "ignored")

#: Id, type, message, culprit, service, state, events, users, age, since the last, first and last release, assignee.
ISSUES = (
    ("CHECKOUT-12", "CurrencyNotPriced", "no rate for 'NOK' in price list 2026-10", "shop.checkout.pricing in convert", "checkout", "new", 412, 268, 27 * MINUTE_NS, 38_000 * MS, "2.14.0", "2.14.0", ""),
    ("CHECKOUT-3", "TimeoutError", "payments did not answer within 2 s", "shop.checkout.payments in charge", "checkout", "regressed", 61, 58, 40 * DAY_NS, 4 * MINUTE_NS, "2.9.1", "2.14.0", "Ines"),
    ("STOREFRONT-7", "TypeError", "Cannot read properties of undefined (reading 'total')", "cart.js in renderTotal", "storefront", "ongoing", 1304, 702, 12 * DAY_NS, 12_000 * MS, "5.2.0", "5.3.1", ""),
    ("PAYMENTS-1", "com.shop.payments.DeclinedException", "card declined: do_not_honor", "com.shop.payments.Gateway in charge", "payments", "ignored", 93, 90, 90 * DAY_NS, 2 * MINUTE_NS, "1.0.3", "1.8.0", "Jun"),
    ("INVENTORY-4", "*errors.errorString", "reserve: out of stock", "main.(*Shelf).Reserve", "inventory", "resolved", 8, 0, 3 * DAY_NS, 5 * HOUR_NS, "", "", ""),
    ("MAILER-2", "SMTPServerDisconnected", "Connection unexpectedly closed", "mailer.send in deliver", "mailer", "ongoing", 2, 0, 20 * HOUR_NS, 19 * HOUR_NS, "0.4", "0.4", "A person with a rather long name"),
)  # fmt: skip
INPUTS = (
    ("service", "checkout"),
    ("type", "CurrencyNotPriced"),
    ("frame", "shop.checkout.pricing convert"),
    ("frame", "shop.checkout.pricing total_for"),
    ("frame", "shop.checkout.orders place_order"),
)
GO_STACK = """panic: reserve: out of stock

goroutine 34 [running]:
main.(*Shelf).Reserve(0xc000130000, {0xc00001a0f0, 0x7}, 0x2)
\t/app/inventory/shelf.go:71 +0x1d4
main.handleReserve({0x8f5a40, 0xc0001480e0}, 0xc000146000)
\t/app/inventory/main.go:112 +0x9c
net/http.HandlerFunc.ServeHTTP(0x0?, {0x8f5a40?, 0xc0001480e0?}, 0x0?)
\t/usr/local/go/src/net/http/server.go:2220 +0x29
"""
LOCALS_OCCURRENCE = "5f0c2a9b11d0e7a4"


def _issue(row):
    names = ("id", "type", "message", "culprit", "service", "state", "events", "users")
    made = dict(zip(names, row, strict=False))
    age_ns, last_ns, first_release, last_release, assignee = row[8:]
    return {
        **made, "title": f"{made['type']}: {made['message']}", "slot": SLOTS.get(made["service"], 1), "is_overflow": False,
        "latest_time": rfc(NOW_NS - last_ns),
        "first_seen_time": rfc(NOW_NS - age_ns), "last_seen_time": rfc(NOW_NS - last_ns),
        "first_release": first_release or None, "last_release": last_release or None, "assignee": assignee or None,
        "environments": ["production"], "trend": 0.0, "resolution": None, "ignore": None,
        "comments": [], "merged": [],
        "activity": [_activity(NOW_NS - age_ns, "spanglass", "created", "", "new", "")],
    }  # fmt: skip


def _activity(time_ns, who, what, before, after, detail):
    return {"time": rfc(time_ns), "who": who, "what": what, "from": before, "to": after, "detail": detail, "issue": ""}


def _what_ends_it(body):
    """Return what belongs to a state that was asked for."""
    [(until, limit)] = (body.get("until") or {"ever": None}).items()
    ignored = {"until": "for_ever" if until == "ever" else f"until_{until}", "since_time": rfc(NOW_NS), "limit": limit}
    how = body.get("resolution", "now")
    resolved = {"how": how, "release": body.get("release", "2.14.0"), "time": rfc(NOW_NS)}
    return {
        "ignore": ignored if body["state"] == "ignored" else None,
        "resolution": resolved if body["state"] == "resolved" else None,
    }


class MadeUpIssues:
    """The part of the API that is about issues, of one scenario."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.reset()

    def reset(self):
        """Forget what was changed."""
        rows = {"empty": (), "one": ISSUES[:1]}.get(self.scenario, ISSUES)
        self.all = {row[0]: _issue(row) for row in rows}
        if self.scenario == "many":
            self.all |= {
                f"CART-{i}": _issue(
                    (
                        f"CART-{i}",
                        "ValueError",
                        f"bad item {i}",
                        "cart.items in add",
                        "cart",
                        "ongoing",
                        900 - i,
                        3,
                        DAY_NS,
                        (i + 1) * MINUTE_NS,
                        "1",
                        "1",
                        "",
                    )
                )
                for i in range(400)
            }
        if self.scenario == "hostile":
            self.all = {
                "CHECKOUT-12": _issue(
                    (
                        "CHECKOUT-12",
                        HOSTILE,
                        HOSTILE,
                        HOSTILE,
                        HOSTILE,
                        "new",
                        3,
                        1,
                        HOUR_NS,
                        MINUTE_NS,
                        HOSTILE,
                        HOSTILE,
                        HOSTILE,
                    )
                )
            }
        self.rules, self.changes, self.regrouping = [], [], 0

    def _series(self, issue, params, count=24):
        start, end = int(params.get("start", NOW_NS - DAY_NS)), int(params.get("end", NOW_NS))
        draw = random.Random(issue["id"])
        since = int((1 - 27 * MINUTE_NS / (end - start)) * count) if issue["id"] == "CHECKOUT-12" else 0
        values = [int(draw.random() * issue["events"] / count * 2) if i >= since else 0 for i in range(count)]
        return {"series": values, "series_start_time": rfc(start), "series_step_seconds": (end - start) / count / 1e9}

    def get(self, parts, params):
        """Answer a GET below ``/issues``."""
        if not parts:
            return self._list(params)
        if parts == ["regroup"]:
            self.regrouping -= 1
            return self._progress()
        issue = self._find(parts[0])
        if parts[1:] == ["attributes"]:
            return {"issue": issue["id"], "signal": "spans", "counted": 412, "baseline": 9742, "attributes": ATTRIBUTES}
        if parts[1:2] == ["occurrences"]:
            return self._occurrences(issue, parts[2:], params)
        return self._whole(issue, params)

    def _find(self, issue_id):
        if issue_id not in self.all:
            raise ApiError(404, {"code": "not_found", "message": f"There is no issue {issue_id}."})
        return self.all[issue_id]

    def _list(self, params):
        if "broken" in params.get("filter", ""):
            raise ApiError(400, {"code": "bad_filter", "message": "unexpected"})
        wanted = params.get("state", "open")
        states = {"open": OPEN, "all": STATES}.get(wanted, wanted.split(","))
        found = [one for one in self.all.values() if params.get("service") in (None, one["service"])]
        counts = {state: sum(one["state"] == state for one in found) for state in STATES}
        rows = [one for one in found if one["state"] in states]
        key = {"last_seen": "last_seen_time", "first_seen": "first_seen_time"}.get(
            params.get("sort", "last_seen"), params.get("sort")
        )
        rows.sort(key=lambda one: one[key], reverse=params.get("order") != "asc")
        at, limit = int(params.get("cursor", "0")), int(params.get("limit", 50))
        shown = [{**self._summary(one), "series": self._series(one, params)["series"]} for one in rows[at : at + limit]]
        series = self._series(ISSUE_OF_NOTHING, params)
        return {
            "issues": shown, "next_cursor": str(at + limit) if at + limit < len(rows) else None, "counts": counts,
            "series_start_time": series["series_start_time"], "series_step_seconds": series["series_step_seconds"],
        }  # fmt: skip

    def _progress(self):
        return {
            "is_running": self.regrouping > 0,
            "done": 412 // (self.regrouping + 1),
            "total": 412,
            "moved": 61,
            "error": None,
        }

    def of(self, params):
        """Return to which issues the exceptions of a trace's records belong."""
        issue = next(iter(self.all.values()), None)
        if issue is None:
            return {"occurrences": []}
        told = {
            "occurrence": "o0",
            "issue": issue["id"],
            "title": issue["title"],
            "state": issue["state"],
            "type": issue["type"],
            "message": issue["message"],
            "trace_id": TRACE_ID,
        }
        spans = [{**told, "span_id": f"{n:016x}", "source": "span", "event_index": 0, "log": None} for n in (1, 2, 14)]
        return {
            "occurrences": [*spans, {**told, "span_id": None, "source": "log", "event_index": None, "log": "log-2"}]
        }

    def _summary(self, issue):
        left_out = {"comments", "activity", "merged", "resolution", "ignore", "latest_time"}
        return {**{key: value for key, value in issue.items() if key not in left_out}, "substate": ""}

    def _whole(self, issue, params):
        release = issue["first_release"]
        releases = [
            {
                "release": release,
                "first_seen_time": issue["first_seen_time"],
                "last_seen_time": issue["last_seen_time"],
                "events": issue["events"],
            }
        ]
        others = [one for one in self.all.values() if one["service"] == issue["service"] and one is not issue]
        similar = [
            {
                **{name: one[name] for name in ("id", "title", "state", "service")},
                "shared": ["culprit", "frames"],
                "likeness": 0.62,
            }
            for one in others[:3]
        ]
        keys = [("00c0ffee00c0ffee", issue, INPUTS)] + [
            (f"{i:016x}", one["was"], (("type", one["was"]["type"]),)) for i, one in enumerate(issue["merged"])
        ]
        found = [
            {
                "key": key,
                "issue": one["id"],
                "version": 1,
                "events": one["events"],
                "inputs": [{"kind": kind, "value": value} for kind, value in inputs],
            }
            for key, one, inputs in keys
        ]
        merged = [{name: value for name, value in one.items() if name != "was"} for one in issue["merged"]]
        return {
            **issue, "substate": "", **self._series(issue, params, 60), "releases": releases, "similar": similar, "merged": merged,
            "release_marks": [{"release": release, "time": rfc(NOW_NS - 28 * MINUTE_NS)}] if release else [],
            "fingerprint": {"version": 1, "keys": found},
        }  # fmt: skip

    def _occurrences(self, issue, parts, params):
        if parts:
            last = min(issue["events"], 400) - 1
            number = {"latest": "0", "first": str(last)}.get(parts[0], parts[0].removeprefix("o"))
            if not number.isdigit() or int(number) > last:
                raise ApiError(
                    404,
                    {"code": "not_found", "message": f"{issue['id']} has no occurrence {parts[0]!r} that is stored"},
                )
            return self._occurrence(issue, int(number))
        rows = [self._row(issue, number) for number in range(min(issue["events"], 400))]
        if params.get("at") == "first":
            rows = rows[-1:]
        elif params.get("at", "latest") != "latest":
            rows = [row for row in rows if row["id"] == params["at"]]
        at, limit = int(params.get("cursor", "0")), int(params.get("limit", 50))
        return {
            "occurrences": rows[at : at + limit],
            "next_cursor": str(at + limit) if at + limit < len(rows) else None,
        }

    def _row(self, issue, number):
        traced = issue["id"] != "INVENTORY-4"
        return {
            "id": f"o{number}", "time": rfc(NOW_NS - 38_000 * MS - number * 3_700 * MS), "issue": issue["id"], "service": issue["service"], "slot": issue["slot"],
            "release": issue["last_release"], "environment": "production", "user": f"u_{number % 7}" if number % 3 else None,
            "trace_id": TRACE_ID if traced else None, "span_id": f"{14:016x}" if traced else None, "source": "span" if traced else "log",
            "type": issue["type"], "message": issue["message"], "culprit": issue["culprit"], "handled": False if number % 2 else None,
        }  # fmt: skip

    def _occurrence(self, issue, number):
        told = raised.told(raised.FAILED_PAYMENT, LOCALS_OCCURRENCE)
        stacks = {"INVENTORY-4": GO_STACK, "CHECKOUT-3": STACK} | (
            {issue["id"]: HOSTILE} if self.scenario == "hostile" else {}
        )
        if issue["id"] in stacks:
            stack = stacks[issue["id"]]
            told = {
                "exception.type": issue["type"],
                "exception.message": issue["message"],
                "exception.stacktrace": stack,
            }
        last = min(issue["events"], 400) - 1
        own = {"shop.currency": "NOK", "shop.cart.items": 18, "http.route": "/orders"}
        before = [(name, i) for i, name in enumerate(("auth.current_user", "GET cart /cart/{id}"))]
        return {
            **self._row(issue, number),
            "exception": None if issue["id"] == "MAILER-2" else {"type": issue["type"], "message": issue["message"], "stacktrace": told["exception.stacktrace"], "attributes": told},
            "attributes": own | ({HOSTILE: HOSTILE} if self.scenario == "hostile" else {}),
            "resource": {"service.name": issue["service"], "service.version": issue["last_release"], "host.name": "shop-2"},
            "span": None, "log": None,
            "previous": f"o{number + 1}" if number < last else None, "next": f"o{number - 1}" if number else None,
            "logs_before": [log(i, NOW_NS - 39_000 * MS - i * 200 * MS, issue["service"], ("info", "warn")[i % 2], f"step {i} of the order") for i in range(5)],
            "spans_before": [{**span(i + 5, None, 0, issue["service"], name, 0, 40), "trace_id": TRACE_ID, "slot": issue["slot"], "start_time": rfc(NOW_NS - 39_000 * MS)} for name, i in before],
        }  # fmt: skip

    def write(self, method, parts, body):
        """Answer a POST, PATCH or DELETE, and remember it."""
        self.changes.append((method, "/".join(parts), body))
        if parts[0] == "grouping":
            return self._grouping(method, parts[1:], body)
        if parts[1:] == ["merge"]:
            return self._merge(body)
        if parts[1:] == ["unmerge"]:
            return self._unmerge(body)
        if parts[1:] == ["regroup"]:
            self.regrouping = 2
            return self._progress()
        for issue_id in [parts[1]] if len(parts) > 1 else body["ids"]:
            self._change(self._find(issue_id), parts[2:], body)
        if parts[2:] == ["comments"]:
            return self._find(parts[1])["comments"][-1]
        return {"issues": []}

    def _change(self, issue, parts, body):
        who = body["actor"]
        if parts == ["comments"]:
            issue["comments"].append(
                {"id": len(issue["comments"]), "time": rfc(NOW_NS), "who": who, "text": body["text"]}
            )
            return
        if body.get("release") == "no such":
            raise ApiError(
                400,
                {"code": "bad_request", "message": "release: checkout has no release 'no such'", "field": "release"},
            )
        if "state" in body:
            issue["activity"].append(
                _activity(
                    NOW_NS,
                    who,
                    "state",
                    issue["state"],
                    body["state"],
                    str(body.get("until") or body.get("release") or ""),
                )
            )
            issue["state"] = body["state"]
            issue |= _what_ends_it(body)
        if "assignee" in body:
            issue["activity"].append(_activity(NOW_NS, who, "assignee", issue["assignee"], body["assignee"], ""))
            issue["assignee"] = body["assignee"]

    def _merge(self, body):
        into = self._find(body["into"])
        for issue_id in body["ids"]:
            if issue_id != body["into"]:
                gone = self.all.pop(issue_id)
                into["merged"].append(
                    {
                        "merge": len(into["merged"]) + 1,
                        "issue": issue_id,
                        "into": body["into"],
                        "time": rfc(NOW_NS),
                        "who": body["actor"],
                        "by_regrouping": False,
                        "was": gone,
                    }
                )
        return {"issue": self._summary(into), "merges": [{"merge": one["merge"]} for one in into["merged"]]}

    def _unmerge(self, body):
        into = self._find(body["id"])
        gone = next(one for one in into["merged"] if one["merge"] == body["merge"])
        into["merged"].remove(gone)
        self.all[gone["issue"]] = gone["was"]
        return {"issues": [self._summary(into)]}

    def rules_of(self, parts, params):
        """Answer a GET below ``/grouping``."""
        return {"rules": self.rules}

    def _grouping(self, method, parts, body):
        if method == "DELETE":
            self.rules = [rule for rule in self.rules if str(rule["id"]) != parts[1]]
            return {}
        if not body["rule"]["match"]:
            raise ApiError(
                400, {"code": "bad_request", "message": "match: pass at least one pattern", "field": "match"}
            )
        if parts == ["preview"]:
            return (
                PREVIEW
                if body["rule"]["match"].get("type") != "Nothing"
                else {**PREVIEW, "moved": 0, "merges": [], "splits": []}
            )
        self.rules.append({"id": len(self.rules) + 1, "rule": body["rule"], "who": body["actor"], "time": rfc(NOW_NS)})
        return self.rules[-1]

    def releases(self, parts, params):
        """Answer a GET of ``/releases``."""
        if self.scenario == "empty":
            return {"releases": []}
        if params.get("service") not in (None, "checkout"):
            return {"releases": []}
        names = [HOSTILE] if self.scenario == "hostile" else ["2.14.0", "2.13.2", "2.13.1"]
        shares = [0.9599, 0.99888, None]
        return {
            "releases": [
                {
                    "service": "checkout", "slot": 0, "release": name, "environments": ["production"],
                    "first_seen_time": rfc(NOW_NS - (i * 9 * DAY_NS + 28 * MINUTE_NS)), "last_seen_time": rfc(NOW_NS - i * DAY_NS),
                    "requests": (9742, 19484, 0)[i], "failed_requests": (391, 22, 0)[i], "crash_free_share": shares[i],
                    "new_issues": (1, 0, 3)[i], "regressed_issues": (1, 0, 0)[i], "resolved_issues": i,
                    "before": names[i + 1] if i + 1 < len(names) else None, "crash_free_share_before": [*shares[1:], None][i],
                }
                for i, name in enumerate(names)
            ]
        }  # fmt: skip


PREVIEW = {
    "compared": 473, "not_stored": 12, "is_sample": False, "moved": 61,
    "merges": [{
        "into": {"issue": "CHECKOUT-12", "key": None, "title": "CurrencyNotPriced", "events": 473},
        "from": [{"issue": "CHECKOUT-12", "title": "CurrencyNotPriced", "events": 412}, {"issue": "CHECKOUT-3", "title": "TimeoutError", "events": 61}],
    }],
    "splits": [{
        "issue": "STOREFRONT-7", "title": "TypeError", "events": 1304,
        "to": [{"issue": "STOREFRONT-7", "key": None, "title": "TypeError", "events": 900}, {"issue": None, "key": "00c0ffee00c0ffe0", "title": "TypeError", "events": 404}],
    }],
}  # fmt: skip


ISSUE_OF_NOTHING = {"id": "", "events": 0}
ATTRIBUTES = [
    {"key": key, "difference": share - base, "values": [{"value": value, "difference": share - base, "share": share, "baseline_share": base, "count": int(412 * share), "baseline_count": int(9742 * base)}]}
    for key, value, share, base in (
        ("service.version", "2.14.0", 1.0, 0.54), ("shop.currency", "NOK", 0.97, 0.09), ("shop.price_list", "2026-10", 1.0, 0.61),
        ("shop.payment_method", "card", 0.82, 0.78), ("host.name", "shop-2", 0.49, 0.51),
    )
]  # fmt: skip
