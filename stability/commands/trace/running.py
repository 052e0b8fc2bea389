"""Runs the program: its input, output and end are its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence

from stability.observing import launch
from stability.observing.launch import Observation
from stability.records import UserError

BY_SIGNAL = 128
"""A shell's exit status of a program that a signal ended is this and the signal's number."""


def run(command: Sequence[str], observation: Observation) -> int:
    """Run `command` to its end and return its exit status, as a shell would see it."""
    environment = launch.environment(os.environ, observation)
    try:
        program = subprocess.Popen(list(command), env=environment)
    except OSError as error:
        raise UserError(
            f"cannot start {command[0]!r}: {error.strerror}; give the program after `--`"
        ) from None
    with _passing_signals_to(program):
        status = program.wait()
    return status if status >= 0 else BY_SIGNAL - status


@contextlib.contextmanager
def _passing_signals_to(program: subprocess.Popen) -> Iterator[None]:
    """Ctrl-C reaches the program by itself; other requests to end are handed on to it."""

    def hand_on(number: int, _: object) -> None:
        program.send_signal(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, hand_on)
    signal.signal(signal.SIGHUP, hand_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
