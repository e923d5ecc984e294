"""Searching traces and logs."""
