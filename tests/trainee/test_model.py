"""The model: its size, its independence of padding and neighbours, causality, and the absence of guards."""

from __future__ import annotations

import pytest
import torch

from stability.trainee.batches import REDUCTION, Batch, Clips, collate
from stability.trainee.hyperparameters import SIZES, Hyperparameters, from_params
from stability.trainee.model import VaeTransformerTts, build, sinusoids

VOCABULARY = 30


def clips(frames: tuple[int, ...] = (41, 20, 8), seed: int = 0) -> Clips:
    generator = torch.Generator().manual_seed(seed)
    tokens = tuple(torch.randint(1, VOCABULARY, (n // 4 + 1,), generator=generator) for n in frames)
    return Clips(
        tuple(map(str, range(len(tokens)))),
        tokens,
        tuple(torch.randn(n, 80, generator=generator) for n in frames),
    )


def batch_of(data: Clips, chosen: list[int]) -> Batch:
    noise_BL = torch.randn(len(data), 16, generator=torch.Generator().manual_seed(1))
    return collate(data, chosen, noise_BL[chosen], seed=7)


def tiny(seed: int = 0, **params: object) -> VaeTransformerTts:
    generator = torch.Generator().manual_seed(seed)
    return build(SIZES["tiny"], from_params({"dropout": 0, **params}), VOCABULARY, 64, generator)


@pytest.mark.parametrize(("size", "millions"), [("tiny", 0.38), ("small", 3.9), ("normal", 27.0)])
def test_parameter_counts(size: str, millions: float) -> None:
    with torch.device("meta"):
        model = VaeTransformerTts(SIZES[size], Hyperparameters(), 40, 300)
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, rel=0.1)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_padding_and_neighbours_do_not_change_an_utterance(norm: str) -> None:
    data, model = clips(), tiny(norm=norm).train()
    together = model(batch_of(data, [0, 1, 2]))
    for index, frames in enumerate((41, 20, 8)):
        alone = model(batch_of(data, [index]))
        groups = -(-frames // REDUCTION)
        for name in ("pre_BTM", "post_BTM"):
            torch.testing.assert_close(
                getattr(together, name)[index, :frames],
                getattr(alone, name)[0, :frames],
                atol=1e-5,
                rtol=1e-4,
            )
        torch.testing.assert_close(together.stop_BG[index, :groups], alone.stop_BG[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(together.mu_BL[index], alone.mu_BL[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(together.logvar_BL[index], alone.logvar_BL[0], atol=1e-5, rtol=1e-4)


def test_the_decoder_sees_only_earlier_groups() -> None:
    model = tiny().train()
    torch.nn.init.zeros_(model.latent.weight)  # the posterior sees the whole mel: take it out
    batch = batch_of(clips(frames=(40,)), [0])
    later_BTM = batch.mel_BTM.clone()
    later_BTM[:, 20:] += 1.0
    before, after = model(batch), model(batch._replace(mel_BTM=later_BTM))
    assert torch.equal(before.pre_BTM[:, :24], after.pre_BTM[:, :24])
    assert not torch.equal(before.pre_BTM[:, 24:28], after.pre_BTM[:, 24:28])


def test_the_posterior_is_sampled_in_training_and_its_mean_in_evaluation() -> None:
    model, batch = tiny(), batch_of(clips(), [0, 1, 2])
    silent = batch._replace(noise_BL=torch.zeros_like(batch.noise_BL))
    assert not torch.equal(model.train()(batch).pre_BTM, model(silent).pre_BTM)
    assert torch.equal(model.eval()(batch).pre_BTM, model(silent).pre_BTM)
    assert torch.equal(model.train()(silent).pre_BTM, model.eval()(silent).pre_BTM)


def test_a_huge_log_variance_overflows_and_nothing_hides_it() -> None:
    model, batch = tiny().train(), batch_of(clips(), [0, 1])
    torch.nn.init.constant_(model.reference.head.bias, 200.0)
    prediction = model(batch)
    assert prediction.logvar_BL.min() > 150
    assert prediction.pre_BTM.isnan().all()


def test_the_log_variance_clamp_acts_only_when_set() -> None:
    free, clamped, batch = tiny(), tiny(logvar_clamp=3), batch_of(clips(), [0, 1])
    for model in (free, clamped):
        torch.nn.init.constant_(model.reference.head.bias, 200.0)
    assert free(batch).logvar_BL.min() > 150
    assert torch.equal(clamped(batch).logvar_BL, torch.full((2, 16), 3.0))


def test_initial_weights_depend_on_the_seed_alone() -> None:
    basic = tiny().state_dict()
    for params in ({"norm": "post"}, {"dropout": 0.5}, {"logvar_clamp": 1.0}, {"adaptive": True}):
        other = tiny(**params).state_dict()
        assert all(torch.equal(basic[name], weight) for name, weight in other.items())
    assert not torch.equal(basic["embedding.weight"], tiny(seed=1).state_dict()["embedding.weight"])


def test_building_leaves_the_global_random_state_to_the_caller_alone() -> None:
    torch.manual_seed(5)
    first = tiny().state_dict()
    torch.manual_seed(6)
    assert all(torch.equal(weight, first[name]) for name, weight in tiny().state_dict().items())


def test_positions_are_the_published_sinusoids() -> None:
    positions_ND = sinusoids(5, 6)
    assert positions_ND[3, 2].item() == pytest.approx(torch.sin(torch.tensor(3 / 10_000 ** (2 / 6))).item())
    assert positions_ND[3, 3].item() == pytest.approx(torch.cos(torch.tensor(3 / 10_000 ** (2 / 6))).item())


def test_collated_masks_and_stop_targets() -> None:
    batch = batch_of(clips(frames=(9, 4)), [0, 1])
    assert batch.mel_BTM.shape == (2, 12, 80)
    assert batch.frame_mask_BT.sum(1).tolist() == [9, 4]
    assert batch.group_mask_BG.tolist() == [[True, True, True], [True, False, False]]
    assert batch.stop_BG.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert batch.text_mask_BN.sum(1).tolist() == [3, 2]
