"""Forking while other threads are in the middle of anything."""

from __future__ import annotations


def test_children_of_a_process_whose_threads_hold_locks(execute):
    """A child can make instruments, spans and log records, report failures and shut down, whoever held a lock."""
    done = execute(
        """
        import logging, os, signal, sys, spanglass
        from opentelemetry import metrics
        from spanglass import guard
        from spanglass.patching import imports
        from spanglass.start import setup
        spanglass.configure()
        provider = metrics.get_meter_provider()
        meter = provider.get_meter("shop")
        consumer = provider._measurement_consumer
        for lock in (meter._instrument_registration_lock, meter._instrument_ids_lock, consumer._lock):
            lock.acquire()
        import threading
        def hold():
            for lock in (guard._lock, imports._lock, setup._lock):
                lock.__enter__()
        holder = threading.Thread(target=hold)
        holder.start()
        holder.join()
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            meter.create_counter("orders").add(1)
            with spanglass.span("work"):
                logging.getLogger("shop").warning("done")
            guard.report("do it in a child", ValueError())
            imports.when_imported("os", lambda _: None, doing="test")
            spanglass.shutdown()
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        os._exit(0)
        """
    )

    assert done.stdout == "0\n", done.stderr


def test_a_fork_while_another_thread_uses_something_for_the_first_time(execute, tmp_path):
    """The fork waits for the import that the first use means; the child can use it as well."""
    (tmp_path / "slow_part.py").write_text("import time\ntime.sleep(0.3)\nvalue = 7\n")
    done = execute(
        """
        import os, signal, sys, threading, time, spanglass
        spanglass._PLACES["value"] = "slow_part"
        other = threading.Thread(target=lambda: spanglass.value)
        other.start()
        while "slow_part" not in sys.modules:
            time.sleep(0.01)
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            os._exit(spanglass.value)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
        variables={"PYTHONPATH": str(tmp_path)},
    )

    assert done.stdout == "7\n", done.stderr
