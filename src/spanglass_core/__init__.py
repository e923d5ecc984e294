"""The rules of the domain: filter language, units, names, trace tree. Standard library only, no I/O.

PYTEST_DONT_REWRITE: there are no assertions here, and ``spanglass run pytest`` imports this before pytest can.
"""
