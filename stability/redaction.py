"""What must not be shown or stored: the password in a database's URL."""

from __future__ import annotations

import re


def without_password(text: str) -> str:
    """`text` with the password of every URL in it as ***: `postgresql+psycopg://user:***@host/database`."""
    return re.sub(r"(://[^:/@\s]+:)[^@/\s]*@", r"\1***@", text)
