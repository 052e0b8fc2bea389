"""Real runs of toy studies, with the reports they lead to."""

import json

import pytest

from stability.report import write
from stability.spec import from_document


@pytest.fixture
def reported(tmp_path, run_study):
    """Runs a study of a trainer, both as text; returns its trials, the report's twin and its Markdown."""

    def run(trainer: str, study: str, *overrides: str):
        (tmp_path / "train.py").write_text(trainer)
        (tmp_path / "study.yaml").write_text(study)
        spec, store, _ = run_study(tmp_path / "study.yaml", *overrides)
        environment = store.environment(spec.name)
        stored, frames = from_document(environment.pop("spec")), store.outline(spec.name, "compare")
        json_path, md_path = (
            write(stored, frames, environment, format=form, lang="en", out=tmp_path)
            for form in ("json", "md")
        )
        return store.trials(spec.name), json.loads(json_path.read_text()), md_path.read_text()

    return run
