"""``spanglass retention``: policies in force, what a file of them would free, and keeping it."""

from __future__ import annotations

FAILED = {"name": "failed", "keep": "errors", "services": ["shop"], "filter": "", "slower_than": "", "age": "90d"}
STANDING = {"segments": 9, "segments_due": 2, "kept_rows": 0, "rest_bytes": 0}
SLOW = {"name": "slow", "keep": "slow", "services": [], "filter": "", "slower_than": "p99", "age": "0"}
SHOWN = {"policies": [FAILED, SLOW], "ordinary": {"after": "7d", "keep_one_in": 10}, "yaml": "policies: []\n",
         "version": 3, "file": None, "ages_s": {"spans": 2_592_000.0}, "max_bytes": 0,
         "standing": STANDING}  # fmt: skip
AMOUNT = {"spans": 1000.0, "traces": 50.0, "bytes": 2048.0, "bytes_error": 512.0}
PREVIEW = {"segments": 40, "segments_read": 12, "spans_read": 10, "waiting_bytes": 4096.0,
           "stored": AMOUNT, "freed": AMOUNT, "services": [],
           "classes": [{"name": "failed", "keep": "errors", "age_s": 86_400.0, "stored": AMOUNT, "freed": AMOUNT}],
           "bytes_a_day": 1.0, "bytes_at_pace_before": None, "bytes_at_pace": 1024.0}  # fmt: skip
PROBLEM = {"message": "age is missing", "path": "policies[0]", "line": 2, "column": 5, "hint": None, "file": None}


def test_policies_are_shown_previewed_and_kept(canned, run, tmp_path):
    """A file is checked before anything else is done with it; a change names the version that was in force."""
    file = tmp_path / "retention.yaml"
    file.write_text("policies: []\n")
    canned.answer("/api/v1/retention", SHOWN)
    shown = run("retention")
    assert all(
        word in shown.stdout.decode()
        for word in ("failed", "90d", "shop", "one in 10 after 7d", "30d", "slow (p99)", "for ever")
    )
    assert b"2 of 9 segments wait" in shown.stderr

    for problems in ([PROBLEM], []):
        canned.answer("/api/v1/retention/check", {"yaml": "", "problems": problems})
    refused = run("retention", "apply", str(file))
    assert (refused.returncode, b":2:5: policies[0]: age is missing" in refused.stderr) == (2, True)

    canned.answer("/api/v1/retention/preview", PREVIEW)
    told = run("retention", "preview", str(file))
    assert "failed" in told.stdout.decode()
    assert "2 KiB ± 512 B of 2 KiB would go at once" in told.stderr.decode()
    assert "about 4 KiB more when their segments are due; 12 of 40 segments were read" in told.stderr.decode()
    assert "1 KiB of spans, ever more without" in told.stderr.decode()

    kept = run("retention", "apply", str(file), "--note", "why", "--as", "Ada")
    assert b"version 3 is in force; 2 segments wait" in kept.stdout
