"""The sections of reports, a module for each thing that they are about."""
