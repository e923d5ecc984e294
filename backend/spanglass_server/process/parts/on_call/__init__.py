"""What tells people of trouble: alert rules, alerts, incidents, notifications."""
