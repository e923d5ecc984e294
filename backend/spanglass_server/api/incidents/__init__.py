"""The routes about incidents, below ``/api/monitoring``."""
