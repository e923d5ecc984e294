"""Named measures: what people call a figure, and the PromQL that computes it from whatever senders send."""
