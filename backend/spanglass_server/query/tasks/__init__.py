"""Background tasks and queues: throughput, failures, times, lengths, told by spans and metrics."""
