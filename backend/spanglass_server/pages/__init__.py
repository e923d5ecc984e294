"""HTML pages: server-rendered, readable without script, asking nothing but the documented HTTP API."""
