"""What a process may lack: a working directory, streams, descriptors, threads, Spanglass itself."""

from __future__ import annotations

import os
import sys
import textwrap
import venv
from pathlib import Path

import pytest

SPANGLASS = str(Path(sys.executable).with_name("spanglass"))
CONFIGURE = "import spanglass; assert spanglass.configure() is True; print('on')"


@pytest.mark.skipif(sys.version_info[:3] == (3, 13, 0), reason="its own `import socket` fails there: SystemError")
def test_a_working_directory_that_was_deleted(execute):
    """Telemetry starts all the same, and says nothing."""
    done = execute(f"import os; os.rmdir(os.getcwd()); {CONFIGURE}", variables={"SPANGLASS_METRICS": "false"})

    assert (done.stdout, done.stderr) == ("on\n", "")


@pytest.mark.parametrize("streams", ["sys.stdout = sys.stderr = None", "sys.stdout.close(); sys.stderr.close()"])
@pytest.mark.parametrize("console", ["auto", "on", "off"])
def test_streams_that_are_not_there(execute, streams, console):
    """A wrong setting still only leaves telemetry off, a right one starts it; nothing is raised."""
    done = execute(
        f"""
        import os, sys, spanglass
        {streams}
        wrong = spanglass.configure(sample_ratio=7)
        right = spanglass.configure(console={console!r})
        with spanglass.span("work"):
            pass
        spanglass.shutdown()
        os.write(1, f"{{wrong}} {{right}}".encode())
        os._exit(0)
        """
    )

    assert (done.stdout, done.returncode) == ("False True", 0), done.stderr


def test_no_file_descriptor_left(execute):
    """Work goes on without a descriptor; what could not be sent is counted, and no batch is given up by an error."""
    done = execute(
        """
        import os, resource, spanglass
        from spanglass import guard
        from spanglass.start.setup import running
        spanglass.configure(metrics=False, send_timeout="100ms")
        spanglass.span  # imported, as in a program that has run for a while
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        taken = []
        try:
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pass
        with spanglass.span("work"):
            pass
        counts = running().pipelines.counts
        spanglass.shutdown()
        print(dict(guard.failures), counts.snapshot()["traces"].lost)
        """
    )

    assert done.stdout == "{} 1\n", done.stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root may give up being root")
def test_no_thread_left(execute):
    """Spans, log records and checks work where no thread can be started, with all that has threads of its own."""
    done = execute(
        """
        import logging, _thread, spanglass
        assert spanglass.configure(in_progress=True, tail_sampling=True)
        def none(*_args, **_kwargs):
            raise RuntimeError("can't start new thread")
        import threading
        threading._start_new_thread = none
        with spanglass.span("work"):
            logging.getLogger("shop").warning("in it")
        spanglass.register_check("database", lambda: True)
        spanglass.shutdown()
        print("went on")
        """
    )

    assert (done.stdout, done.returncode) == ("went on\n", 0), done.stderr


def test_a_child_of_another_environment(execute, tmp_path):
    """A Python without Spanglass that an instrumented program starts runs as ever: no word on stderr."""
    venv.create(tmp_path / "bare", symlinks=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    parent = tmp_path / "parent.py"
    parent.write_text(f"import subprocess; subprocess.run([{python!r}, '-c', 'print(1)'], check=True)")
    done = execute(words=[SPANGLASS, "run", str(parent)], variables={"SPANGLASS_METRICS": "false"})

    assert (done.stdout, done.stderr, done.returncode) == ("1\n", "", 0)


def test_names_that_are_not_utf8(execute, tmp_path):
    """A program whose file and folder have such names is instrumented; nothing is said, and it has a name."""
    script = os.fsencode(tmp_path) + b"/shop\xff.py"
    code = """
    import logging, spanglass
    from spanglass import guard
    from spanglass.start.setup import running
    logging.getLogger("shop").warning("in a file")
    print(running().providers.tracer.resource.attributes["service.name"], spanglass.force_flush(), dict(guard.failures))
    """
    with open(script, "w") as file:  # noqa: PTH123 - bytes
        file.write(textwrap.dedent(code))
    done = execute(
        words=[SPANGLASS, "run", script], variables={"SPANGLASS_SEND_TIMEOUT": "50ms", "SPANGLASS_FLUSH_TIMEOUT": "20s"}
    )

    assert done.stdout == "shop\\udcff True {}\n", done.stderr
    assert "Traceback" not in done.stderr
