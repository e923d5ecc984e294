INSERT INTO views (name, url, page, owner, shared, pinned, is_default, created_ns, changed_ns)
VALUES (:name, :url, :page, :owner, :shared, :pinned, :is_default, :now_ns, :now_ns)
RETURNING id
