"""Commands that say what is slow, failing, missing or dear, and who uses what."""
