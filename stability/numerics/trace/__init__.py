"""Which operation of one training step made the first value that is not finite: `trace`, and `Tracer`.

Rooms: `step` runs a step; `tracer` switches tracing on and off and answers; `observer` sees every operation,
whose kinds `operations` and `sentinels` know; `moments` and `frames` tell when and where it runs, for which
of the `participants`. `lineage` remembers where every non-finite entry of the `memory` came from, by `flow`
and `labelling`; `batch`, `owners`, `carrying` and `collation` follow the batch; `endings`, `kept` and
`components` look at what is left. `threads` follows the step into other threads, `settings` names numbers
that the program gave, `overflow` tells what a gradient scaler mends. Nothing here changes a number of the
step.
"""

from stability.numerics.trace.step import trace
from stability.numerics.trace.tracer import Tracer, current_tracer

__all__ = ["Tracer", "current_tracer", "trace"]
