"""Who a process is, so that another process can tell later whether it still runs. Linux only.

A process number is used again; together with the moment it started (in ticks since the machine booted), the
boot and the namespace it counts in, it is not.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from pathlib import Path


def identity(pid: int | None = None) -> str | None:
    """The identity of a living process, of this one without `pid`; None where the system cannot tell."""
    pid = os.getpid() if pid is None else pid
    started = _started(pid)
    return None if started is None else f"{_machine()} {pid} {started}"


def is_alive(known: str | None) -> bool | None:
    """Whether the process with this identity still runs; None for another machine's, or no identity."""
    parts = (known or "").split()
    if len(parts) != 3 or not (parts[1] + parts[2]).isdecimal():  # a loss of power may have cut it off
        return None
    machine, pid, started = parts
    if machine != _machine():
        return None
    return _started(int(pid)) == int(started)


def end_group(known: str) -> None:
    """Kill the process group that the process with this identity leads, if it still runs here."""
    if is_alive(known):
        with contextlib.suppress(ProcessLookupError):  # it may end at this moment
            os.killpg(int(known.split()[1]), signal.SIGKILL)


def group_memory_bytes(leader: int) -> int:
    """Resident memory of a process group without the pages of files; of a page that is shared, its share."""
    total = 0
    for member in group_members(leader):
        with contextlib.suppress(OSError):  # it may end while it is looked at
            total += _kilobytes(f"/proc/{member}/smaps_rollup", "Pss_Anon", "Pss_Shmem") * 1024
    return total


_forgotten = {"ended_kb": 0}
"""What the kernel cannot forget: the most memory of a child that has ended."""


def forget_peak_memory() -> None:
    """Let `peak_memory_bytes` count from now on, where the system allows it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    _forgotten["ended_kb"] = _largest_ended_kb()


def peak_memory_bytes() -> int:
    """The most memory that this process had resident since `forget_peak_memory`.

    What it started and has ended counts too, if it had more than all that ended before.
    """
    started = _largest_ended_kb()
    own = _kilobytes("/proc/self/status", "VmHWM")
    return max(own, started if started > _forgotten["ended_kb"] else 0) * 1024


def _largest_ended_kb() -> int:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def group_members(leader: int) -> list[int]:
    """The process numbers in a group."""
    members = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it may end while it is looked at
                if os.getpgid(int(folder.name)) == leader:
                    members.append(int(folder.name))
    return members


def descendants(pid: int) -> list[int]:
    """What this process started and still runs, and what that started; not what outlived its parent."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it may end while it is looked at
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(folder.name))
    found, looked_at = [], [pid]
    while looked_at:
        children = parents.get(looked_at.pop(), [])
        found += children
        looked_at += children
    return found


def cpu_s() -> float:
    """CPU-seconds of this process, and of all it started that have ended."""
    started = os.times()
    return time.process_time() + started.children_user + started.children_system


def oom_kills() -> int:
    """How many processes the kernel has killed here for lack of memory; 0 where it does not say."""
    try:
        counters = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    except OSError:
        return 0
    return int(counters.get("oom_kill", 0))


def _kilobytes(path: str, *names: str) -> int:
    """The sum of the lines `NAME: 123 kB` with these names in a file of the kernel."""
    lines = (line.partition(":") for line in Path(path).read_text().splitlines())
    return sum(int(value.split()[0]) for name, _, value in lines if name in names)


def _machine() -> str:
    """This boot of this machine, and the namespace in which process numbers count."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return "unknown"


def _started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None for one that is gone or a zombie."""
    try:
        # The name in parentheses may hold anything; state is the first field behind it, the start the 20th.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])
