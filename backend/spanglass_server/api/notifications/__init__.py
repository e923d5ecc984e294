"""The routes about notifications: settings, silences, what was delivered, escalations, who is on call."""
