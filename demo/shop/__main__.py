"""`python -m shop`: the demo, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from shop.child import DemoError
from shop.supervisor import Options, Supervisor


def parse(arguments: list[str]) -> Options:
    """Read the command line; exits with a message when it makes no sense."""
    parser = argparse.ArgumentParser("shop", description="A server, a shop of five services, and customers.")
    add = parser.add_argument
    add("--data", type=Path, default=Path("spanglass-data/demo"), help="folder for all data (%(default)s)")
    add("--port", type=int, default=4318, help="port of Spanglass: pages, API, OTLP/HTTP (%(default)s; 0: any)")
    add("--grpc-port", type=int, default=4317, help="port for OTLP/gRPC (%(default)s; 0: any)")
    add("--shop-port", type=int, default=8080, help="first of five ports of the shop (%(default)s; 0: any)")
    add("--rate", type=_rate, default=4.0, dest="rate_per_s", help="requests a second, 0 to 50 (%(default)s)")
    add("--release", default="", help="version that every service sends; another one than before is a new release")
    add("--send-to", metavar="URL", help="start no server, send to this OTLP/HTTP receiver")
    add("--surprise", action="store_true", help="begin with a fault picked at random, for you to find")
    return Options(**vars(parser.parse_args(arguments)))


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 <= rate <= 50:
        message = f"{text} requests a second: take 0 to 50, this is a demo and not a load test"
        raise argparse.ArgumentTypeError(message)
    return rate


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    """Run the demo. Returns 0 after Ctrl-C or SIGTERM, 1 when something broke."""
    options = parse(sys.argv[1:])
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: _interrupt(stopping))
    supervisor = Supervisor(options, _say)
    try:
        supervisor.start()
        _welcome(supervisor, options)
        supervisor.watch(stopping)
    except KeyboardInterrupt:
        pass
    except DemoError as error:
        print(f"The demo stops: {error}", file=sys.stderr)
        return 1
    finally:
        stopping.set()
        _say("Stopping ...")
        supervisor.stop()
    return 0


def _interrupt(stopping: threading.Event) -> None:
    # The first signal also gets us out of the start; while we stop, more of them change nothing.
    if not stopping.is_set():
        stopping.set()
        raise KeyboardInterrupt


def _welcome(supervisor: Supervisor, options: Options) -> None:
    rate = f"{options.rate_per_s:g} requests a second" if options.rate_per_s else "no customers"
    if options.send_to:
        _say(
            f"\n  The shop is open ({rate}), its telemetry leaves. Switches to break it:\n\n    {supervisor.shop_url}\n"
        )
    else:
        _say(f"\n  Spanglass is up, the shop is open ({rate}):\n\n    {supervisor.server_url}\n")
        address = supervisor.shop_url.removeprefix("http://")  # the one URL is that of the pages
        port = address.rpartition(":")[2]
        _say(f"  Switches to break the shop: port {port} of this machine, {address} in a browser.")
        if options.surprise:
            _say("  One fault is on already. Find it, and say there which it is.")
    _say("  Ctrl-C stops everything.\n")


if __name__ == "__main__":
    sys.exit(main())
