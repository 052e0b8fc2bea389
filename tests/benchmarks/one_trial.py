"""Trains one trial in this process and writes what `stability run` writes of it, with no study around it.

python tests/benchmarks/one_trial.py TRIALS.pickle NUMBER
"""

from __future__ import annotations

import pickle
import sys
import time
from pathlib import Path

import torch

from stability import trainers, trialdir
from stability.judging.policy import Policy
from stability.recorder import TrialRecorder
from stability.records import StopTrial, TrialSpec


def train(trial: TrialSpec) -> float:
    """CPU-seconds of the training with its recording, on one thread."""
    torch.set_num_threads(1)
    trialdir.create(trial)
    call = trainers.load(trial.trainer)
    recorder = TrialRecorder(trial, Policy())
    start_s = time.process_time()
    try:
        call(trial, recorder)
    except StopTrial:
        pass
    finally:
        recorder.close()
    return time.process_time() - start_s


if __name__ == "__main__":
    train(pickle.loads(Path(sys.argv[1]).read_bytes())[int(sys.argv[2])])
