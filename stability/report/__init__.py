"""Results -> a report in Markdown, HTML or JSON, in English or Persian. Draws and words; decides nothing."""

from stability.report.twin import build
from stability.report.write import page, write

__all__ = ["build", "page", "write"]
