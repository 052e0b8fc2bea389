"""The formats written by those who had not seen the reader, both trainings of each: the right verdict, and no counter.

The first set is no longer unseen: kinds of writing behind its failures were mended since. Nothing was mended for
the second one yet.
"""

import pytest
from formats import training
from formats.blind import BLIND
from formats.blind2 import BLIND_2
from judged import judged
from test_formats import TRAININGS, counts_up

ADVERSARIAL = "the losses of a generator and its judge fall and rise in healthy trainings, and nothing is evaluated"
OF_POLICY = "the losses of a policy say nothing of how good it is, and nothing is evaluated"
UNDECIDABLE = {
    "basicsr_realesrgan": ADVERSARIAL,
    "dcgan_example": ADVERSARIAL,
    "stylegan3_stats_jsonl": ADVERSARIAL,
    "rllib_result_json": OF_POLICY,
    "sb3_ppo_tables": OF_POLICY,
    "verl_step_dashes": OF_POLICY,
    "r_gbm_nan_validation": "its evaluation is NaN each time, also where nothing was held out, which the verdict asks about",
    "r_nnet_values": "`value` may be of anything: a state's value as well as an objective",
    "stargan_elapsed": ADVERSARIAL,
    "gan_notebook_d_g": ADVERSARIAL,
    "rl_home_episode_q_loss": OF_POLICY,
}
"""Healthy trainings of which no verdict is right, and why; where these are lost that is seen."""
UNREAD = {
    "dl4j_score_listener": "a score should rise elsewhere",
    "h2o_scoring_history": "the first cell of its rows is a date, and cells have units behind a blank",
    "kaldi_chain_objf": "each iteration has a file of its own, named by two numbers",
    "stan_advi_elbo": "the rows of its table stand behind a number",
    "wespeaker_tables": "the rows of its table stand behind a date",
    "kaldi_nnet3_phases": "its objective, negative and rising, stands in a sentence",
    "weather_model_json_status": "each epoch has a JSON document of its own",
    "camel_case_no_space": "names are glued to their numbers",
    "german_decimal_commas": "a decimal comma in running text",
    "cmdstan_optimize": "its names stand before each row, and its objective is a log probability",
    "gru4rec_arrow": "its last word says NaN, and not of what",
}
"""What is not read yet, and why; a lost one is never called stable."""
FORMATS = BLIND | BLIND_2
SAMPLE = set(list(BLIND)[::2])


def _each() -> list[object]:
    return [pytest.param(name, marks=[] if name in SAMPLE else pytest.mark.slow) for name in FORMATS]


@pytest.mark.parametrize("name", _each())
def test_a_held_out_format_is_read_and_judged(name: str) -> None:
    for ends, lr in TRAININGS:
        found = judged(FORMATS[name].write(training(ends, lr=lr, seed=1)), lr)
        kind = found.kind(ends)
        told = f"{ends}: {kind} {found.label} {found.evidence}"
        assert not [loss for loss, values in found.losses.items() if counts_up(values)]
        assert kind not in ("lost STABLE", "healthy DIVERGED"), told
        if name in UNREAD:
            continue
        assert kind == ("undecided" if name in UNDECIDABLE and ends == "healthy" else "right"), told


@pytest.mark.slow
@pytest.mark.parametrize("name", UNREAD)
def test_what_is_said_to_be_unread_is(name: str) -> None:
    kinds = [judged(FORMATS[name].write(training(e, lr=lr, seed=1)), lr).kind(e) for e, lr in TRAININGS]
    assert kinds != ["right", "right"], "it is read now: take it from the list"
