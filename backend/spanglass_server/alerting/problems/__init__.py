"""Alerts that one fault opened, seen as one problem."""
