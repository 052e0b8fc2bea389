"""Headless Chromium on our pages: what a person sees there, light and dark. Needs selenium and both programs."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from pathlib import Path
from wsgiref.simple_server import make_server

import optuna_dashboard
import pytest

from stability.dashboard import enrich
from stability.dashboard.pictures import Artifacts
from stability.dashboard.server import Quiet, Server, with_reports

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.chrome.service import Service  # noqa: E402

PROGRAMS = [shutil.which(name) for name in ("chromium", "chromedriver")]
NEEDS_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(None in PROGRAMS, reason="needs chromium and chromedriver (Debian's packages)"),
]
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--window-size=1300,2600"),
)
DARK = "--blink-settings=preferredColorScheme=0"


@contextlib.contextmanager
def dashboard(store, lang):
    """The address of a dashboard that serves until the block ends."""
    storage = store.optuna_storage()
    enrich(store, storage, lang)
    application = optuna_dashboard.wsgi(storage, artifact_store=Artifacts(store, lang, None))
    with make_server("127.0.0.1", 0, with_reports(application, store), Server, Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Browser:
    """What a person sees: the words on a page, and its pictures."""

    def __init__(self, address: str, folder: Path, *arguments: str) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = PROGRAMS[0]
        for argument in (*ARGUMENTS, *arguments):
            options.add_argument(argument)
        self.driver = webdriver.Chrome(options=options, service=Service(PROGRAMS[1]))
        self.address, self.folder = address, folder

    def prefer(self, theme: str) -> None:
        """Ask pages for their `light` or `dark` theme from now on."""
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, path: str) -> None:
        self.driver.get(self.address + path)

    def sees(self, *texts: str) -> str:
        """Waits until all `texts` are on the page; returns its words."""
        seen = ""
        for _ in range(400):
            seen = self._words()
            if all(text in seen for text in texts):
                return seen
            time.sleep(0.5)
        raise AssertionError(f"{[text for text in texts if text not in seen]} are not on the page:\n{seen}")

    def _words(self) -> str:
        drawn = "[...document.querySelectorAll('svg text')].map(text => text.textContent).join(' ')"
        words = self.driver.execute_script(f"return document.body.innerText + ' ' + {drawn}")
        return words.translate(dict.fromkeys(range(0x2066, 0x206A)))  # isolates, which nobody sees

    def background(self) -> str:
        return self.driver.execute_script("return getComputedStyle(document.body).backgroundColor")

    def shot(self, name: str) -> Path:
        path = self.folder / f"{name}.png"
        self.driver.save_screenshot(str(path))
        return path
