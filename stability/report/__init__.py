"""Results -> a report in Markdown, HTML or JSON, in English or Persian. Draws and words; decides nothing."""

from stability.report.twin import build
from stability.report.write import page, write, write_twin

__all__ = ["build", "page", "write", "write_twin"]
