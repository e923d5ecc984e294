"""The Spanglass server: OTLP in, columns on disk, answers and pages out.

PYTEST_DONT_REWRITE: there are no assertions here, and pytest may be started with this imported.
"""
