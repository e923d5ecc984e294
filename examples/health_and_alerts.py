"""Health, figures and alerts of an application, in its own memory, or on a server as well.

python examples/health_and_alerts.py [--url http://127.0.0.1:4318]
"""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Any

from spanglass import AlertManager, AlertRule, HealthMonitor, PerformanceMonitor, SystemMonitor

if TYPE_CHECKING:
    from spanglass.monitoring.alerts import Alert

CONFIG: dict[str, Any] = {
    "health": {"check_interval": "30s", "timeout": "10s"},
    "alerting": {"channels": ["operators"]},
    "alert_rules": [
        {
            "name": "High error rate",
            "condition": "error_rate > 0.05",
            "severity": "critical",
            "channels": ["operators"],
        },
        {"name": "Slow responses", "condition": "avg_response_time > 1000ms", "severity": "warning"},
        {"name": "Disk almost full", "condition": "disk_usage > 90%", "severity": "critical", "recovery": "85%"},
    ],
}


class Work:
    """An application that fails now and then."""

    def __init__(self) -> None:
        self.performance = PerformanceMonitor()
        self.cache_is_there = True

    def serve(self, requests: int, failing: int) -> None:
        """Serve some requests, of which some fail."""
        for number in range(requests):
            operation = self.performance.track_operation("checkout")
            if number < failing:
                operation.fail("card declined")
            else:
                operation.complete()

    def check_cache(self) -> tuple[bool, str]:
        """What is registered as a health check."""
        return self.cache_is_there, "" if self.cache_is_there else "no answer"


async def tell_operators(alert: Alert) -> None:
    """Stand for a mail, a chat, a pager."""
    print(f"[{alert.severity}] {alert.status}: {alert.title}")


async def main(url: str = "") -> list[Alert]:
    """Run the whole flow; gives the alerts that were raised."""
    work = Work()
    config = {**CONFIG, "alerting": {**CONFIG["alerting"], "url": url}}
    monitor = HealthMonitor(config, performance=work.performance)
    monitor.register_check("cache", work.check_cache, critical=False)
    alert_manager = AlertManager(config)
    alert_manager.add_channel("operators", tell_operators)
    alert_manager.add_rule(AlertRule("Not healthy", "health_status < 1", "warning", ["operators"]))

    work.serve(requests=40, failing=4)
    work.cache_is_there = False

    # what is wrong with its parts?
    metrics = await monitor.get_health_metrics()
    alert = alert_manager.check_metrics(metrics)
    if alert is not None:
        await alert_manager.process_alert(alert)

    # and with what it does?
    performance = await monitor.get_performance_metrics()
    alert = alert_manager.check_metrics(performance)
    if alert is not None:
        await alert_manager.process_alert(alert)

    # all monitors at once, with a report that says what to do
    work.cache_is_there = True
    system = SystemMonitor(config, alerts=alert_manager)
    system.register("health", monitor.get_health_metrics)
    system.register("performance", work.performance.monitor_performance)
    report = await system.monitor_system()
    print(f"status: {report.status}")
    for advice in report.recommendations:
        print(f"  {advice.title}: {advice.action}")
    await alert_manager.close()
    return alert_manager.alerts()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="a server that shall have the alerts too")
    asyncio.run(main(parser.parse_args().url))
