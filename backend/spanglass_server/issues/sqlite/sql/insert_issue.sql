INSERT INTO issues (number, id, service, is_overflow, described_ns, title, type, message, culprit)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
