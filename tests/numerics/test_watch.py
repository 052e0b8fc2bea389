"""A watch measures what torch measures, counts what a scaler skips, and never changes a training."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import nn

from stability.numerics.trace import trace
from stability.numerics.watch import watch
from stability.records import EventKind, Measure, StopTrial, UserError


def small(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 3))


def batches(count: int, seed: int = 1):
    generator = torch.Generator().manual_seed(seed)
    return [
        (torch.randn(8, 6, generator=generator), torch.randn(8, 3, generator=generator)) for _ in range(count)
    ]


OPTIMIZERS = {
    "fused AdamW": lambda w: torch.optim.AdamW(w, lr=1e-2, fused=True),
    "foreach AdamW": lambda w: torch.optim.AdamW(w, lr=1e-2, foreach=True),
    "SGD": lambda w: torch.optim.SGD(w, lr=1e-2, momentum=0.9, foreach=False),
}


def train(model, optimizer, data, *, watched, clip=None, scaler=None, autocast=False, observer=None):
    """Train over `data`, with a watch or without; returns the weights."""
    torch.manual_seed(7)
    found = watch(model, optimizer, scaler=scaler) if watched else None
    scale = scaler.scale if scaler else lambda loss: loss
    for x, y in data:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            error = model(x).float() - y
        losses = {"square": error.square().mean(), "size": error.abs().mean()}
        total = losses["square"] + 0.1 * losses["size"]
        if watched:
            found.components(losses, {"size": 0.1})
        scale(total).backward()
        if scaler:
            scaler.unscale_(optimizer)
        if watched:
            found.step(losses=losses, total=total)
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        if scaler:
            scaler.step(optimizer)
            scaler.update()
        else:
            optimizer.step()
    if watched:
        found.close()
        if observer is not None:
            observer.extend(found.steps)
    return [w.detach().clone() for w in model.parameters()]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("how", ["plain", "clip", "autocast", "scaler"])
def test_training_is_the_same_to_the_last_bit(optimizer, how):
    """120 steps: past every first sample, the gradients of the components included."""
    weights = []
    for watched in (False, True):
        model = small()
        scaler = torch.amp.GradScaler("cpu", init_scale=64.0) if how == "scaler" else None
        weights.append(
            train(
                model,
                OPTIMIZERS[optimizer](model.parameters()),
                batches(120),
                watched=watched,
                clip=0.5 if how == "clip" else None,
                scaler=scaler,
                autocast=how == "autocast",
            )
        )
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def one_step(model, optimizer, found, x, y, before_update=lambda: None):
    optimizer.zero_grad()
    loss = (model(x) - y).square().mean()
    loss.backward()
    found.step(losses={"square": loss}, total=loss)
    before_update()
    optimizer.step()
    return loss.item()


def test_numbers_are_those_of_torch():
    model = small()
    optimizer = torch.optim.SGD(
        [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[3].parameters(), "lr": 0.2}]
    )
    found = watch(model, optimizer)
    [(x, y)] = batches(1)
    norms = []
    loss = one_step(
        model,
        optimizer,
        found,
        x,
        y,
        lambda: norms.append(nn.utils.clip_grad_norm_(model.parameters(), 0.01)),
    )
    [step] = found.steps
    gradients = [w.grad * norms[0] / 0.01 for w in model.parameters()]
    count = sum(w.numel() for w in model.parameters())
    assert step.losses == {"square": loss} and step.total == loss and step.lr == 0.2 and not step.skipped
    assert step.grad_norm == pytest.approx(norms[0].item())
    assert step.measures == pytest.approx(
        {
            Measure.GRAD_RMS: norms[0].item() / math.sqrt(count),
            Measure.GRAD_RMS_FIRST: gradients[0].square().mean().sqrt().item(),
            Measure.GRAD_RMS_LAST: gradients[2].square().mean().sqrt().item(),
            Measure.CLIP_FACTOR: 0.01 / norms[0].item(),
        },
        rel=1e-4,
    )


def test_the_ends_are_those_of_the_backward_pass_not_of_registration():
    class Reversed(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.first = nn.Linear(16, 3), nn.Linear(6, 16)

        def forward(self, x):
            return self.last(torch.tanh(self.first(x)))

    model = Reversed()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    found = watch(model, optimizer)
    [(x, y)] = batches(1)
    one_step(model, optimizer, found, x, y)
    first = found.steps[0].measures[Measure.GRAD_RMS_FIRST]
    assert first == pytest.approx(model.first.weight.grad.square().mean().sqrt().item())


def test_the_size_of_an_update_and_of_the_weights_is_sampled():
    model = small().eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    found = watch(model, optimizer)
    changes, sizes = [], []
    for x, y in batches(22):
        before = [w.detach().clone() for w in (model[0].weight, model[3].weight)]
        one_step(model, optimizer, found, x, y)
        after = [model[0].weight.detach(), model[3].weight.detach()]
        change = torch.cat([(a - b).flatten() for a, b in zip(after, before, strict=True)]).norm()
        sizes.append(torch.cat([w.detach().flatten() for w in model.parameters()]).norm().item())
        changes.append((change / torch.cat([b.flatten() for b in before]).norm()).item())
    sampled = {
        s.step: s.measures[Measure.UPDATE_RATIO] for s in found.steps if Measure.UPDATE_RATIO in s.measures
    }
    assert sampled == pytest.approx({4: changes[4], 20: changes[20]}, rel=1e-4)
    norms = {s.step: s.weight_norm for s in found.steps if s.weight_norm is not None}
    assert norms == pytest.approx({4: sizes[4], 20: sizes[20]})


def test_weights_are_looked_at_when_a_loss_is_not_finite():
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    found = watch(model, optimizer)
    [(x, y)] = batches(1)
    for scale in (1.0, math.nan):
        one_step(model, optimizer, found, x * scale, y)
    assert found.steps[0].weight_norm is None and math.isnan(found.steps[1].weight_norm)


def test_shares_and_cosines_of_the_components():
    w = nn.Parameter(torch.tensor([1.0, 1.0]))
    model = nn.ParameterList([w])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    found = watch(model, optimizer)
    for _ in range(101):
        optimizer.zero_grad()
        losses = {"a": 3.0 * w[0], "b": 2.0 * w[1] - 2.0 * w[0]}
        found.components(losses, {"b": 0.5})
        total = losses["a"] + 0.5 * losses["b"]
        total.backward()
        found.step(losses=losses, total=total)
        optimizer.step()
    sampled = [step for step in found.steps if "grad_share/a" in step.measures]
    assert [step.step for step in sampled] == [100]
    share = 3.0 / (3.0 + math.sqrt(2.0))
    assert sampled[0].measures["grad_share/a"] == pytest.approx(share)
    assert sampled[0].measures["grad_share/b"] == pytest.approx(1.0 - share)
    assert sampled[0].measures["grad_cosine/a,b"] == pytest.approx(-math.sqrt(0.5))


def scaled_steps(factory, gradient_scales, *, unscale: bool):
    """Steps under a scaler whose gradients overflow where `gradient_scales` is infinite."""
    model = nn.Linear(4, 2)
    optimizer = factory(model.parameters())
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    found = watch(model, optimizer, scaler=scaler)
    norms = []
    for scale in gradient_scales:
        optimizer.zero_grad()
        loss = model(torch.ones(3, 4)).square().mean() * scale
        scaler.scale(loss).backward()
        if unscale:
            scaler.unscale_(optimizer)
        found.step(losses={"square": loss.detach()}, total=loss)
        norms.append(torch.nn.utils.get_total_norm([w.grad for w in model.parameters()]).item())
        scaler.step(optimizer)
        scaler.update()
    return found, norms


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("unscale", [True, False])
def test_steps_that_a_scaler_skips_are_counted_and_are_no_nan(optimizer, unscale):
    found, norms = scaled_steps(OPTIMIZERS[optimizer], [1.0, math.inf, 1.0, 1.0], unscale=unscale)
    steps = found.steps
    assert [step.skipped for step in steps] == [False, True, False, False]
    assert [step.grad_scale for step in steps] == [1024.0, 1024.0, 512.0, 512.0]
    seen = [norm if unscale else norm / step.grad_scale for norm, step in zip(norms, steps, strict=True)]
    assert [step.grad_norm for step in steps] == pytest.approx(seen, nan_ok=True)
    assert not [event for event in found.events if event.kind is EventKind.NAN_GRAD]
    factors = [step.measures[Measure.CLIP_FACTOR] for step in steps if not step.skipped]
    assert factors == pytest.approx([1.0] * 3, rel=1e-5)


def test_micro_batches_count_towards_one_step():
    model = small().eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    found = watch(model, optimizer)
    data = batches(3)
    losses = []
    optimizer.zero_grad()
    for i, (x, y) in enumerate(data):
        loss = (model(x) - y).square().mean()
        (loss / 3).backward()
        tell = found.step if i == 2 else found.accumulate
        tell(losses={"square": loss}, total=loss / 3, batch=[f"{i}a", f"{i}b"])
        losses.append(loss.item())
    optimizer.step()
    [step] = found.steps
    assert step.losses["square"] == pytest.approx(sum(losses) / 3) == step.total
    assert step.batch == ("0a", "0b", "1a", "1b", "2a", "2b")


def test_frozen_unused_and_sparse_weights():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(10, 4, sparse=True)
            self.frozen, self.unused = nn.Linear(4, 4), nn.Linear(4, 4)
            self.frozen.requires_grad_(False)

        def forward(self, x):
            return self.frozen(self.words(x))

    model = Words()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    found = watch(model, optimizer)
    for _ in range(40):  # past the first scan for zeros
        optimizer.zero_grad()
        loss = model(torch.tensor([1, 1, 2])).square().mean()
        loss.backward()
        found.step(losses={"square": loss}, total=loss)
        dense = model.words.weight.grad.to_dense().norm().item()
        optimizer.step()
    assert found.steps[-1].grad_norm == pytest.approx(dense)
    assert found.events == []


def test_a_group_that_is_added_later_is_watched_too():
    model = small().eval()
    optimizer = torch.optim.SGD(model[3].parameters(), lr=0.1)
    found = watch(model, optimizer)
    for i, (x, y) in enumerate(batches(2)):
        if i == 1:
            optimizer.add_param_group({"params": model[0].parameters()})
        one_step(model, optimizer, found, x, y)
    wanted = torch.nn.utils.get_total_norm([w.grad for w in model.parameters()]).item()
    assert found.steps[1].grad_norm == pytest.approx(wanted)


class Scores(nn.Module):
    """Attention whose largest |logit| is known; `how` is the way it is computed."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.scale = how, nn.Parameter(torch.tensor(1.0))
        self.words = nn.Linear(4, 100)

    def forward(self, x):
        query = x[:, None] * self.scale
        if self.how == "fused":
            mixed = nn.functional.scaled_dot_product_attention(query, query, query, is_causal=True)
        else:
            scores = query @ query.mT * 0.5
            mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
            mixed = scores.masked_fill(~mask, -math.inf).softmax(-1) @ query
        return self.words(mixed * 100.0).log_softmax(-1)  # large logits that are not attention's


