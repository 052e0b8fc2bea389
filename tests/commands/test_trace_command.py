"""`stability trace`: what it runs, prints and returns."""

from __future__ import annotations

import json
import sys
import textwrap

import pytest
from commanding import in_process_of_its_own, in_this_process

PROGRAM = """
import sys, torch
import marked  # by the sitecustomize that was there before
torch.manual_seed(0)
weight = torch.nn.Parameter(torch.ones(3))
optimizer = torch.optim.SGD([weight], 0.1)
for step in range(6):
    loss = torch.log(weight.sum() * (step != 4))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print("step", step, marked.YES)
sys.exit(7)
"""


def test_a_program_is_traced_beside_another_sitecustomize(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys, types\nsys.modules['marked'] = types.SimpleNamespace(YES='yes')\n")
    (tmp_path / "prog.py").write_text(PROGRAM)
    command = ["trace", "--format", "json", "--", sys.executable, "-m", "prog"]
    paths = ":".join([str(tmp_path), *filter(None, [__import__("os").environ.get("PYTHONPATH")])])
    done = in_process_of_its_own(tmp_path, *command, PYTHONPATH=paths)
    *printed, last = done.stdout.splitlines()
    found = json.loads(last)
    assert (done.returncode, printed, done.stderr) == (7, [f"step {step} yes" for step in range(6)], "")
    assert {name: found[name] for name in ("broke", "kind", "step", "phase", "op", "file", "line", "value", "how")} == {
        "broke": True, "kind": "nonfinite", "step": 4, "phase": "forward", "op": "aten.log.default",
        "file": "prog.py", "line": 8, "value": "-inf", "how": "fork",
    }  # fmt: skip
    assert found["source"] == "loss = torch.log(weight.sum() * (step != 4))"


@pytest.mark.slow
def test_a_second_run_finds_what_no_copy_can(tmp_path):
    """It starts another program, then runs loader workers, and draws numbers that nobody seeded."""
    (tmp_path / "train.py").write_text(
        textwrap.dedent("""
        import random
        import subprocess
        import torch
        from torch.utils.data import DataLoader

        weight = torch.nn.Parameter(torch.ones(3))
        loader = iter(DataLoader(torch.rand(64, 3), batch_size=4, num_workers=1, shuffle=True))
        next(loader)
        subprocess.run(["true"], check=True)
        optimizer = torch.optim.SGD([weight], 0.1)
        bad = random.randrange(3, 6)
        for step, batch in enumerate(loader):
            loss = torch.sqrt((weight * batch).sum() - 1000 * (step == bad))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        open("bad", "w").write(str(bad))
        """)
    )
    done = in_process_of_its_own(tmp_path, "trace", "--format", "json", "--", sys.executable, "train.py")
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["how"], found["op"], found["line"], found["reproduced"]) == ("rerun", "aten.sqrt.default", 14, True)
    assert found["step"] == int((tmp_path / "bad").read_text())


def test_what_is_no_python_is_not_observed_and_says_so(tmp_path):
    done = in_process_of_its_own(tmp_path, "trace", "--", "sh", "-c", "echo hello; exit 4")
    assert (done.returncode, done.stdout) == (4, "hello\n")
    assert done.stderr == (
        "stability: not observed: no Python was started by it that looks into PYTHONPATH (python -I, -E and -S do not)\n"
    )


def test_a_program_without_torch_is_not_observed_and_says_so(tmp_path):
    done = in_process_of_its_own(tmp_path, "trace", "--format", "json", "--", sys.executable, "-c", "print(1)")
    printed, last = done.stdout.splitlines()
    assert (done.returncode, printed) == (0, "1")
    assert json.loads(last)["broke"] is None and json.loads(last)["reason"] == "it imported no torch"


def test_a_program_that_cannot_be_started_is_the_users_error(tmp_path):
    done = in_this_process(tmp_path, "trace", "--", "no-such-program")
    assert done.returncode == 2
    assert done.stderr == "cannot start 'no-such-program': No such file or directory; give the program after `--`\n"


def test_a_folder_with_something_in_it_is_not_written_over(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").write_text("mine")
    done = in_this_process(tmp_path, "trace", "--out", "kept", "--", "true")
    assert (done.returncode, done.stderr) == (2, "kept is there already and not empty; choose another --out\n")
