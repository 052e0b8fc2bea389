"""The store in optuna-dashboard, ready to read: headline, diagnoses, plots, pictures and the report.

Reads what was decided, never decides.
"""

from stability.dashboard.enriched import enrich
from stability.dashboard.server import serve

__all__ = ["enrich", "serve"]
