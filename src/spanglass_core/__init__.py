"""The rules of the domain: filter language, units, names, trace tree. Standard library only, no I/O."""
