"""What observing uses of torch that is private: a version of torch that moves it fails here, by name."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch.nn.utils import clip_grad
from torch.optim.optimizer import Optimizer

MOVED = f"torch {torch.__version__} has moved it: mend stability/observing/torch_hooks.py"


@pytest.mark.parametrize(
    ("owner", "name", "arguments"),
    [
        (torch.autograd, "_make_grads", ["outputs", "grads", "is_grads_batched"]),
        (clip_grad, "_clip_grads_with_norm_", ["parameters", "max_norm", "total_norm", "foreach"]),
        (Optimizer, "add_param_group", ["self", "param_group"]),
        (torch.amp.GradScaler, "scale", ["self", "outputs"]),
        (torch.amp.GradScaler, "update", ["self", "new_scale"]),
    ],
)
def test_a_function_that_is_listened_to_takes_what_it_took(owner, name, arguments):
    assert list(inspect.signature(getattr(owner, name)).parameters) == arguments, MOVED


@pytest.mark.parametrize("name", ["_current_graph_task_id", "_DisableTorchDispatch"])
def test_a_name_of_the_engine_is_there(name):
    assert hasattr(torch._C, name), MOVED


def test_backward_and_grad_ask_for_their_first_gradients(monkeypatch):
    asked = []
    original = torch.autograd._make_grads

    def told(outputs, *args, **kwargs):
        asked.append(inspect.currentframe().f_back.f_code.co_name)
        return original(outputs, *args, **kwargs)

    monkeypatch.setattr(torch.autograd, "_make_grads", told)
    x = torch.ones(2, requires_grad=True)
    x.sum().backward()
    torch.autograd.grad(x.sum(), x)
    assert asked == ["backward", "grad"], MOVED


def test_clipping_by_norm_goes_through_the_function_that_is_listened_to(monkeypatch):
    norms = []
    monkeypatch.setattr(clip_grad, "_clip_grads_with_norm_", lambda parameters, limit, norm, foreach: norms.append(norm))
    x = torch.ones(4, requires_grad=True)
    x.sum().backward()
    torch.nn.utils.clip_grad_norm_([x], 1.0)
    assert [float(norm) for norm in norms] == [2.0], MOVED


def test_nodes_are_numbered_by_thread():
    before = torch.autograd._get_sequence_nr()
    torch.ones(1, requires_grad=True) * 2
    assert torch.autograd._get_sequence_nr() > before, MOVED
