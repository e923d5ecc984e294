"""The routes about trends, capacity and forecasts."""
