"""Passwords stay out of what is shown and stored."""

import pytest

from stability import environment
from stability.records import UserError
from stability.redaction import without_password
from stability.store import Store


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql+psycopg://me:secret@host:5432/db", "postgresql+psycopg://me:***@host:5432/db"),
        ("stability run s.yaml --storage postgresql://a:b@h/d --jobs 2", "stability run s.yaml --storage postgresql://a:***@h/d --jobs 2"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("sqlite:////tmp/a:b@c.db", "sqlite:////tmp/a:b@c.db"),
    ],
)  # fmt: skip
def test_the_password_alone_is_left_out(text, shown):
    assert without_password(text) == shown


def test_neither_errors_nor_the_stored_command_hold_a_password(monkeypatch):
    url = "postgresql+nosuchdriver://me:secret@127.0.0.1:1/db"
    with pytest.raises(UserError, match=r"me:\*\*\*@127.0.0.1:1/db.*pip install \"stability\[postgresql\]\""):
        Store(url)
    monkeypatch.setattr("sys.argv", ["stability", "run", "s.yaml", "--storage", url])
    assert "secret" not in environment.capture("cpu")["command"]
