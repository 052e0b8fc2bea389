"""A process is known by more than its number, and its group by what it holds."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from stability import processes

HOLDS = (
    "import os, time; held = os.urandom(60_000_000); os.fork(); print('ready', flush=True); time.sleep(600)"
)


@pytest.fixture
def leader():
    made = subprocess.Popen(
        [sys.executable, "-c", HOLDS], start_new_session=True, stdout=subprocess.PIPE, text=True
    )
    made.stdout.readline()
    made.stdout.readline()
    yield made
    with contextlib.suppress(ProcessLookupError):  # a test may have ended it
        os.killpg(made.pid, signal.SIGKILL)
    made.wait()
    made.stdout.close()


def test_a_process_is_alive_until_it_ended(leader):
    known = processes.identity(leader.pid)
    assert processes.is_alive(known) is True
    leader.kill()
    time.sleep(0.2)  # a zombie until its parent asks
    assert processes.is_alive(known) is False and processes.identity(leader.pid) is None
    leader.wait()
    assert processes.is_alive(known) is False


def test_a_number_that_is_used_again_is_another_process(leader):
    machine, pid, started = processes.identity(leader.pid).split()
    before = f"{machine} {pid} {int(started) - 1}"
    assert processes.is_alive(before) is False
    processes.end_group(before)
    assert leader.poll() is None


def test_nobody_knows_of_processes_of_another_machine(leader):
    _, pid, started = processes.identity(leader.pid).split()
    elsewhere = f"otherboot/1 {pid} {started}"
    assert processes.is_alive(elsewhere) is None and processes.is_alive(None) is None
    processes.end_group(elsewhere)
    assert leader.poll() is None


def test_a_group_is_measured_and_ended_whole(leader):
    members = processes.group_members(leader.pid)
    assert leader.pid in members and len(members) == 2
    assert 60e6 < processes.group_memory_bytes(leader.pid) < 400e6
    processes.end_group(processes.identity(leader.pid))
    leader.wait(timeout=60)
    deadline_s = time.monotonic() + 60
    while processes.group_members(leader.pid) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert processes.group_members(leader.pid) == []


@pytest.mark.parametrize("left", ["", "boot/1 12", "boot/1 twelve 13", "\x00\x00\x00", "a b c d"])
def test_an_identity_that_was_cut_off_is_nobody(left):
    assert processes.is_alive(left) is None
    processes.end_group(left)


def test_the_peak_of_memory_can_be_forgotten():
    held = os.urandom(200_000_000)
    before = processes.peak_memory_bytes()
    del held
    processes.forget_peak_memory()
    assert before - processes.peak_memory_bytes() > 150e6
