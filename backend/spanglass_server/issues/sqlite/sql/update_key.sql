UPDATE keys SET version = ?, inputs = ?, first_ns = ?, first_release = ?, last_ns = ?, last_release = ? WHERE key = ?
