INSERT INTO keys (key, issue, version, inputs, first_ns, last_ns, first_release, last_release)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