@pytest.mark.parametrize("how", ["explicit", "fused"])
def test_attention_logits_are_sampled_and_told_from_other_softmaxes(how):
    model = Scores(how)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    found = watch(model, optimizer)
    x = torch.zeros(2, 5, 4)
    x[0, :, 0] = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    for _ in range(33):
        loss = model(x).mean()
        loss.backward()
        found.step(losses={"mean": loss}, total=loss)
        optimizer.step()
    sampled = {
        s.step: s.measures[Measure.ATTENTION_LOGIT]
        for s in found.steps
        if Measure.ATTENTION_LOGIT in s.measures
    }
    assert sampled == {32: pytest.approx(12.5)}  # 5 x 5 / sqrt(4)


def test_multihead_attention_is_seen():
    model = nn.MultiheadAttention(8, 2, batch_first=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    found = watch(model, optimizer)
    x = torch.randn(2, 5, 8)
    for _ in range(33):
        loss = model(x, x, x)[0].mean()
        loss.backward()
        found.step(losses={"mean": loss}, total=loss)
        optimizer.step()
    assert found.steps[-1].measures[Measure.ATTENTION_LOGIT] > 0.0


def test_a_nan_is_an_event_at_its_step_and_named_by_its_component():
    model, heard = small(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    found = watch(model, optimizer, on_event=heard.append)
    for i, (x, y) in enumerate(batches(6)):
        optimizer.zero_grad()
        losses = {"square": (model(x) - y).square().mean(), "log": (model(x).sum() * 0 + (4.0 - i)).log()}
        total = losses["square"] + losses["log"]
        total.backward()
        found.step(losses=losses, total=total)
        optimizer.step()
    kinds = [(event.step, event.kind, event.where) for event in found.events]
    assert kinds[0] == (4, EventKind.INF_LOSS, "log")
    assert heard == found.events


@pytest.mark.parametrize("every", [1, 16])
def test_reading_later_changes_no_number(every):
    model = small()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    torch.manual_seed(3)
    found = watch(model, optimizer, every=every)
    for x, y in batches(20):
        one_step(model, optimizer, found, x, y)
    assert [step.step for step in found.steps] == list(range(20))
    reference = small()
    plain = torch.optim.AdamW(reference.parameters(), lr=1e-2)
    torch.manual_seed(3)
    again = watch(reference, plain)
    for x, y in batches(20):
        one_step(reference, plain, again, x, y)
    assert found.steps == again.steps


def test_a_recorder_gets_every_step_and_may_end_the_training():
    class Ends:
        def __init__(self):
            self.given = []

        def step(self, **values):
            self.given.append(values)
            if len(self.given) == 3:
                raise StopTrial("enough")

    model, recorder = small(), Ends()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    found = watch(model, optimizer, recorder=recorder)
    with pytest.raises(StopTrial, match="enough"):
        for x, y in itertools.cycle(batches(1)):
            one_step(model, optimizer, found, x, y)
    assert len(recorder.given) == 3
    assert {"losses", "total", "lr", "grad_norm", "measures", "skipped"} <= recorder.given[0].keys()


def test_closing_takes_every_hook_away():
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    found = watch(model, optimizer)
    found.close()
    [(x, y)] = batches(1)
    (model(x) - y).square().mean().backward()
    optimizer.step()
    assert not model._forward_hooks and not model._forward_pre_hooks
    assert not optimizer._optimizer_step_post_hooks and not optimizer._optimizer_step_pre_hooks
    assert all(not weight._post_accumulate_grad_hooks for weight in model.parameters())


def test_a_model_without_parameters():
    with pytest.raises(UserError) as error:
        watch(nn.Tanh(), torch.optim.SGD(small().parameters(), lr=0.1))
    assert str(error.value) == "Tanh has no parameters; watch the module that is trained"


def test_an_optimizer_of_another_model():
    with pytest.raises(UserError) as error:
        watch(small(), torch.optim.SGD(small().parameters(), lr=0.1))
    assert str(error.value) == (
        "the optimizer updates no parameter of this Sequential; give the optimizer that was made from "
        "model.parameters()"
    )


def test_a_total_that_does_not_require_grad():
    model = small()
    found = watch(model, torch.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(UserError) as error:
        found.step(losses={"square": 1.0}, total=torch.tensor(1.0))
    assert str(error.value) == (
        "total does not require grad, so no backward pass went through it; give the tensor that backward() "
        "was called on, or its number: total.item()"
    )


def test_a_loss_that_is_no_single_number():
    model = small()
    found = watch(model, torch.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(UserError) as error:
        found.step(losses={"square": torch.ones(8)})
    assert str(error.value) == (
        "loss/square has shape (8,); a step takes numbers or tensors with one element: reduce it, for example "
        "with .mean()"
    )


@pytest.mark.parametrize("named", [True, False])
def test_an_optimizer_may_run_the_backward_pass_inside_its_step(named):
    """With a closure, clipping and its factor come after the optimizer's step began."""
    model = small().eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    found = watch(model, optimizer)
    [(x, y)] = batches(1)
    norms = []

    def closure():
        optimizer.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        found.step(losses={"square": loss}, total=loss)
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), 0.01).item())
        return loss

    returned = [
        optimizer.step(closure=closure).item() if named else optimizer.step(closure).item() for _ in range(5)
    ]
    assert [step.total for step in found.steps] == returned
    assert [step.grad_norm for step in found.steps] == pytest.approx(norms)
    factors = [step.measures[Measure.CLIP_FACTOR] for step in found.steps]
    assert factors == pytest.approx([0.01 / norm for norm in norms], rel=1e-3)
    assert Measure.UPDATE_RATIO in found.steps[4].measures and not any(step.skipped for step in found.steps)


def test_what_is_no_mapping_of_losses_is_refused():
    model = small()
    found = watch(model, torch.optim.SGD(model.parameters(), lr=0.1))
    for tell in (found.step, found.accumulate, found.components):
        with pytest.raises(UserError) as error:
            tell(torch.tensor(1.0))
        assert str(error.value) == (
            "losses are given by name, not as an object of type Tensor; write {'loss': loss}"
        )


def test_a_component_without_a_gradient_is_refused():
    model = small()
    found = watch(model, torch.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(UserError) as error:
        found.components({"kl": torch.tensor(1.0)})
    assert str(error.value) == (
        "loss 'kl' does not require grad, so it has no share in the gradient; show the tensor itself, neither "
        "detached nor as a number, and leave a constant out"
    )


def test_what_is_no_policy_is_refused():
    model = small()
    with pytest.raises(UserError) as error:
        watch(model, torch.optim.SGD(model.parameters(), lr=0.1), policy={"blow_up": 1.0})
    assert str(error.value) == (
        "policy is an object of type dict; give a stability.judging.policy.Policy, for example "
        "Policy(given_back=0.6)"
    )


def test_a_trace_learns_the_losses_from_the_step():
    """Told after the backward pass, and by their own tensors."""
    model = small().eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    found = watch(model, optimizer)
    [(x, y)] = batches(1)

    def step():
        mel, kl = (model(x) - y).square().mean(), (model(x) * 0).log().mean()
        (mel + kl).backward()
        found.step({"mel": mel, "kl": kl})
        optimizer.step()

    assert trace(step).component == "kl"


def test_arguments_in_another_order():
    model = small()
    with pytest.raises(UserError) as error:
        watch(torch.optim.SGD(model.parameters(), lr=0.1), model)
    assert str(error.value) == (
        "stability.watch was given SGD and Sequential; it takes the torch.nn.Module that is trained, then its "
        "torch.optim.Optimizer: stability.watch(model, optimizer)"
    )
