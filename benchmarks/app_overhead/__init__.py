"""The overhead of telemetry on an application: what runs, where, and how it is measured."""
