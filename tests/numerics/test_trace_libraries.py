"""What breaks inside an installed library is put to the user's line that called it, and to the place within."""

from __future__ import annotations

import importlib.util
import sysconfig

import pytest
import torch
from torch import nn
from trace_lines import here

from stability.numerics.trace import frames, trace
from stability.records import Phase

LIBRARY = """
import torch

def log_energy(x):
    return torch.log(x.square().sum(-1))

class Halved(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x / 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient / (0 * gradient)
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A module of a package that was installed into a folder of its own."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "helper.py").write_text(LIBRARY)
    monkeypatch.setattr(frames, "INSTALLED", (str(folder) + "/",))
    spec = importlib.util.spec_from_file_location("helper", folder / "helper.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_forward_operation_in_a_library(library):
    layer = nn.Linear(3, 3)

    def step():
        library.log_energy(layer(torch.ones(2, 3)) * 0).sum().backward()  # here

    found = trace(step)
    assert (found.phase, found.op, (found.file, found.line)) == (Phase.FORWARD, "aten.log.default", here(step))
    assert (found.library_file, found.library_line) == (library.__file__, 5)


def test_a_slope_of_a_library(library):
    layer = nn.Linear(3, 3)

    def step():
        gate = torch.full((2, 1), 1e-20)
        loss = library.log_energy(layer(torch.ones(2, 3)) * gate)  # here
        torch.where(loss.isfinite(), loss, 0.0).sum().backward()

    found = trace(step)
    assert (found.phase, (found.file, found.line)) == (Phase.BACKWARD, here(step))
    assert (found.library_file, found.library_line) == (library.__file__, 5)


def test_a_backward_written_in_a_library(library):
    layer = nn.Linear(3, 3)

    def step():
        halved = library.Halved.apply(layer(torch.ones(2, 3)))  # here
        (halved * 0).sum().backward()

    found = trace(step)
    assert (found.phase, found.op, (found.file, found.line)) == (Phase.BACKWARD, "aten.div.Tensor", here(step))
    assert (found.library_file, found.library_line) == (library.__file__, 14)


def test_the_users_own_line_has_no_library(library):
    layer = nn.Linear(3, 3)
    found = trace(lambda: (layer(torch.ones(2, 3)) * 0).log().sum().backward())
    assert (found.file, found.library_file, found.library_line) == (__file__, None, None)


def test_the_line_is_a_scripts_own_where_a_console_command_started_it():
    assert not frames.is_user_file(sysconfig.get_path("scripts") + "/torchrun")
