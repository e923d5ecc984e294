"""Pages of trends, capacity and forecasts."""
