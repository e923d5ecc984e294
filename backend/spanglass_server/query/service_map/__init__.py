"""Who calls whom: services, databases, queues and others as a graph, measured from spans."""
