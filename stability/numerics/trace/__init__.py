"""Which operation of one training step made the first value that is not finite: `trace`, and `Tracer`.

Rooms: `step` runs a step, `tracer` switches tracing on and off and answers, `observer` sees every operation,
`operations` knows what kinds of operations there are, `lineage` remembers where each non-finite value came
from, `batch` which element of the batch it belongs to, `frames` which line and module ran, `endings` what
was not finite at the end. Nothing here changes a number of the step.
"""

from stability.numerics.trace.step import trace
from stability.numerics.trace.tracer import Tracer, current_tracer

__all__ = ["Tracer", "current_tracer", "trace"]
