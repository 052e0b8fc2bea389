"""A browser for the tests that need one."""

from __future__ import annotations

import pytest


@pytest.fixture
def browser(tmp_path):
    """Opens Chromium on an address, with further arguments; every one is closed at the end."""
    from browsing import Browser  # here: without selenium, the other tests still run

    opened = []

    def start(address, *arguments):
        opened.append(Browser(address, tmp_path, *arguments))
        return opened[-1]

    yield start
    for each in opened:
        each.driver.quit()
