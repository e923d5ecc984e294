"""SIGTERM: what waits is sent, within its time, and the process ends by the signal."""

from __future__ import annotations

import signal

HEAD = """
import os, signal, time, spanglass
from opentelemetry import trace
class Slow:
    def on_start(self, *_): pass
    def _on_ending(self, *_): pass
    def on_end(self, *_): pass
    def force_flush(self, *_): return True
    def shutdown(self):
        os.kill(os.getpid(), signal.SIGTERM) if AGAIN else None
        time.sleep(0.1)
        os.write(1, b"finished ")
"""


def test_a_second_one_does_not_cut_the_first_one_short(execute):
    """Whoever sends SIGTERM twice gets an end as complete as with one, and the signal's exit code."""
    done = execute(
        HEAD
        + """
AGAIN = True
spanglass.configure(flush_timeout="10s")
trace.get_tracer_provider().add_span_processor(Slow())
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(30)
"""
    )

    assert (done.stdout, done.returncode) == ("finished ", -signal.SIGTERM)


def test_one_during_the_end_of_the_program_lets_it_finish(execute):
    """SIGTERM while the rest is sent at exit changes nothing: the process is ending."""
    done = execute(
        HEAD
        + """
AGAIN = True
spanglass.configure(flush_timeout="10s")
trace.get_tracer_provider().add_span_processor(Slow())
"""
    )

    assert (done.stdout, done.returncode) == ("finished ", 0)


def test_after_shutdown_in_a_thread_the_next_configuration_has_it(execute):
    """A handler that could not be given back, because only the main thread can, is taken over."""
    done = execute(
        HEAD
        + """
import threading
AGAIN = False
spanglass.configure()
other = threading.Thread(target=spanglass.shutdown)
other.start()
other.join()
spanglass.configure(flush_timeout="10s")
trace.get_tracer_provider().add_span_processor(Slow())
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(30)
"""
    )

    assert (done.stdout, done.returncode) == ("finished ", -signal.SIGTERM)


def test_an_applications_handler_stays(execute):
    """A handler set before or after is the one that is called."""
    done = execute(
        """
        import os, signal, spanglass
        signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"first "))
        spanglass.configure()
        os.kill(os.getpid(), signal.SIGTERM)
        spanglass.shutdown()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        spanglass.configure()
        signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"second "))
        os.kill(os.getpid(), signal.SIGTERM)
        spanglass.shutdown()
        os.kill(os.getpid(), signal.SIGTERM)
        """
    )

    assert (done.stdout, done.returncode) == ("first second second ", 0)


def test_a_process_that_ends_itself_by_a_signal_finishes_before(execute):
    """With the default action restored, raise_signal and os.kill end it, as uvicorn and twistd do; else they do not."""
    ends = {}
    for end in ("signal.raise_signal(signal.SIGTERM)", "os.kill(os.getpid(), signal.SIGHUP)"):
        done = execute(
            f"""{HEAD}
AGAIN = False
signal.signal(signal.SIGINT, lambda *_: os.write(1, b"handled "))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it, for its children too
spanglass.configure(flush_timeout="10s")
trace.get_tracer_provider().add_span_processor(Slow())
signal.raise_signal(signal.SIGINT)
os.kill(os.getpid(), signal.SIGTERM)
os.kill(os.getpid(), 0)
try:
    os.kill(os.getpid(), "TERM")
except TypeError as error:
    os.write(1, str(error).encode() + b" ")
signal.signal(signal.SIGTERM, signal.SIG_DFL)
os.write(1, b"end ")
{end}
"""
        )
        ends[done.returncode] = done.stdout

    wrong = "'str' object cannot be interpreted as an integer"
    finished = f"handled {wrong} end finished "
    assert ends == {-signal.SIGTERM: finished, -signal.SIGHUP: finished}


def test_a_child_of_multiprocessing_that_configures_itself_finishes(execute):
    """Where only the child turns telemetry on, in the function that it runs, its end by os._exit is seen as well."""
    done = execute(
        HEAD
        + """
import multiprocessing
AGAIN = False
def work():
    spanglass.configure(flush_timeout="10s")
    trace.get_tracer_provider().add_span_processor(Slow())
child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join()
print(child.exitcode)
"""
    )

    assert done.stdout == "finished 0\n", done.stderr
