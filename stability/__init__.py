"""Finds out which hyperparameters make a training run diverge, why, and how far a recipe is from the edge."""

from stability.records import BEFORE_TRAINING, Recorder, StopTrial, TrialSpec, UserError

__all__ = ["BEFORE_TRAINING", "Recorder", "StopTrial", "TrialSpec", "UserError"]
__version__ = "0.1.0"
