"""Steps after publicly reported NaNs, each with its true phase, operation and line, and healthy look-alikes."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from trace_lines import here

from stability.numerics.trace import trace
from stability.records import Phase

BATCH, GUILTY = 4, 2


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def silent(x):
    """The batch with one element of zeros."""
    return x * (torch.arange(len(x)) != GUILTY).reshape(-1, *[1] * (x.ndim - 1))


def training(layer, loss):
    """A step of Adam; `loss` has the line that is to be found."""
    optimizer = torch.optim.Adam(layer.parameters(), 1e-3)
    x = torch.randn(BATCH, 6, 8)

    def step():
        optimizer.zero_grad()
        value = loss(layer, x)
        value.backward()
        optimizer.step()
        return {"loss": value}

    return step


def found_in(loss, layer=None):
    found = trace(training(layer or nn.Linear(8, 8, bias=False), loss))
    assert found is not None and (found.file, found.line) == here(loss)
    return found


def test_attention_whose_keys_are_all_padding():
    def loss(layer, x):
        keep = torch.arange(BATCH) != GUILTY
        scores = layer(x) @ x.mT
        scores = scores.masked_fill(~keep[:, None, None], -math.inf)
        weights = F.softmax(scores, dim=-1)  # here
        return (weights @ x).square().mean()

    found = found_in(loss)
    assert (found.phase, found.op) == (Phase.FORWARD, "aten._softmax.default")
    assert (found.batch_index, found.value) == (GUILTY, "nan")


def test_scaled_dot_product_attention_whose_row_sees_nothing():
    def loss(layer, x):
        q = layer(x)
        scores = q @ q.mT / 8**0.5
        scores = scores + torch.full((6, 6), -math.inf).triu(0)
        return (scores.softmax(-1) @ x).mean()  # here

    found = found_in(loss)
    assert (found.phase, found.op, found.batch_index) == (Phase.FORWARD, "aten._softmax.default", None)


def test_norm_at_zero():
    def loss(layer, x):
        y = layer(silent(x))
        return y.square().sum((1, 2)).sqrt().mean()  # here

    found = found_in(loss)
    assert (found.phase, found.backward_of, found.batch_index) == (Phase.BACKWARD, "sqrt", GUILTY)
    assert {each.name: each.at for each in found.inputs}["div.other"] == 0.0


def test_cosine_of_a_vector_that_is_normalised_by_hand():
    def loss(layer, x):
        y = layer(silent(x)).mean(1)
        unit = y / y.norm(dim=1, keepdim=True)  # here
        return (unit @ unit.T).mean()

    found = found_in(loss)
    assert (found.phase, found.op, found.batch_index) == (Phase.FORWARD, "aten.div.Tensor", GUILTY)


@pytest.mark.filterwarnings("ignore:std")
def test_deviation_of_one_frame():
    def loss(layer, x):
        lengths = [6, 3, 1, 2]
        y = layer(x)
        deviations = [y[i, :n].std(dim=0).mean() for i, n in enumerate(lengths)]  # here
        return torch.stack(deviations).mean()

    found = found_in(loss)
    assert (found.phase, found.op, found.batch_index) == (Phase.FORWARD, "aten.std.correction", GUILTY)


def test_angle_of_parallel_vectors():
    def loss(layer, x):
        y = layer(x)
        cosine = F.cosine_similarity(y, y.detach(), dim=-1).round(decimals=3)
        cosine = cosine.detach() + 0.0 * y.sum(-1)
        return torch.acos(cosine).mean()  # here

    assert found_in(loss).phase is Phase.BACKWARD


def test_angle_of_a_rotation_whose_trace_rounds_above_three():
    def loss(layer, x):
        trace_of = 3.0 + 1e-6 * layer(x).square().mean((1, 2))
        return torch.acos((trace_of - 1.0) / 2.0).mean()  # here

    found = found_in(loss)
    assert (found.phase, found.op, found.value) == (Phase.FORWARD, "aten.acos.default", "nan")


def test_phase_angle_of_silence():
    def loss(layer, x):
        y = layer(silent(x))
        return torch.atan(y[..., 0] / y[..., 1]).mean()  # here

    found = found_in(loss)
    assert (found.phase, found.op, found.batch_index) == (Phase.FORWARD, "aten.div.Tensor", GUILTY)


def test_power_of_a_magnitude_that_is_zero():
    def loss(layer, x):
        magnitude = layer(silent(x)).abs()
        return magnitude.pow(0.3).mean()  # here

    found = found_in(loss)
    assert (found.phase, found.backward_of, found.batch_index) == (Phase.BACKWARD, "pow", GUILTY)
    assert found.inputs[0].at == 0.0


def test_root_of_a_negative_variance():
    def loss(layer, x):
        y = 1.0005 + 0.0 * layer(x)
        variance = (y**2).mean(1) - y.mean(1).half().float() ** 2  # a mean that was kept in half precision
        return torch.sqrt(variance).mean()  # here

    found = found_in(loss)
    assert (found.phase, found.op, found.value) == (Phase.FORWARD, "aten.sqrt.default", "nan")
    assert found.inputs[0].at < 0.0


def test_weight_norm_of_a_row_of_zeros():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(8, 8, bias=False))
    layer.parametrizations.weight.original1.data[3] = 0.0

    def loss(layer, x):
        return layer(x).square().mean()  # here

    found = found_in(loss, layer)
    assert (found.phase, found.op) == (Phase.FORWARD, "aten._weight_norm_interface.default")


class Reversed(torch.autograd.Function):
    """Turns a gradient about and makes it a unit vector, by its norm that may be 0."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return -gradient / gradient.norm(dim=-1, keepdim=True)  # here


