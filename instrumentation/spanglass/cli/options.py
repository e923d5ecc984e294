"""Options that the commands share."""

from __future__ import annotations

import argparse
import difflib
import getpass
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanglass.cli.client import DEFAULT_URL, Client
from spanglass.cli.output import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What each command's help shows: the words after its name.
EXAMPLES = {
    "traces": ("'service:checkout status:error duration > 500ms' --last 2h", "--sort duration --limit 5"),
    "trace": ("0af7651916cd43dd8448eb211c80319c --attributes", "0af7651916cd43dd8448eb211c80319c --otlp"),
    "differences": (
        "--service checkout --operation 'POST /orders' --min-duration 500ms",
        "'status:error' --last 2h",
        "--service checkout --release 2.14.0 --last 1d",
    ),
    "self-time": ("--service checkout --operation 'POST /orders' --paths", "service:checkout --last 1d"),
    "profiles": (
        "--service checkout --operation 'POST /orders' --show tree",
        "--trace 0af7651916cd43dd8448eb211c80319c",
    ),
    "logs": ("'severity >= warn \"card declined\"' --follow", "service:checkout --last 15m -C 5"),
    "metrics": ("--prefix http.", "http.server.request.duration --aggregate quantile --q 0.95 --by http.route"),
    "query": (
        "'sum by (http_route) (rate(http_server_request_duration_seconds_count[5m]))'",
        "'histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket[5m])))' --chart",
    ),
    "services": ("--last 24h", "--format csv"),
    "anomalies": ("", "checkout --kind failures", "show 17"),
    "anomalies show": ("17",),
    "anomalies fine": ('17 --reason "load test" --until now+7d',),
    "anomalies feedback": ("", "--undo 4"),
    "trends": ("--kind rising", "checkout --quantity process-memory"),
    "capacity": ("", "--host db-1"),
    "forecast": ("disk_usage --ahead 7d --bound 0.95", "'max(queue_size) by (queue)' --ahead 6h"),
    "coverage": ("", "--all --last 24h --format csv"),
    "costs": ("--last 7d", "--by saving --last 30d", "--by attribute --format csv"),
    "tasks": ("--last 6h", "--queue mails", "queues --last 1d"),
    "tasks queues": ("--last 6h",),
    "users": ("--last 7d --sort errors", "show u-4711 --last 1d", "features --last 30d"),
    "users show": ("u-4711 --last 1d --errors", "5f2c --session"),
    "users sessions": ("--user u-4711", "--sort duration --last 7d"),
    "users features": ("--last 30d",),
    "users paths": ("'service:shop' --last 1d",),
    "report": ("week", "performance --service checkout --last 1d -o checkout.pdf", "cost --last 30d --format csv"),
    "report list": ("--kind week",),
    "report schedule": ("week --cron '0 8 * * mon' --channel ops-mail",),
    "report schedules": ("",),
    "report unschedule": ("6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10",),
    "report delete": ("6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10",),
    "issues": ("'service:checkout type:ValueError' --last 24h", "--state resolved,ignored --sort events", "regroup"),
    "issue": ("CHECKOUT-12 --last 24h", "resolve CHECKOUT-12 --next-release"),
    "issue resolve": ("CHECKOUT-12", "CHECKOUT-12 CART-3 --release 1.4.0"),
    "issue ignore": ("CHECKOUT-12 --until now+2h", "CHECKOUT-12 --events 100"),
    "issue reopen": ("CHECKOUT-12",),
    "issue assign": ("CHECKOUT-12 --to ann", "CHECKOUT-12 --to ''"),
    "issue comment": ("CHECKOUT-12 'the stock is read twice'",),
    "issue merge": ("CHECKOUT-14 CHECKOUT-15 --into CHECKOUT-12",),
    "issue unmerge": ("CHECKOUT-12 CHECKOUT-14",),
    "releases": ("checkout --last 7d",),
    "dashboards": ("--all", "check dashboards/*.yaml", "export services > services.yaml"),
    "dashboards check": ("dashboards/*.yaml", "- < shop.yaml"),
    "dashboards export": ("services > services.yaml",),
    "dashboards import": ("shop.yaml --replace", "grafana.json --dry-run > shop.yaml"),
    "rules": ("--state firing", "check rules/*.yaml", "backtest 'error_rate > 5%' --last 7d"),
    "rules check": ("rules/*.yaml", "- < rules.yaml"),
    "rules test": ("tests/rules/*.yaml",),
    "rules backtest": (
        "checkout-errors --last 7d",
        "'p95(response_time) by (route) > 2s' --last 1d",
        "rule.yaml --step 5m",
    ),
    "rules export": ("checkout-errors > rules.yaml",),
    "alerts": ("--service checkout --severity error,critical", "--status all --last 7d --format csv"),
    "alerts show": ("6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10",),
    "alerts note": ("6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10 'the disk is being replaced'",),
    "alerts ack": ("6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10 --reason 'looking at it'",),
    "alerts reopen": ("6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10",),
    "alerts resolve": ("6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10 --reason 'rolled back'",),
    "alerts dismiss": ("6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10",),
    "findings": ("", "--service checkout --kind n_plus_one", "show 17"),
    "findings show": ("17",),
    "findings dismiss": ('17 --reason "the nightly export may take its time"',),
    "findings reopen": ("17",),
    "views": ("", "save 'Slow checkouts' '/traces?filter=duration%20%3E%201s' --shared --pin", "delete 3"),
    "views save": ("'Failing logs' '/logs?filter=severity%3Aerror&last=1d' --shared --pin",),
    "views change": ("3 --name 'Failing checkouts' --default", "3 --no-pin"),
    "views delete": ("3",),
    "pins": ("", "--text bank", "add 0af7651916cd43dd8448eb211c80319c 'the bank answers late'"),
    "pins add": ("0af7651916cd43dd8448eb211c80319c 'the bank answers late'",),
    "pins remove": ("0af7651916cd43dd8448eb211c80319c",),
    "checks": ("--status unhealthy", "show shop", "run shop", "status"),
    "checks show": ("shop",),
    "retention": ("", "--format ndjson"),
    "retention preview": ("retention.yaml", "--by service retention.yaml"),
    "retention check": ("retention.yaml",),
    "retention apply": ("retention.yaml --note 'the disk is small'",),
    "retention export": ("> retention.yaml",),
    "retention changes": ("", "--format csv"),
    "slo": ("--service checkout", "show checkout-answers", "apply slos/*.yaml", "--fail"),
    "slo show": ("checkout-answers",),
    "slo check": ("slos/*.yaml", "- < shop.yaml"),
    "slo apply": ("slos/*.yaml",),
    "slo import": ("openslo.yaml | spanglass slo apply -",),
    "slo export": ("checkout-answers > slos.yaml",),
    "slo delete": ("checkout-answers",),
    "slo changes": ("checkout-answers",),
    "checks run": ("shop nightly-report",),
    "checks status": ("--all",),
    "incidents": ("--service checkout", "--status all --last 30d --format csv", "open 'Payments fail' --service pay"),
    "incidents show": ("INC-7",),
    "incidents open": ("'Payments fail' --severity critical --service pay --lead ann --step 'call the bank'",),
    "incidents ack": ("INC-7",),
    "incidents recover": ("INC-7 --reason 'traffic is back'",),
    "incidents resolve": ("INC-7 --reason 'switched over' --cause 'the bank was down'",),
    "incidents dismiss": ("INC-7 --reason 'a drill'",),
    "incidents reopen": ("INC-7",),
    "incidents note": ("INC-7 'the bank answers again'",),
    "incidents step": ("INC-7 2", "INC-7 'tell the shops'"),
    "incidents add": ("INC-7 6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10",),
    "incidents merge": ("INC-8 --into INC-7",),
    "incidents report": ("--last 30d", "--last 90d --format csv"),
    "incidents postmortem": ("INC-7 > INC-7.md", "INC-7 --write INC-7.md"),
    "routes": ("", "explain 6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10", "test service=shop team=db --severity error"),
    "routes explain": ("6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10",),
    "routes test": ("service=shop team=db --severity critical",),
    "routes check": ("spanglass.yaml", "alertmanager.yml"),
    "routes import": ("alertmanager.yml > routes.yaml",),
    "channels": ("", "test slack email"),
    "channels test": ("slack email",),
    "channels preview": ("email", "email 6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10 --format html > mail.html"),
    "silences": ("--state all", "add service=shop 'severity=~\"info|warning\"' --for 2h --comment deploy"),
    "silences add": (
        "service=shop --for 2h --comment deploy",
        "'host=~\"web-.*\"' --until now+1d --comment 'new disks'",
    ),
    "silences preview": ("service=shop",),
    "silences end": ("6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10",),
    "oncall": ("", "--at now+8h", "db --end now+12w --format csv", "--escalations"),
    "deliveries": ("--state failed --last 1d", "--channel slack --format ndjson"),
    "deliveries show": ("6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10",),
    "deliveries retry": ("6f0c1e0a-3f1b-5b0e-8a55-0d5c0c6f7a10",),
    "sql": ("'SELECT name, count(*) FROM spans GROUP BY name ORDER BY 2 DESC'", "--format csv < statement.sql"),
    "export": (
        "--last 30d --filter service:checkout -o checkout",
        "--last 7d --format duckdb -o week.duckdb",
        "--last 1h --signal logs --format ndjson -o - | jq .body",
    ),
    "import": (
        "spanglass-export",
        "november.duckdb --url http://127.0.0.1:4319",
        "jaeger-traces.json collector.jsonl.gz",
    ),
    "send": ("traces.jsonl logs.jsonl.gz", "- < traces.json"),
    "status": ("", "--format ndjson"),
}

