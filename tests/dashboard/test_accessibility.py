"""axe-core on the HTML reports: English and Persian, light and dark, everything unfolded."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
from browsing import NEEDS_BROWSER

from stability.report.write import write_twin

pytestmark = NEEDS_BROWSER

KEPT = Path(__file__).parents[2] / "reports" / "lightning" / "report.json"
"""A short report with nearly every section, from which the page is written anew."""
THEMES = {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 22, 22)"}
RUN = """
const done = arguments[arguments.length - 1];
axe.run(document).then(found => done(found), error => done({failed: String(error)}));
"""


@pytest.fixture(scope="module")
def axe():
    """The script of axe-core 4.4.3 (MPL-2.0), which axe-core-python brings."""
    package = resources.files(pytest.importorskip("axe_core_python"))
    return (package / "axe.min.js").read_text(encoding="utf-8")


def violations(reader, axe):
    """What axe-core finds on the page that is open, and which rules passed."""
    reader.driver.execute_script(axe)
    found = reader.driver.execute_async_script(RUN)
    nodes = ((rule["id"], node) for rule in found["violations"] for node in rule["nodes"])
    told = [(name, node["target"], node["failureSummary"]) for name, node in nodes]
    return told, {rule["id"] for rule in found["passes"]}


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_axe_finds_nothing_on_a_report(lang, axe, browser, tmp_path):
    page = write_twin(json.loads(KEPT.read_text()), format="html", lang=lang, out=tmp_path)
    reader = browser(page.as_uri())
    for theme, ground in THEMES.items():
        reader.prefer(theme)
        reader.open("")
        reader.driver.execute_script("document.querySelectorAll('details').forEach(own => own.open = true)")
        assert reader.background() == ground
        told, passed = violations(reader, axe)
        assert told == [], theme
        assert {"color-contrast", "image-alt", "html-has-lang"} <= passed


def test_axe_finds_what_is_planted(axe, browser, tmp_path):
    style = "<style>p { color: #999; background: #fff }</style>"
    (tmp_path / "page.html").write_text(f"<title>x</title>{style}<main><p>pale<img src='x.png'></main>")
    reader = browser((tmp_path / "page.html").as_uri())
    reader.open("")
    assert {"color-contrast", "image-alt", "html-has-lang"} <= {
        name for name, *_ in violations(reader, axe)[0]
    }
