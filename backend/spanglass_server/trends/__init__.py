"""What is watched in the background: where measures of hosts, processes, queues and operations are going."""
