"""The pages of alerting: alerts, one alert, rules, one rule, and the form that writes one."""
