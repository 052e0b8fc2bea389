"""A browser walks the dashboard as a person would: headless Chromium, light and dark, English and Persian."""

from __future__ import annotations

import contextlib
import re
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
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

PROGRAMS = [shutil.which(name) for name in ("chromium", "chromedriver")]
pytestmark = [
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

    def open(self, path: str) -> None:
        self.driver.get(self.address + path)

    def sees(self, *texts: str) -> str:
        """Waits until all `texts` are on the page; returns its words."""
        seen = ""
        for _ in range(120):
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


@pytest.fixture
def browser(tmp_path):
    opened = []

    def start(address, *arguments):
        opened.append(Browser(address, tmp_path, *arguments))
        return opened[-1]

    yield start
    for each in opened:
        each.driver.quit()


def test_a_person_finds_the_answer_the_plots_and_why_a_trial_broke(run_study, study_file, browser):
    _, store, _ = run_study(study_file())
    with dashboard(store, "en") as address:
        person = browser(address)
        person.open("/dashboard")
        person.sees("toy.compare", "toy.search")
        person.open("/dashboard/studies/1")
        words = person.sees("Diverged: gentle 0 of 3, rough 3 of 3", "Infeasible", "Still training")
        assert "Timeline" in words
        assert person.background() == "rgb(255, 255, 255)"
        person.shot("study")
        person.open("/dashboard/studies/1/note")
        person.sees("rough diverged more often than gentle: 3 of 3 trials against 0 of 3", "The whole report")
        person.driver.find_element(By.LINK_TEXT, "The whole report").click()
        person.driver.switch_to.window(person.driver.window_handles[-1])
        person.sees("Divergence report: toy", "How to reproduce")
        person.open("/dashboard/studies/1/trials?numbers=1")
        person.sees("DIVERGED", "yardstick", "stability show toy compare/1", "last_steps.png")
        picture = person.driver.find_element(By.CSS_SELECTOR, "img[src*='/artifacts/']")
        width = "return arguments[0].naturalWidth"
        WebDriverWait(person.driver, 60).until(lambda driver: driver.execute_script(width, picture) > 500)


def test_it_is_there_in_persian_and_dark(run_study, study_file, browser):
    _, store, _ = run_study(study_file())
    with dashboard(store, "fa") as address:
        person = browser(address, DARK)
        person.open("/dashboard/studies/1/note")
        person.sees("rough بیشتر از gentle واگرا شد", "گزارش کامل")
        red, green, blue = map(int, re.findall(r"\d+", person.background()))
        assert max(red, green, blue) < 60
        person.open("/report/toy.fa.html")
        person.sees("گزارش واگرایی", "چگونه تکرار کنیم")
        direction = "return getComputedStyle(document.documentElement).direction"
        assert person.driver.execute_script(direction) == "rtl"
        assert person.background() == "rgb(22, 22, 22)"


def test_the_table_of_all_trials_sorts(run_study, study_file, browser):
    _, store, _ = run_study(study_file())
    with dashboard(store, "en") as address:
        person = browser(address)
        person.open("/report/toy.html")
        person.driver.execute_script("document.querySelectorAll('details').forEach(own => own.open = true)")
        heads = person.driver.find_elements(By.CSS_SELECTOR, "table.long th button")
        [lr] = [head for head in heads if head.text.startswith("lr")]
        column = heads.index(lr)
        shown = {}
        for order in ("ascending", "descending"):
            lr.click()
            assert lr.find_element(By.XPATH, "..").get_attribute("aria-sort") == order
            rows = person.driver.find_elements(By.CSS_SELECTOR, "table.long tbody tr")
            shown[order] = [float(row.find_elements(By.TAG_NAME, "td")[column].text) for row in rows]
        assert len(shown["ascending"]) == 10
        assert shown["ascending"] == sorted(shown["ascending"])
        assert shown["descending"] == sorted(shown["ascending"], reverse=True)
