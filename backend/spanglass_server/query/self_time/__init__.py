"""Where time goes over a range: the self time of spans, folded by the path of calls that leads to them."""
