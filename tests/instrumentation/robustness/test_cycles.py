"""Starting and stopping many times."""

from __future__ import annotations

import signal
import sys

import pytest


def test_nothing_is_left_of_what_was_shut_down(execute):
    """Threads, descriptors, hooks, and the providers of all but the last configuration are gone after a shutdown."""
    done = execute(
        """
        import gc, logging, psutil, signal, sys, threading, spanglass
        from spanglass.process import forking

        def facts():
            gc.collect()
            providers = sum(type(each).__name__ == "TracerProvider" for each in gc.get_objects())
            return [
                len(threading.enumerate()), psutil.Process().num_fds(), len(forking._in_child), len(gc.callbacks),
                providers, sys.excepthook, logging.Logger.callHandlers, signal.getsignal(signal.SIGTERM),
            ]

        def cycle():
            assert spanglass.configure(in_progress=True, tail_sampling=True)
            with spanglass.span("work"):
                logging.getLogger("shop").info("done")
            spanglass.shutdown()

        cycle()
        before = facts()
        for _ in range(3):
            cycle()
        print(before == facts() or (before, facts()))
        """
    )

    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr


def test_garbage_at_the_end_is_left_to_the_main_thread(execute):
    """What an application leaves in cycles is finalized where it was made, as without Spanglass."""
    done = execute(
        """
        import os, spanglass, threading
        spanglass.configure()

        class Kept:
            def __init__(self):
                self.own, self.thread = self, threading.get_ident()
            def __del__(self, ident=threading.get_ident, write=os.write):
                write(1, b"%d" % (ident() == self.thread))

        with spanglass.span("work"):
            for _ in range(3):
                Kept()
        """
    )

    assert done.stdout == "111"


@pytest.mark.parametrize(("code", "expected"), [("raise KeyboardInterrupt", -signal.SIGINT), ("raise ValueError", 1)])
def test_ctrl_c_ends_a_program_by_its_signal(execute, tmp_path, code, expected):
    """What an exception does to the exit code is the same with us, also where sending begins at the end."""
    ours = f"import spanglass; spanglass.configure(); {code}"
    program = tmp_path / "program.py"
    program.write_text(ours)

    assert execute(code).returncode == expected
    assert execute(ours).returncode == expected
    assert execute(words=[sys.executable, str(program)]).returncode == expected


def test_ctrl_c_in_a_console_is_over_when_that_ends(execute):
    """A program that went on after an interrupt ends as it wants to."""
    done = execute(
        """
        import code, spanglass
        spanglass.configure()
        code.InteractiveInterpreter(globals()).runsource("raise KeyboardInterrupt")
        """
    )

    assert done.returncode == 0, done.stderr
