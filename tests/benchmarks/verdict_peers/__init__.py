"""What people watch trainings with today, re-implemented from their sources: one file each, one interface."""

from __future__ import annotations

from .autotrainer import AutoTrainer, AutoTrainerWithAccuracy
from .keras_terminate_on_nan import TerminateOnNaN
from .kill_loss_spike import KillLossSpike
from .lightning_early_stopping import EarlyStopping
from .lightning_spike_detection import SpikeDetection
from .peer import Peer
from .z_score import ZScore

__all__ = ["PEERS", "Peer"]

PEERS: tuple[Peer, ...] = (
    TerminateOnNaN(),
    EarlyStopping(),
    SpikeDetection(),
    AutoTrainer(),
    AutoTrainerWithAccuracy(),
    ZScore(),
    KillLossSpike(),
)
