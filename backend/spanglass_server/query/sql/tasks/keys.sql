-- Some tasks, a list for each part of their keys.
SELECT unnest({services}::VARCHAR[]) AS service, unnest({systems}::VARCHAR[]) AS system, unnest({queues}::VARCHAR[]) AS queue,
    unnest({tasks}::VARCHAR[]) AS task
