"""The manual API, thin over OpenTelemetry's: every call is a no-op until somebody sets providers."""

from __future__ import annotations

__all__ = ["PLACES"]

#: Where each public name is: what ``import spanglass`` offers of the manual API, imported when it is first asked for.
PLACES: dict[str, str] = {
    name: f"spanglass.{module}"
    for module, names in {
        "api.analysis.figures": ("Figures",),
        "api.analysis.thresholds": ("ThresholdManager",),
        "api.collector": ("MetricsCollector",),
        "api.decorator": ("trace",),
        "api.health.monitor": (
            "HealthMonitor",
            "HealthReport",
            "HealthResult",
            "check_health",
            "check_health_now",
            "is_healthy",
            "issues",
            "register_check",
            "unregister_check",
        ),
        "api.messages": ("debug", "error", "event", "fatal", "info", "warning"),
        "api.metrics": ("counter", "gauge", "histogram", "up_down_counter"),
        "api.operations": ("PerformanceMonitor", "operation_statistics", "track_operation"),
        "api.spans": ("SpanHandle", "Tracer", "current_span", "span", "start_span"),
        "errors": (
            "AlertError",
            "AnalysisError",
            "CollectionError",
            "HealthError",
            "MetricError",
            "MonitorError",
            "NotificationError",
            "PerformanceError",
            "ResourceError",
            "TracingError",
        ),
    }.items()
    for name in names
}
