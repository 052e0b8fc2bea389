"""The one place where the benchmark asks the tool for its verdict on a case."""

from __future__ import annotations

from cases import YARDSTICK, Case, Form

from stability.judging.monitor import Monitor
from stability.judging.policy import Policy
from stability.judging.verdict import judge
from stability.records import Ending, Evaluation, Event, Outcome, Records, Severity, Step, Verdict


def judge_case(case: Case, form: Form) -> tuple[Verdict, int | None]:
    """The verdict, and the step from 0 at which the training was ended early, None if it was not.

    The first event that says LOST ends it, as it ends a trial. An evaluation counts as its last step, and one
    before training as step 0. Where no evaluation is shown there is no yardstick either.
    """
    policy = Policy()
    weights = YARDSTICK if form is Form.EVALUATED and case.evaluations else {}
    monitor = Monitor(weights, policy)
    steps: list[Step] = []
    evaluations: list[Evaluation] = []
    events: list[Event] = []
    for record in case.timeline(form):
        if isinstance(record, Step):
            steps.append(record)
            events += monitor.step(record)
            at = record.step
        else:
            evaluations.append(record)
            events += monitor.evaluation(record)
            at = max(0, record.step - 1)
        if any(event.severity is Severity.LOST for event in events):
            records = Records(tuple(steps), tuple(evaluations), tuple(events))
            return judge(records, Ending(Outcome.STOPPED), weights, policy), at
    events += monitor.finish()
    records = Records(tuple(steps), tuple(evaluations), tuple(events))
    return judge(records, Ending(Outcome.FINISHED), weights, policy), None