READ_TOKEN = "SPANGLASS_READ_TOKEN"  # noqa: S105 - the name of a variable
INGEST_TOKEN = "SPANGLASS_INGEST_TOKEN"  # noqa: S105 - the name of a variable


class _Parser(argparse.ArgumentParser):
    """A parser that says which option was meant by an unknown one."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse all words; an unknown option ends the command with the nearest one there is."""
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}{self._meant(unknown)}")
        return found

    def _meant(self, unknown: Sequence[str]) -> str:
        known = [option for action in self._actions for option in action.option_strings]
        words = (word.partition("=")[0] for word in unknown)
        close = [*dict.fromkeys(best for word in words for best in difflib.get_close_matches(word, known, 1))]
        return f" (did you mean {' '.join(close)}?)" if close else ""


def parser(name: str, description: str, *, token_variable: str = READ_TOKEN) -> argparse.ArgumentParser:
    """Make a command's parser with the options for the server."""
    made = _Parser(
        prog=f"spanglass {name}",
        description=description,
        allow_abbrev=False,
        epilog="\n".join(("examples:", *(f"  spanglass {name} {words}".rstrip() for words in EXAMPLES[name]))),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    server = made.add_argument_group("server")
    server.add_argument(
        "--url",
        default=os.environ.get("SPANGLASS_URL") or DEFAULT_URL,
        help=f"address of the server (SPANGLASS_URL, default {DEFAULT_URL})",
    )
    server.add_argument("--token", help=f"its token; better kept in {token_variable}, where no other user sees it")
    made.set_defaults(token_variable=token_variable)
    return made


def add_format(made: argparse.ArgumentParser) -> None:
    """Add ``--format``."""
    made.add_argument("--format", choices=FORMATS, default="table", help="how to print the result (default table)")


def add_actor(made: argparse.ArgumentParser, *, dest: str = "actor", does: str = "does it") -> None:
    """Add ``--as``: who does something, read into ``dest``."""
    made.add_argument("--as", dest=dest, metavar="NAME", default=user(), help=f"who {does} (default: you)")


def user() -> str:
    """Return the name of who runs the command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a process without a user's name
        return ""


def add_range(made: argparse.ArgumentParser, default: str = "1h") -> None:
    """Add the options for a range of time; ``default`` is what the help says of none."""
    group = made.add_argument_group("range of time")
    group.add_argument("--last", metavar="DURATION", help=f"so far back from now: 15m, 2h, 7d (default {default})")
    group.add_argument("--start", metavar="TIME", help="RFC 3339, Unix time, or now-2h")
    group.add_argument("--end", metavar="TIME", help="the same; default now")


def range_parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the API's parameters for the range; the server knows what is left out."""
    return {"last": arguments.last, "start": arguments.start, "end": arguments.end}


def client(arguments: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> Client:
    """Make the client that the options name."""
    token = arguments.token if arguments.token is not None else environ.get(arguments.token_variable, "")
    return Client(arguments.url, token, arguments.token_variable)


def segment(text: str) -> str:
    """Write a text as one segment of a path."""
    return quote(text, safe="")


def positive(text: str) -> int:
    """Read a whole number of at least 1, for argparse."""
    count = int(text) if text.isascii() and text.isdigit() else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return count


def not_negative(text: str) -> int:
    """Read a whole number of at least 0, for argparse."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")
    return int(text)
