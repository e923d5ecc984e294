"""Issues: exceptions that are one error, and what people and releases made of them."""
