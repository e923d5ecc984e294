"""What an alert is about is linked."""

from __future__ import annotations

from types import SimpleNamespace

from made_alerts import made

from spanglass_server.api.alerting.shown import alert_json
from spanglass_server.pages.alerts import reading
from spanglass_server.pages.rendering.assets import load_assets
from spanglass_server.pages.rendering.templates import make_environment

VISIT = SimpleNamespace(
    to_alert=lambda alert: f"/alerts/{alert}",
    to_rule=lambda rule: f"/rules/{rule}",
    to_service=lambda service: f"/services/{service}",
)


def shown(**labels):
    """Return an alert with labels as its page shows it, and what the page says of where it is."""
    labels = {"service_name": "shop", **labels}
    alert = reading.alert(alert_json(made(labels=labels, key=tuple(labels.items()))), VISIT)
    macros = make_environment(load_assets(), "1").get_template("alerts/macros.html").module
    return alert, str(macros.where(alert))


def test_an_alert_of_a_health_check_links_its_page():
    """The check of the server is linked by its uid, which is told nowhere else; one of an application has no page."""
    alert, html = shown(spanglass_health_check_uid="a/b", spanglass_health_check_name="<Backup>")
    assert alert["where"][1:] == [("health check", "<Backup>", "/health/checks/a%2Fb")]
    assert '<a href="/health/checks/a%2Fb"><span class="vh">health check </span>' in html
    assert ("&lt;Backup&gt;</a>" in html, "check_uid" in html) == (True, False)

    alert, html = shown(spanglass_health_check_name="db")
    assert [kind for kind, _, _ in alert["where"]] == ["service"]
    assert "spanglass_health_check_name=db" in html
