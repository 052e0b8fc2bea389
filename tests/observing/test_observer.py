"""An observed program is the same program: its numbers, output, files, errors and end."""

from __future__ import annotations

import json
import textwrap

import pytest

from stability.observing import findings

LOOP = """
import hashlib, random, sys
import torch
from torch import nn

torch.manual_seed(0)
random.seed(1)
model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.BatchNorm1d(16), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), 1e-2)
for step in range(12):
    loss = model(torch.randn(8, 8) * (1 + random.random())).square().mean()
    {inside}
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
{after}
weights = b"".join(tensor.detach().numpy().tobytes() for tensor in model.state_dict().values())
print(hashlib.sha256(weights).hexdigest(), random.random(), torch.rand(()).item())
"""


@pytest.fixture
def program(tmp_path):
    """Writes the loop with some lines of its own."""

    def write(inside: str = "pass", after: str = "") -> str:
        path = tmp_path / "train.py"
        inside = textwrap.indent(textwrap.dedent(inside).strip(), "    ").strip()
        path.write_text(LOOP.format(inside=inside, after=textwrap.dedent(after)))
        return path

    return write


def test_weights_and_random_numbers_are_the_same_to_the_last_bit(warm, program):
    path = program()
    assert warm.trace(path, every=3)["printed"] == warm.run(path)[1]


def test_a_program_that_breaks_goes_on_as_it_would_have(warm, program):
    path = program("loss = loss / (step != 7)")
    found = warm.trace(path, every=3)
    assert (found["printed"], found["status"]) == warm.run(path)[::-1]
    assert (found["step"], found["op"], found["how"], found["reproduced"]) == (7, "aten.div.Tensor", "fork", True)


def test_an_error_keeps_its_traceback_and_status(warm, program):
    path = program("if step == 5: raise ValueError('no more data')")
    found = warm.trace(path)
    assert (found["printed"], found["status"]) == warm.run(path)[::-1]
    assert found["broke"] is False and found["steps"] == 5


def test_an_error_in_the_backward_pass_shows_no_frame_of_ours(warm, program):
    path = program("loss.register_hook(lambda gradient: 1 / 0)")
    found = warm.trace(path)
    assert (found["printed"], found["status"]) == warm.run(path)[::-1]


def test_an_exit_status_is_the_programs_own(warm, program):
    found = warm.trace(program(after="sys.exit(3)"))
    assert (found["status"], found["broke"], found["steps"]) == (3, False, 12)


def test_a_copy_leaves_no_mark(warm, program, tmp_path):
    """It runs the same lines again, which write, append, move and delete files."""
    written, log, moved = tmp_path / "weights.pt", tmp_path / "log.txt", tmp_path / "last.txt"
    inside = f"""
        import os, pathlib
        log = open({str(log)!r}, "a") if step == 0 else log
        log.write(str(step) + "\\n"); log.flush()
        pathlib.Path({str(moved)!r} + ".new").write_text(str(step))
        os.replace({str(moved)!r} + ".new", {str(moved)!r})
        torch.save(step, {str(written)!r})
        (pathlib.Path({str(tmp_path)!r}) / f"folder-{{len(list(pathlib.Path({str(tmp_path)!r}).iterdir()))}}").mkdir()
        loss = loss / (step != 6)
    """
    found = warm.trace(program(inside), every=4)
    assert (found["step"], found["op"]) == (6, "aten.div.Tensor")
    assert log.read_text().split() == [str(step) for step in range(12)]
    assert moved.read_text() == "11"
    assert len(list(tmp_path.glob("folder-*"))) == 12


def test_a_file_that_is_being_read_is_read_on_by_the_program_alone(warm, program, tmp_path):
    data = tmp_path / "data.txt"
    data.write_text("".join(f"{number}\n" for number in range(100_000)))
    inside = f"""
        data = open({str(data)!r}) if step == 0 else data
        read = data.read(9_000)
        loss = loss * (1 + len(read)) / (step != 5)
        print(hash(read[:40]) if False else read[:12].split())
    """
    path = program(inside)
    found = warm.trace(path, every=2)
    assert found["step"] == 5
    assert found["printed"] == warm.run(path)[1]


def test_every_step_is_recorded_as_the_program_trained(warm, program):
    inside = """
        if step == 4: optimizer.param_groups[0]["lr"] = 0.5
        kept = [] if step == 0 else kept
        kept.append(loss.item())
    """
    found = warm.trace(program(inside, after="print(kept)"))
    [process] = findings.processes(found["folder"])
    steps = findings.steps(found["folder"], process.pid)
    assert [step.total for step in steps] == json.loads(found["printed"].splitlines()[0])
    assert [step.lr for step in steps] == [0.01] * 4 + [0.5] * 8
    assert max(step.grad_norm for step in steps) > 1.0  # before clipping to 1


def test_a_copy_is_not_made_while_workers_run(warm, program):
    inside = """
        import multiprocessing, time
        if step == 0:
            worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,), daemon=True)
            worker.start()
        loss = loss / (step != 3)
    """
    found = warm.trace(program(inside), every=1)
    assert (found["step"], found["op"], found["notes"]) == (3, "aten.div.Tensor", ["not copied: worker processes run beside it"])


def test_an_explosion_without_a_bad_number_is_told(warm, tmp_path):
    path = tmp_path / "explodes.py"
    path.write_text(
        textwrap.dedent("""
        import torch
        from torch import nn

        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
        optimizer = torch.optim.SGD(model[1].parameters(), 0.01)
        x = torch.randn(32, 4)
        for step in range(120):
            if step == 60:
                optimizer.param_groups[0]["lr"] = 30.0
            if step == 68:
                optimizer.param_groups[0]["lr"] = 0.0
            loss = (model(x) - 1).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        """)
    )
    found = warm.trace(path)
    assert (found["broke"], found["kind"], found["module"]) == (True, "explosion", "1")
    assert 60 <= found["step"] <= 62
