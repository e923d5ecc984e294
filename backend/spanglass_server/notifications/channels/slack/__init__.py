"""Slack: a webhook, or a bot that updates its messages and answers in their thread."""
