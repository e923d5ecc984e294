"""Native and classic histograms as operands and arguments of PromQL expressions."""
