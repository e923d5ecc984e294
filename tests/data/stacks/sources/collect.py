"""Writes what the programs of this folder print (lines that begin with SENT) as stacks and as an index.

``python collect.py FOLDER LANGUAGE SERVICE VERSION DIRECTORY=REPLACEMENT... < output``: files are numbered in their
group, so a second run, of a changed program, adds to those of the first.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path

STACKS = Path(__file__).parent.parent


def collect(folder: str, language: str, service: str, version: str, replaced: list[tuple[str, str]]) -> None:
    """Read standard input and write files and index entries."""
    index = STACKS / f"index-{folder}.json"
    entries = json.loads(index.read_text(encoding="utf-8")) if index.exists() else []
    (STACKS / folder).mkdir(exist_ok=True)
    for line in sys.stdin:
        if not line.startswith("SENT\t"):
            continue
        _, group, how, *coded = line.rstrip("\n").split("\t")
        kind, message, stack = (base64.b64decode(one).decode("utf-8") for one in coded)
        for directory, replacement in replaced:
            kind, message, stack = (one.replace(directory, replacement) for one in (kind, message, stack))
        number = 1 + sum(entry["group"] == group for entry in entries)
        file = f"{folder}/{re.sub('[^a-z0-9]+', '-', group)}-{number}.txt"
        (STACKS / file).write_text(stack, encoding="utf-8", newline="")
        entries.append(
            {
                "file": file,
                "language": language,
                "version": version,
                "how": how,
                "type": kind,
                "message": message,
                "group": group,
                "service": service,
            }
        )
    index.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    pairs = [(one.partition("=")[0], one.partition("=")[2]) for one in sys.argv[5:]]
    collect(*sys.argv[1:5], pairs)
