"""A browser walks the dashboard as a person would: headless Chromium, light and dark, English and Persian."""

from __future__ import annotations

import re

from browsing import DARK, NEEDS_BROWSER, dashboard
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = NEEDS_BROWSER


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


TRAINER = """
def train(trial, recorder):
    p, x = trial.params, 1.0 + 0.01 * (trial.seed % 1009) / 1009 * 7
    recorder.define(square="x^2", total="square")
    recorder.evaluate({"square": x * x}, epoch=-1)
    rate = p["lr"] * (1.5 if p["boost"] else 1.0) / p["damping"]
    for step in range(8):
        gradient = 2 * x
        x -= rate * gradient
        recorder.step({"square": x * x}, total=x * x, lr=p["lr"], grad_norm=abs(gradient), epoch=0)
    recorder.evaluate({"square": x * x}, epoch=0)
"""
STUDY = """
name: toy
trainer: {call: "train.py:train"}
budget: {epochs: 1, batch_size: 1, timeout_s: 60}
params:
  lr: {min: 1e-3, max: 10.0, log: true}
  boost: {values: [false, true]}
  damping: {min: 1.0, max: 2.0}
arms:
  gentle: {lr: 0.05, boost: false, damping: 1.0}
  rough: {lr: 2.0, boost: true, damping: 1.0}
compare: {baseline: gentle, treatment: rough}
plan:
  - compare: {seeds: 2}
  - attribute: {trials: 8, confirm: 0}
  - boundary: {param: lr, trials: 12}
  - search: {sampler: random, trials: 2}
yardstick: {square: 1.0}
"""
"""Gradient descent on a square: every stage, and so every graph."""
GRAPHS = {
    "toy.compare": {"stability-loss-fan", "stability-failure"},
    "toy.attribute": {"stability-forest"},
    "toy.boundary": {"stability-map", "stability-headroom", "stability-lr-curve"},
    "toy.search": {"stability-lr-curve"},
}
DRAWN = """
return Object.fromEntries([...document.querySelectorAll('[id^="user-defined-plot:"]')].map(plot => [
    plot.id.replace('user-defined-plot:', ''),
    [plot.data ? plot.data.length : 0, plot.querySelectorAll('.trace, .hm, .contour').length],
]))
"""
"""Of each of our graphs: what Plotly was told to draw, and what it drew."""


def test_every_stage_has_its_graphs_drawn(run_study, tmp_path, browser):
    (tmp_path / "train.py").write_text(TRAINER)
    (tmp_path / "study.yaml").write_text(STUDY)
    _, store, _ = run_study(tmp_path / "study.yaml")
    with dashboard(store, "en") as address:
        person = browser(address)
        ids = {each.study_name: each._study_id for each in store.optuna_storage().get_all_studies()}
        for stage, names in GRAPHS.items():
            person.open(f"/dashboard/studies/{ids[stage]}")
            drawn = WebDriverWait(person.driver, 60).until(
                lambda driver: _all_drawn(driver.execute_script(DRAWN))
            )
            assert set(drawn) == names, stage
            person.shot(stage)


def _all_drawn(found):
    return found if found and all(told and marks for told, marks in found.values()) else None
