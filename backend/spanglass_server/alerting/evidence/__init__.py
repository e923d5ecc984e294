"""What explains an alert, gathered when it fires: figures, what sets the bad apart, examples, changes, the past."""
