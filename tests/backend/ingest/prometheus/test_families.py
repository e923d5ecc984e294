from __future__ import annotations

import pytest

from spanglass_server.ingest.prometheus.families import Families, Family
from spanglass_server.store.disk import Disk

COUNTER = Family("counter", "Jobs.", "jobs")


class FullDisk(Disk):
    """A disk on which nothing can be written for a while."""

    full = True

    def write(self, descriptor, parts):
        """Refuse while it is full."""
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(descriptor, parts)


def test_what_could_not_be_written_is_written_with_the_next(tmp_path):
    """A failed write is an error for who told it, leaves the file as it was, and is made up for."""
    path, disk = tmp_path / "families.json", FullDisk()
    families = Families(path, disk)
    with pytest.raises(OSError, match="space"):
        families.learn([("jobs", COUNTER)])
    assert Families(path).of("jobs") == Family()
    disk.full = False
    families.learn([("jobs", COUNTER)])
    assert Families(path).of("jobs_total") == COUNTER


def test_a_start_writes_nothing(tmp_path):
    """What the journal tells again at a start is known at once, and written with what comes next."""
    path = tmp_path / "families.json"
    families = Families(path, FullDisk())
    with families.only_in_memory():
        families.learn([("jobs", COUNTER)])
    assert families.of("jobs") == COUNTER
    assert not path.exists()


def test_the_first_help_stays(tmp_path):
    """Senders whose help differs do not rewrite the file each minute; another type or unit is news."""
    path = tmp_path / "families.json"
    families = Families(path)
    families.learn([("jobs", COUNTER)])
    before = path.stat().st_mtime_ns
    families.learn([("jobs", COUNTER._replace(help="Others.")), ("", COUNTER)])
    assert (path.stat().st_mtime_ns, families.of("jobs")) == (before, COUNTER)
    families.learn([("jobs", Family("gauge"))])
    assert Families(path).of("jobs") == Family("gauge")
    assert Families(path).of("jobs_total") == Family()


def test_a_damaged_file_costs_no_start(tmp_path, caplog):
    """A file that can't be read is said in the log; families are known again once they are told."""
    path = tmp_path / "families.json"
    path.write_text("[1")
    assert Families(path).of("jobs") == Family()
    assert "families.json" in caplog.text
