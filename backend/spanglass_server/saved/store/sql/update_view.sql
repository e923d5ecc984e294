UPDATE views
SET name = :name, url = :url, page = :page, owner = :owner, shared = :shared, pinned = :pinned,
    is_default = :is_default, changed_ns = :now_ns
WHERE id = :id
