"""Count 3 in the parent, fork, and count 2 in the child, by OpenTelemetry's own API."""

import os
import sys

from opentelemetry import metrics

done = metrics.get_meter("work").create_counter("work.done")
done.add(3)
child = os.fork()
if child == 0:
    done.add(2)
    sys.exit()
os.waitpid(child, 0)
