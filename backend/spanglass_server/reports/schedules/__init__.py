"""Reports that are made at times of crontab, and told of over channels."""
