"""A certificate for sinks with TLS."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of 127.0.0.1, its own authority, in one file."""
    if shutil.which("openssl") is None:
        reason = "openssl is not on PATH: on Debian and Ubuntu, apt install openssl"
        (pytest.fail if os.environ.get("SPANGLASS_REQUIRE_ALL") else pytest.skip)(reason)
    file = tmp_path_factory.mktemp("certificate") / "all.pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "-", "-out", "-"]
    names = ["-days", "2", "-subj", "/CN=sink", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = subprocess.run(["openssl", "req", "-x509", *key, *names], check=True, capture_output=True)
    file.write_bytes(made.stdout)
    return file
