"""How far from the edge: where along one parameter trials start to diverge, given the other parameters.

Outcomes in, places out: numpy and scipy only, nothing of databases, of Optuna or of torch.
"""

from stability.evidence.boundary.located import Boundary, Place, Reading, locate
from stability.evidence.boundary.space import Space

__all__ = ["Boundary", "Place", "Reading", "Space", "locate"]
