"""Metrics for a Prometheus to scrape, with prometheus_client; ends after a while, so that its target vanishes."""
import sys, time
from prometheus_client import Counter, Gauge, Histogram, Info, Summary, start_http_server
breads = Counter("bakery_breads", "Breads baked", ["kind"])
oven = Gauge("bakery_oven_celsius", "Temperature of the oven")
took = Histogram("bakery_bake_seconds", "Time to bake", buckets=(0.1, 0.5, 1, 5))
weight = Summary("bakery_bread_weight_grams", "Weight of a bread")
Info("bakery_build", "Version").info({"version": "1.2.3"})
start_http_server(int(sys.argv[1]), "127.0.0.1")
for number in range(int(sys.argv[2])):
    breads.labels("rye" if number % 3 else "spelt").inc()
    oven.set(200 + number / 4)
    took.observe(number % 7 / 5)
    weight.observe(500 + number)
    time.sleep(0.5)
