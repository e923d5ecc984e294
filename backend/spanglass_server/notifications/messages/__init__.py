"""Notifications in words: what messages say, with the evidence of their alerts, by templates and with a chart."""
