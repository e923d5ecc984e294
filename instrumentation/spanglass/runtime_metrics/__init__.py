"""Metrics of what an application runs on: process, host, interpreter, event loops."""

from spanglass.runtime_metrics.install import install_runtime_metrics

__all__ = ["install_runtime_metrics"]
