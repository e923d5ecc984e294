"""Occurrences of exceptions: found in spans and log records, counted once, grouped, and grouped anew."""
