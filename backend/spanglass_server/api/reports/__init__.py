"""The routes about reports."""
