"""Results -> a report in Markdown, HTML or JSON, in English or Persian. Draws and words; decides nothing."""

from stability.report.plots import shown_failure
from stability.report.twin import build
from stability.report.write import write

__all__ = ["build", "shown_failure", "write"]
