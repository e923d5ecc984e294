"""The operations of the disk that have rules of their own."""

from __future__ import annotations

import pytest

from spanglass_server.store.disk import DISK


@pytest.mark.parametrize("path", ["none", "folder/none", "file/none"])
def test_a_file_that_is_not_there_is_deleted(tmp_path, path):
    """Nothing has to be deleted where no file, no folder, or a file in the folder's place is."""
    (tmp_path / "file").write_text("in the way")
    DISK.unlink(tmp_path / path)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_what_cannot_be_deleted_is_an_error(tmp_path):
    """Any other failure is told: a folder is no file."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        DISK.unlink(tmp_path / "folder")
