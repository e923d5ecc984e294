"""What every page draws with: templates, static files, numbers and times, charts, links."""
