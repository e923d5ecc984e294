"""Alert rules: where they come from, what they evaluate to, the alerts they raise, and what is known about those."""
