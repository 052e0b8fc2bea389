"""A step that trains in another thread is followed there, or refused: silence is no health."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import pytest
import torch
from torch import nn
from trace_lines import here

from stability.numerics.trace import current_tracer, trace
from stability.records import Phase, UserError


def breaks():
    layer = nn.Linear(3, 3)
    (layer(torch.ones(2, 3)) * 0).log().sum().backward()  # here


def in_new_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def in_thread_of_its_own_kind(work):
    class Worker(threading.Thread):
        def run(self):
            work()

    worker = Worker()
    worker.start()
    worker.join()


@pytest.mark.parametrize("run", [in_new_thread, in_thread_of_its_own_kind])
def test_a_step_in_a_thread_that_it_starts(run):
    found = trace(lambda: run(breaks))
    assert (found.phase, found.op, found.line) == (Phase.FORWARD, "aten.log.default", here(breaks)[1])


def test_a_step_in_an_executor_that_was_at_work_before():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        found = trace(lambda: pool.submit(breaks).result())
        assert pool.submit(current_tracer).result() is None
    assert (found.op, found.line) == ("aten.log.default", here(breaks)[1])


def test_a_healthy_step_in_another_thread():
    layer = nn.Linear(3, 3)
    assert trace(lambda: in_new_thread(lambda: layer(torch.ones(2, 3)).sum().backward())) is None


def test_a_step_in_a_thread_that_cannot_be_seen_is_refused():
    with ThreadPool(1) as pool:
        pool.apply(int)
        with pytest.raises(UserError) as refused:
            trace(lambda: pool.apply(breaks))
    assert str(refused.value).startswith(
        "stability.trace cannot answer: the step ran modules or optimizers in thread 'Thread-"
    )
    assert str(refused.value).endswith(
        "which was at work before; run the training step in the thread that calls stability.trace, or start "
        "its thread inside the step"
    )


def test_a_step_without_modules_in_a_thread_that_cannot_be_seen_is_refused():
    weight = torch.zeros(3, requires_grad=True)
    with ThreadPool(1) as pool:
        pool.apply(int)
        with pytest.raises(UserError, match="ran no operation of torch in a thread that can be seen"):
            trace(lambda: pool.apply(lambda: weight.log().sum().backward()))


def test_other_threads_that_train_something_else_do_not_matter():
    layer, other, x = nn.Linear(3, 3), nn.Linear(3, 3), torch.ones(2, 3)
    with ThreadPool(1) as pool:
        pool.apply(int)

        def step():
            pool.apply(lambda: other(x).sum().backward())
            layer(x).sum().backward()

        assert trace(step) is None


def test_threads_are_as_they_were_afterwards():
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit
    trace(breaks)
    assert (threading.Thread.start, ThreadPoolExecutor.submit) == (start, submit)
    assert not torch.nn.modules.module._global_forward_pre_hooks


def test_a_thread_that_outlives_the_step_works_on():
    begin, results = threading.Event(), []

    def work():
        begin.wait()
        results.append(torch.ones(3).log())

    def step():
        thread.start()
        torch.ones(3).sum()

    thread = threading.Thread(target=work, daemon=True)
    assert trace(step) is None
    begin.set()
    thread.join()
    assert torch.equal(results[0], torch.zeros(3))
