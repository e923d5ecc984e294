"""The pages of error tracking: issues, one issue, releases."""
