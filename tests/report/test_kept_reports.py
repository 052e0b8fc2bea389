"""The reports and pictures in `reports/` are what this code makes of the JSON beside them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stability.report import figures, write_twin

REPORTS = Path(__file__).parents[2] / "reports"
KEPT = sorted(REPORTS.glob("*/report.json"))
REGENERATE = "STABILITY_REGENERATE_GOLDEN"
"""Set to 1 to write the kept reports anew, pictures too; then look at them before committing."""


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "fa"])
@pytest.mark.parametrize("kept", KEPT, ids=[path.parent.name for path in KEPT])
def test_a_kept_report_is_what_its_json_says(kept, lang, tmp_path, monkeypatch):
    twin = json.loads(kept.read_text())
    if os.environ.get(REGENERATE) == "1":
        for format in ("md", "html"):
            write_twin(twin, format=format, lang=lang, out=kept.parent)
    made = write_twin(twin, format="md", lang=lang, out=tmp_path)
    assert made.read_text() == (kept.parent / made.name).read_text()
    monkeypatch.setattr(figures, "draw", lambda *_: b"")  # they were drawn for Markdown
    made = write_twin(twin, format="html", lang=lang, out=tmp_path)
    assert without_pictures(made) == without_pictures(kept.parent / made.name)
    pictures = sorted(path.name for path in (tmp_path / "figures").iterdir())
    there = sorted(path.name for path in (kept.parent / "figures").iterdir())
    assert pictures == [name for name in there if (".fa." in name) == (lang == "fa")]
    for name in pictures:
        old, new = (
            np.asarray(Image.open(folder / "figures" / name).convert("RGB"), dtype=int)
            for folder in (kept.parent, tmp_path)
        )
        assert old.shape == new.shape, name
        assert np.abs(old - new).mean() < 1.0, name  # a shade, where another machine rounds otherwise


def without_pictures(page: Path) -> str:
    return re.sub(r'data:image/png;base64,[^"]*', "", page.read_text())


def test_the_readme_shows_kept_pictures():
    readme = (REPORTS.parent / "README.md").read_text()
    shown = [part.split(")")[0] for part in readme.split("](reports/") if part.split(")")[0].endswith(".png")]
    assert len(shown) >= 2
    assert all((REPORTS / name).exists() for name in shown)
