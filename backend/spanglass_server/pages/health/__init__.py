"""Pages about health: components, checks, their history; and the status page that anybody may see."""
