"""Charts of messages: SVG, and PNG made of it, which every program for mail shows."""
