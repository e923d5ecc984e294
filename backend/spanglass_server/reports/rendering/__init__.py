"""The forms in which reports are written: page, HTML, Markdown, CSV, JSON, PDF."""
