"""The spool's files: bounded, private, whole, and of one process at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from spanglass.delivery.spool import CorruptError, Spool

_HOLDER = """
import sys
from pathlib import Path
from spanglass.delivery.spool import Spool
spool = Spool(Path(sys.argv[1]), "there", 10**6, now_ns=lambda: 1)
spool.save("traces", b"of the other process", 3)
print("kept", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def new_spool(tmp_path):
    """Make spools in one directory; their clock gives 1, 2, 3 ..."""
    made = []

    def make(destination="there", max_bytes=10**6):
        ticks = iter(range(1, 10**6))
        made.append(Spool(tmp_path / "spool", destination, max_bytes, now_ns=lambda: next(ticks)))
        return made[-1]

    yield make
    for spool in made:
        spool.close()


@pytest.fixture
def holder(tmp_path):
    """Start a process that has kept a body and lives on until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path / "spool")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"kept\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


# Python 3.12 warns of what is tested here
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def files_of(tmp_path):
    """List the bodies on disk."""
    return sorted(path for path in (tmp_path / "spool").rglob("*.gz"))


def test_bodies_come_back_in_order(new_spool, tmp_path):
    """Three bodies are read as they were written, oldest first; removed ones leave nothing behind."""
    spool = new_spool()
    for name in (b"a", b"b", b"c"):
        assert spool.save("logs", name * 1000, 7) == []
    read = []
    while entry := spool.oldest():
        read.append((entry.signal, entry.records, spool.read(entry)))
        assert spool.remove(entry)
    assert read == [("logs", 7, name * 1000) for name in (b"a", b"b", b"c")]
    spool.close()
    assert (files_of(tmp_path), list((tmp_path / "spool").glob("*/*"))) == ([], [])


def test_only_the_owner_can_read(new_spool, tmp_path):
    """Files have mode 0600 and their directory 0700, whatever the umask is."""
    before = os.umask(0)
    try:
        new_spool().save("traces", b"body", 1)
    finally:
        os.umask(before)
    (file,) = files_of(tmp_path)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)] == [0o600, 0o700]


def test_the_oldest_go_when_it_is_full(new_spool):
    """Beyond its bound the oldest bodies are given up and named; a body larger than the bound is not kept at all."""
    spool = new_spool(max_bytes=100)
    bodies = [os.urandom(20) for _ in range(4)]
    gone = [entry.records for number, body in enumerate(bodies) for entry in spool.save("traces", body, number)]
    too_large = spool.save("traces", os.urandom(500), 99)
    assert (gone, [entry.records for entry in too_large], spool.oldest().records) == ([0, 1], [99], 2)
    assert spool.size_bytes <= 100


@pytest.mark.parametrize("damage", ["cut", "garbage", "grown"])
def test_a_damaged_body_is_known_and_set_aside(new_spool, tmp_path, damage):
    """A file that is cut, overwritten or longer than it was is refused and moved away, not sent."""
    spool = new_spool()
    spool.save("traces", b"body" * 100, 1)
    (file,) = files_of(tmp_path)
    content = file.read_bytes()
    file.write_bytes({"cut": content[:-4], "garbage": b"no gzip at all", "grown": content + content}[damage])
    entry = spool.oldest()
    with pytest.raises(CorruptError):
        spool.read(entry)
    assert spool.set_aside(entry)
    assert (spool.oldest(), spool.size_bytes, [path.parent.name for path in files_of(tmp_path)]) == (None, 0, ["bad"])


def test_files_of_a_process_that_lives_are_left_alone(new_spool, holder):
    """While its process lives a body is nobody else's; when it is killed the next one that looks takes it over."""
    spool = new_spool()
    assert (spool.adopt(), spool.oldest()) == ([], None)
    holder.kill()
    holder.wait()
    assert spool.adopt() == []
    assert spool.read(spool.oldest()) == b"of the other process"


def test_one_of_several_takes_a_dead_process_over(new_spool, holder, tmp_path):
    """Of two that look, one has the body; the other has nothing, also when it looks again."""
    holder.kill()
    holder.wait()
    first, second = new_spool(), new_spool()
    for spool in (first, second, second):
        spool.adopt()
    assert (first.oldest().records, second.oldest(), len(files_of(tmp_path))) == (3, None, 1)


def test_bodies_for_another_server_stay_where_they_are(new_spool):
    """What was meant for one destination is not sent to another."""
    spool = new_spool("one server")
    spool.save("traces", b"body", 1)
    spool.close()
    other, same = new_spool("another server"), new_spool("one server")
    other.adopt()
    same.adopt()
    assert (other.oldest(), same.oldest().records) == (None, 1)


def test_a_child_leaves_the_parents_files_to_the_parent(new_spool):
    """After a fork the child has no files, and the parent's stay locked."""
    spool = new_spool()
    spool.save("traces", b"of the parent", 1)
    child = os.fork()
    if child == 0:
        spool.after_fork()
        spool.adopt()
        os._exit(0 if spool.oldest() is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert spool.read(spool.oldest()) == b"of the parent"


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path):
    """A spool below a file raises OSError, which whoever keeps the body handles."""
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(OSError, match="spool"):
        Spool(tmp_path / "spool", "there", 100).save("traces", b"body", 1)
