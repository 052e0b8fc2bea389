"""The losses against closed forms and torch's own; purity; toggles that cannot create a NaN."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch.func import functional_call, grad

from stability.trainee import losses
from stability.trainee.batches import Batch, Clips, collate
from stability.trainee.hyperparameters import SIZES, Hyperparameters, from_params
from stability.trainee.model import Prediction, VaeTransformerTts, build

ONES_C = torch.ones(3)


def batch_of(frames: tuple[int, ...] = (8, 5), seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    mels_TM = tuple(torch.randn(n, 80, generator=generator) for n in frames)
    clips = Clips(tuple(map(str, frames)), tuple(torch.arange(1, n) for n in frames), mels_TM)
    return collate(clips, range(len(frames)), torch.randn(len(frames), 16, generator=generator), seed=3)


def prediction_for(batch: Batch, seed: int = 1) -> Prediction:
    """Random predictions of the right shapes, large enough for both branches of the Huber loss."""
    generator = torch.Generator().manual_seed(seed)
    shapes = (batch.mel_BTM.shape, batch.mel_BTM.shape, batch.stop_BG.shape, *[batch.noise_BL.shape] * 2)
    return Prediction(*(2 * torch.randn(shape, generator=generator) for shape in shapes))


def components_of(prediction: Prediction, batch: Batch, **params: object) -> dict[str, torch.Tensor]:
    return losses.components(lambda _: prediction, batch, losses.coefficients(from_params(params)))


def tiny(**params: object) -> VaeTransformerTts:
    return build(SIZES["tiny"], from_params(params), 30, 64, torch.Generator().manual_seed(0)).train()


@pytest.mark.parametrize(("huber", "reference"), [(False, F.l1_loss), (True, F.huber_loss)])
def test_mel_is_the_reference_loss_of_the_valid_frames(huber: bool, reference) -> None:
    batch = batch_of()
    prediction = prediction_for(batch)
    valid = batch.frame_mask_BT
    wanted = sum(
        reference(mel[valid], batch.mel_BTM[valid]) for mel in (prediction.pre_BTM, prediction.post_BTM)
    )
    torch.testing.assert_close(components_of(prediction, batch, huber=huber)["mel"], wanted)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("pos_weight", [1.0, 5.0])
def test_stop_is_the_closed_form(smoothing: float, pos_weight: float) -> None:
    batch = batch_of()
    prediction = prediction_for(batch)
    terms = []
    for logit, target in zip(
        prediction.stop_BG[batch.group_mask_BG].tolist(),
        batch.stop_BG[batch.group_mask_BG].tolist(),
        strict=True,
    ):
        p, t = 1 / (1 + math.exp(-logit)), target * (1 - smoothing) + smoothing / 2
        terms.append(-pos_weight * t * math.log(p) - (1 - t) * math.log(1 - p))
    measured = components_of(prediction, batch, label_smoothing=smoothing, pos_weight=pos_weight)["stop"]
    assert measured.item() == pytest.approx(sum(terms) / len(terms), rel=1e-5)


def test_kl_is_that_of_torch_distributions() -> None:
    mu_BL, logvar_BL = torch.randn(2, 4, 16, generator=torch.Generator().manual_seed(0))
    posterior = torch.distributions.Normal(mu_BL, (0.5 * logvar_BL).exp())
    reference = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(losses.kl_divergence(mu_BL, logvar_BL), reference.sum(-1).mean())
    assert losses.kl_divergence(torch.zeros(2, 16), torch.zeros(2, 16)).item() == 0.0


def test_what_lies_in_the_padding_does_not_reach_the_losses() -> None:
    batch = batch_of()
    prediction = prediction_for(batch)
    padding_BTM = ~batch.frame_mask_BT[..., None].expand_as(batch.mel_BTM)
    spoiled = prediction._replace(
        pre_BTM=prediction.pre_BTM.masked_fill(padding_BTM, math.inf),
        post_BTM=prediction.post_BTM.masked_fill(padding_BTM, math.nan),
        stop_BG=prediction.stop_BG.masked_fill(~batch.group_mask_BG, math.inf),
    )
    assert components_of(spoiled, batch) == components_of(prediction, batch)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_non_finite_prediction_is_reported_as_it_is(bad: float) -> None:
    batch = batch_of()
    prediction = prediction_for(batch)
    for params in ({}, {"huber": True, "label_smoothing": True}):
        mel = components_of(prediction._replace(post_BTM=prediction.post_BTM + bad), batch, **params)[
            "mel"
        ].item()
        assert math.isnan(mel) if math.isnan(bad) else mel == math.inf
        kl = components_of(prediction._replace(logvar_BL=prediction.logvar_BL + bad), batch, **params)[
            "kl"
        ].item()
        assert not math.isfinite(kl)


def test_total_is_the_weighted_sum() -> None:
    losses_C, weights_C = torch.tensor([2.0, 3.0, 5.0]), torch.tensor([1.0, 0.5, 0.1])
    total, in_force_C = losses.total(losses_C, weights_C, torch.tensor([9.0, 9.0, 9.0]), torch.tensor(False))
    assert total.item() == pytest.approx(4.0)
    assert torch.equal(in_force_C, weights_C)


def test_adaptive_total_is_kendalls() -> None:
    losses_C, weights_C, s_C = (
        torch.tensor([2.0, 3.0, 5.0]),
        torch.tensor([1.0, 0.5, 0.1]),
        torch.tensor([1.0, -1, 0]),
    )
    total, in_force_C = losses.total(losses_C, weights_C, s_C, torch.tensor(True))
    wanted = 2 * math.exp(-1) + 1 + 0.5 * 3 * math.e - 1 + 0.5
    assert total.item() == pytest.approx(wanted)
    torch.testing.assert_close(in_force_C, weights_C * torch.exp(-s_C))


@pytest.mark.parametrize("loss", [1.0, math.inf, math.nan])
def test_log_variances_get_an_exactly_zero_gradient_when_not_adaptive(loss: float) -> None:
    s_C = torch.zeros(3, requires_grad=True)
    losses.total(torch.tensor([1.0, loss, 1.0]), ONES_C, s_C, torch.tensor(False))[0].backward()
    assert s_C.grad.tolist() == [0.0, 0.0, 0.0]


def test_kl_annealing_is_linear_from_zero() -> None:
    hp = from_params({"kl_anneal_steps": 4})
    factors = [losses.annealed(ONES_C, hp, step).tolist() for step in (0, 1, 3, 4, 9)]
    assert factors == [[1, 1, 0.0], [1, 1, 0.25], [1, 1, 0.75], [1, 1, 1], [1, 1, 1]]
    assert losses.annealed(ONES_C, Hyperparameters(), 0).tolist() == [1, 1, 1]


def test_the_loss_is_a_pure_function_of_weights_batch_and_hyperparameters() -> None:
    model, batch = tiny(dropout=0.5), batch_of()
    weights = dict(model.named_parameters())
    c = losses.coefficients(Hyperparameters())
    torch.manual_seed(11)
    first = losses.components(model, batch, c)
    torch.manual_seed(12)
    state = torch.get_rng_state()
    again = losses.components(lambda b: functional_call(model, weights, (b,)), batch, c)
    assert first == again
    assert torch.equal(torch.get_rng_state(), state)
    assert losses.components(model, batch._replace(seed=4), c) != first


def test_functional_gradients_are_those_of_backward() -> None:
    model, batch, c = tiny(), batch_of(), losses.coefficients(Hyperparameters())

    def loss(weights: dict[str, torch.Tensor]) -> torch.Tensor:
        return sum(losses.components(lambda b: functional_call(model, weights, (b,)), batch, c).values())

    found = grad(loss)({name: weight.detach() for name, weight in model.named_parameters()})
    loss(dict(model.named_parameters())).backward()
    for name, weight in model.named_parameters():
        torch.testing.assert_close(found[name], weight.grad)


def test_the_yardstick_is_the_same_whatever_the_loss_settings() -> None:
    batch = batch_of()
    plain = losses.yardstick(tiny(), batch, 1.0)
    settings = {"huber": True, "label_smoothing": 0.3, "pos_weight": 9, "dropout": 0.7, "mel_weight": 3}
    assert losses.yardstick(tiny(**settings), batch, 1.0) == plain


def test_the_yardstick_is_plain_and_leaves_the_model_training() -> None:
    model, batch = tiny(), batch_of()
    measured = losses.yardstick(model, batch, 1.0)
    assert model.training
    with torch.no_grad():
        prediction = model.eval()(batch)
    plain = components_of(prediction._replace(pre_BTM=batch.mel_BTM), batch, pos_weight=1)
    assert measured == plain


def test_the_yardstick_measures_raw_mels_in_normalised_units() -> None:
    batch = batch_of()
    model = tiny()
    raw, normalised = losses.yardstick(model, batch, 2.0), losses.yardstick(model, batch, 1.0)
    assert raw["mel"].item() == pytest.approx(normalised["mel"].item() / 2)
    assert (raw["stop"], raw["kl"]) == (normalised["stop"], normalised["kl"])


def test_definitions_say_how_each_number_is_computed() -> None:
    assert losses.definitions(Hyperparameters()) == {
        "mel": "L1 before + L1 after the post-net, normalised log-mel, mean over frames, bands",
        "stop": "BCE, smoothing 0, pos_weight 5, mean over groups",
        "kl": "KL(posterior || N(0, I)), sum over latent dimensions, mean over utterances",
        "total": "1*mel + 1*stop + 0.5*kl",
    }
    hp = from_params(
        {"huber": True, "mel_scale": "raw", "label_smoothing": True, "adaptive": True, "kl_anneal_steps": 9}
    )
    assert losses.definitions(hp) == {
        "mel": "Huber(1.0) before + Huber(1.0) after the post-net, raw log-mel, mean over frames, bands",
        "stop": "BCE, smoothing 0.1, pos_weight 5, mean over groups",
        "kl": "KL(posterior || N(0, I)), sum over latent dimensions, mean over utterances",
        "total": "1*mel + 1*stop + 0.5*kl annealed over 9 steps, each term times exp(-s) plus s,"
        " s learned from 0 (Kendall)",
    }