def test_backward_written_by_hand():
    def loss(layer, x):
        y = Reversed.apply(layer(x))
        return (silent(y)).square().mean()

    found = trace(training(nn.Linear(8, 8), loss))
    assert (found.phase, found.op, found.value) == (Phase.BACKWARD, "aten.div.Tensor", "nan")
    assert (found.file, found.line) == here(Reversed.backward)
    assert found.batch_index in (GUILTY, None)


class Quantised(nn.Module):
    """A codebook that follows the mean of what chose each entry, as averages of counts and sums."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(8, 8)
        self.register_buffer("counts", torch.zeros(3))
        self.register_buffer("sums", torch.zeros(3, 8))
        self.register_buffer("entries", torch.cat((torch.zeros(2, 8), torch.full((1, 8), 1e4))))

    def forward(self, x):
        y = self.project(x).flatten(0, 1)
        chosen = torch.cdist(y, self.entries).argmin(1)
        with torch.no_grad():
            self.follow(y, F.one_hot(chosen, 3).to(y.dtype))
        return y + (self.entries[chosen] - y).detach()

    def follow(self, y, chosen):
        self.counts.mul_(0.9).add_(chosen.sum(0), alpha=0.1)
        self.sums.mul_(0.9).add_(chosen.T @ y, alpha=0.1)
        self.entries.copy_(self.sums / self.counts[:, None])  # here


def test_codebook_entry_that_was_never_chosen():
    found = trace(training(Quantised(), lambda model, x: model(x).square().mean()))
    assert (found.phase, found.op) == (Phase.FORWARD, "aten.div.Tensor")
    assert (found.file, found.line) == here(Quantised.follow)


def test_schedule_that_divides_by_zero_steps():
    layer = nn.Linear(8, 8)
    optimizer = torch.optim.AdamW(layer.parameters(), 1e-3)
    warmup_steps, number = torch.tensor(0.0), 0

    def step():
        optimizer.zero_grad()
        layer(torch.randn(BATCH, 8)).square().mean().backward()
        optimizer.param_groups[0]["lr"] = float(1e-3 * number / warmup_steps)  # here
        optimizer.step()

    found = trace(step)
    assert (found.phase, found.line) == (Phase.OPTIMIZER, here(step)[1])


def test_where_that_guards_the_value_and_not_the_slope():
    def loss(layer, x):
        energy = layer(silent(x)).square().sum(-1)
        size = torch.sqrt(energy)  # here
        return torch.where(energy > 0, size, torch.zeros(())).mean()

    found = found_in(loss)
    assert (found.phase, found.backward_of, found.batch_index) == (Phase.BACKWARD, "sqrt", GUILTY)


def test_divergence_of_normals_whose_log_variance_is_large():
    def loss(layer, x):
        log_variance = 200.0 * layer(x).abs().amax(-1) * (torch.arange(BATCH) == GUILTY)[:, None] + 1.0
        divergence = log_variance.exp() - 1.0 - log_variance  # here
        return divergence.mean()

    found = found_in(loss)
    assert (found.phase, found.op, found.batch_index) == (Phase.FORWARD, "aten.exp.default", GUILTY)


def test_cross_entropy_of_an_utterance_without_targets():
    def loss(layer, x):
        targets = torch.full((BATCH, 6), -100)
        return F.cross_entropy(layer(x).mT, targets)  # here

    found = found_in(loss)
    assert (found.phase, found.value) == (Phase.FORWARD, "nan")
    assert found.op in ("aten.nll_loss2d_forward.default", "aten.nll_loss_forward.default")


def test_mean_of_nothing_that_was_selected():
    def loss(layer, x):
        y = layer(x)
        return y.square().mean() + y[y > 1e9].mean()  # here

    found = found_in(loss)
    assert (found.phase, found.op, found.value) == (Phase.FORWARD, "aten.mean.default", "nan")


def guarded_where(layer, x):
    energy = layer(silent(x)).square().sum(-1)
    safe = torch.where(energy > 0, energy, torch.ones(()))
    return torch.where(energy > 0, safe.log(), torch.zeros(())).mean()


def masked_entropy(layer, x):
    logits = layer(x).masked_fill(torch.arange(8) > 5, -math.inf)
    log_p = logits.log_softmax(-1)
    return -(log_p.exp() * log_p.masked_fill(log_p == -math.inf, 0.0)).sum(-1).mean()


def padded_rows_left_out(layer, x):
    y = layer(x)
    keep = torch.arange(BATCH) != GUILTY
    scores = (y @ y.mT).masked_fill(~keep[:, None, None], -math.inf)
    return (scores[keep].softmax(-1) @ x[keep]).square().mean()


def running_maximum(layer, x):
    best = torch.full((BATCH,), -math.inf)
    for frame in layer(x).unbind(1):
        best = torch.maximum(best, frame.amax(-1))
    return best.mean()


def slopes_that_torch_guards(layer, x):
    y = layer(silent(x))
    angles = torch.atan2(y[..., 0], y[..., 1])
    return y.std(dim=1).mean() + y.norm(dim=-1).mean() + angles.mean()


def statistics_beside_the_loss(layer, x):
    y = layer(silent(x))
    with torch.no_grad():
        ratio = y.detach()[GUILTY] / y.detach()[GUILTY].norm()
        assert ratio.isnan().all()
    return y.square().mean()


def overflow_that_tanh_bounds(layer, x):
    return torch.tanh(layer(x).detach().mul(1e30).mul(1e30)).mean() + layer(x).square().mean()


def logarithm_of_noise(layer, x):
    uniform = torch.rand(BATCH, 6, 8)
    uniform[0, 0, 0] = 0.0
    gumbel = -torch.log(-torch.log(uniform))
    return (layer(x) + gumbel).softmax(-1).square().mean()


def top_k_filter(layer, x):
    scores = layer(x)
    least = scores.topk(3).values[..., -1:]
    return scores.where(scores >= least, torch.tensor(-math.inf)).softmax(-1).square().mean()


HEALTHY = (
    guarded_where,
    masked_entropy,
    padded_rows_left_out,
    running_maximum,
    slopes_that_torch_guards,
    statistics_beside_the_loss,
    overflow_that_tanh_bounds,
    logarithm_of_noise,
    top_k_filter,
)


@pytest.mark.parametrize("loss", HEALTHY, ids=lambda loss: loss.__name__)
def test_a_healthy_look_alike(loss):
    layer = nn.Linear(8, 8, bias=False)
    step = training(layer, loss)
    assert trace(step) is None
    assert layer.weight.isfinite().all()
