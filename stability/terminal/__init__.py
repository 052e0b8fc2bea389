"""What a person reads in the terminal: status, a trial, why it broke, how it is judged; or JSON, or CSV."""

from stability.terminal.rows import print_rows, verdict_text
from stability.terminal.status import closing, imported, print_status, status_rows
from stability.terminal.trial import (
    explain_each_kind,
    find_trial,
    print_explanation,
    print_rejudged,
    print_trial,
)

__all__ = [
    "closing",
    "explain_each_kind",
    "find_trial",
    "imported",
    "print_explanation",
    "print_rejudged",
    "print_rows",
    "print_status",
    "print_trial",
    "status_rows",
    "verdict_text",
]
