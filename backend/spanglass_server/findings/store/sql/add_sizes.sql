INSERT INTO sizes (service, operation, key, hour, n, low, high, x, y, xx, yy, xy, total_ns)
VALUES (:service, :operation, :key, :hour, :n, :low, :high, :x, :y, :xx, :yy, :xy, :total_ns)
ON CONFLICT (service, operation, hour, key) DO UPDATE SET
    n = n + excluded.n, low = min(low, excluded.low), high = max(high, excluded.high), x = x + excluded.x,
    y = y + excluded.y, xx = xx + excluded.xx, yy = yy + excluded.yy, xy = xy + excluded.xy,
    total_ns = total_ns + excluded.total_ns
