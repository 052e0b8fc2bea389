"""Tracing goes with whatever else a training step uses, and changes none of its numbers."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode
from trace_lines import here

from stability.numerics.trace import Tracer, current_tracer, trace
from stability.records import Phase


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


class Net(nn.Module):
    """A bit of everything: dropout, attention, recurrence, normalisation, a shared module, in-place."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.attention = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True)
        self.recurrent = nn.LSTM(8, 8, batch_first=True)
        self.shared = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8))
        self.head = nn.Linear(8, 1)

    def forward(self, tokens_BN, pad_BN):
        x = self.attention(self.embedding(tokens_BN), src_key_padding_mask=pad_BN)
        x, _ = self.recurrent(F.dropout(x, 0.3, self.training))
        x = self.shared(self.shared(x)).clone()
        x[:, 0] += 1.0
        return self.head(F.relu(x, inplace=True)).squeeze(-1).masked_fill(pad_BN, 0.0)


def training(optimizer_class, **options):
    """A model, and steps of it that return the loss."""
    torch.manual_seed(1)
    model = Net()
    optimizer = optimizer_class(model.parameters(), lr=1e-2, **options)
    tokens, pad = torch.randint(0, 11, (3, 6)), torch.zeros(3, 6, dtype=torch.bool)
    pad[1, 4:] = True

    def step():
        optimizer.zero_grad()
        loss = model(tokens, pad).square().mean()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        return loss

    return model, step


@pytest.mark.parametrize(
    ("optimizer_class", "options"),
    [
        (torch.optim.AdamW, {"foreach": True}),
        (torch.optim.AdamW, {"fused": True}),
        (torch.optim.AdamW, {"foreach": False}),
        (torch.optim.SGD, {"momentum": 0.9}),
        (torch.optim.RMSprop, {}),
    ],
)
def test_a_traced_step_gives_the_same_numbers(optimizer_class, options):
    plain, plain_step = training(optimizer_class, **options)
    losses = [plain_step() for _ in range(4)]
    state = torch.get_rng_state()
    traced, traced_step = training(optimizer_class, **options)
    traced_losses = []
    for number in range(4):
        if number % 2:
            assert trace(lambda: traced_losses.append(traced_step())) is None
        else:
            traced_losses.append(traced_step())
    assert torch.equal(torch.stack(losses), torch.stack(traced_losses))
    assert torch.equal(state, torch.get_rng_state())
    for before, after in zip(plain.state_dict().values(), traced.state_dict().values(), strict=True):
        assert torch.equal(before, after)


class Root(nn.Module):
    def forward(self, x):
        energy = x.square().sum(-1)
        return torch.sqrt(energy)  # here


class Log(nn.Module):
    def forward(self, x):
        return torch.log(x.square().sum(-1))  # here


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize(("block", "phase"), [(Root(), Phase.BACKWARD), (Log(), Phase.FORWARD)])
def test_checkpointing(reentrant, block, phase):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.block = nn.Linear(4, 4, bias=False), block

        def forward(self, x):
            return checkpoint(self.block, self.first(x), use_reentrant=reentrant)

    model, x = Model(), torch.randn(3, 4)
    x[1] = 0.0

    def step():
        energy = model(x).mean()
        size = model.first.weight.abs().mean()
        (energy + size).backward()
        return {"size": size, "energy": energy}

    found = trace(step)
    assert (found.phase, found.module, found.component) == (phase, "block", "energy")
    assert (found.file, found.line) == here(type(block).forward)
    assert found.batch_index == 1


def test_shared_module_is_named_by_the_way_it_was_called():
    class Twice(nn.Module):
        def __init__(self, part):
            super().__init__()
            self.part = part

        def forward(self, x):
            return self.part(x)

    shared = nn.Sequential(nn.Linear(4, 4), Log())
    model = nn.ModuleDict({"a": Twice(nn.Linear(4, 4)), "b": Twice(shared), "c": Twice(shared)})
    x = torch.randn(3, 4)

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = model

        def forward(self, x):
            return self.parts["c"](self.parts["a"](x) * 0 - shared[0].bias)

    whole = Whole()
    nn.init.zeros_(shared[0].bias)
    found = trace(lambda: whole(x).sum().backward())
    assert (found.module, found.op) == ("parts.c.part.1", "aten.log.default")


def test_autocast_overflow_is_the_products():
    layer, x = nn.Linear(4, 4), torch.full((3, 4), 6e4)
    nn.init.constant_(layer.weight, 10.0)

    def step():
        with torch.autocast("cpu", dtype=torch.float16):
            y = layer(x)  # here
        y.float().mean().backward()

    found = trace(step)
    assert (found.phase, found.op, found.value) == (Phase.FORWARD, "aten.addmm.default", "inf")
    assert found.line == here(step)[1]


def test_skipped_step_of_a_scaler_is_reported_while_gradients_are_not_finite():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**40)

    def step():
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16):
            y = layer(x)
        loss = y.float().square().mean()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss

    def step_and_forget():
        step()
        optimizer.zero_grad()

    found = trace(step)
    assert (found.phase, found.op) == (Phase.BACKWARD, "aten._to_copy.default")
    scaler.update(2.0**40)
    assert trace(step_and_forget) is None
    assert torch.isfinite(layer.weight).all()


def test_sparse_gradients():
    table, ids = nn.Embedding(10, 4, sparse=True), torch.tensor([[1, 2], [3, 4], [5, 6]])
    optimizer = torch.optim.SparseAdam(table.parameters())
    guilty = torch.tensor([1.0, 0.0, 1.0])[:, None]

    def step():
        optimizer.zero_grad()
        (table(ids).square().sum(-1) * guilty).sqrt().sum().backward()
        optimizer.step()

    found = trace(step)
    assert (found.phase, found.op, found.batch_index) == (Phase.BACKWARD, "aten.div.Tensor", 1)


def test_function_transforms():
    layer, x = nn.Linear(4, 4, bias=False), torch.randn(3, 4)
    x[2] = 0.0

    def step():
        y = layer(x)
        torch.func.vmap(lambda row: (row / row.norm()).sum())(y).sum().backward()

    found = trace(step)
    assert (found.op, found.batch_index) == ("aten.div.Tensor", 2)


class Through(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def test_modes_of_the_step_itself():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)

    def step():
        with FlopCounterMode(display=False) as counter, Through():
            y = layer(x)
        (y * 0).log().sum().backward()
        flops.append(counter.get_total_flops())

    flops: list[int] = []
    assert trace(step).op == "aten.log.default"
    with FlopCounterMode(display=False) as outer:
        assert trace(step).op == "aten.log.default"
    assert flops == [96, 96]
    assert outer.get_total_flops() == 96 + 96  # forward and the gradient of the weight


def test_a_trace_within_a_trace():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)
    inner = []

    def step():
        inner.append(trace(lambda: (layer(x) * 0).log()))
        layer(x).sum().backward()

    assert trace(step) is None
    assert inner[0].op == "aten.log.default"


def test_closures_of_an_optimizer_are_no_update():
    layer, x = nn.Linear(4, 1), torch.randn(3, 4)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=3)

    def closure():
        optimizer.zero_grad()
        loss = (layer(x) * 0).sum().log()  # here
        loss.backward()
        return loss

    found = trace(lambda: optimizer.step(closure))
    assert (found.phase, found.line) == (Phase.FORWARD, here(closure)[1])


def test_module_reached_through_a_method_of_its_parent():
    class Trained(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(4, 4), Log())

        def training_step(self, x):
            return self.encoder(x * 0).sum()

    model, x = Trained(), torch.randn(3, 4)
    nn.init.zeros_(model.encoder[0].bias)
    assert trace(lambda: model.training_step(x).backward()).module == "encoder.1"


def test_what_the_step_raises_comes_through_with_a_note():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)

    def broken():
        (layer(x) * 0).log()  # here
        raise LookupError("no such batch")

    with pytest.raises(LookupError, match="^no such batch") as raised:
        trace(broken)
    file, line = here(broken)
    assert raised.value.__notes__ == [
        f"stability.trace: first non-finite value so far: -inf from aten.log.default at {file}:{line} (forward)"
    ]
    assert current_tracer() is None and not torch.is_anomaly_enabled()


def test_what_a_healthy_step_raises_comes_through_with_a_note():
    with pytest.raises(ZeroDivisionError) as raised:
        trace(lambda: 1 / 0)
    assert raised.value.__notes__ == ["stability.trace: all values were finite so far"]


def test_tracer_is_switched_on_and_off_between_calls():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)
    tracer = Tracer()
    assert current_tracer() is None
    tracer.start()
    assert current_tracer() is tracer and torch.is_anomaly_enabled()
    mel, kl = layer(x).mean(), (layer(x) * 0).log().mean()
    current_tracer().components({"mel": mel, "kl": kl, "lr": 0.1})
    (mel + kl).backward()
    tracer.stop()
    tracer.stop()
    assert current_tracer() is None and not torch.is_anomaly_enabled()
    found = tracer.provenance()
    assert (found.op, found.component) == ("aten.log.default", "kl")
    assert tracer.roots == [layer]


def test_tracer_stops_below_a_mode_that_is_still_on():
    tracer, counter = Tracer(), FlopCounterMode(display=False)
    tracer.start()
    with counter:
        tracer.stop()
        assert current_tracer() is None
        torch.randn(2, 3) @ torch.randn(3, 4)
    assert counter.get_total_flops() == 48


def test_the_users_anomaly_mode_is_given_back():
    with pytest.warns(UserWarning, match="Anomaly Detection"), torch.autograd.detect_anomaly():
        trace(lambda: torch.ones(2).sum())
        assert torch.is_anomaly_enabled() and torch.is_anomaly_check_nan_enabled()


def test_empty_tensors():
    layer, x = nn.Linear(4, 4), torch.randn(0, 5, 4)

    def step():
        y = layer(x).flatten(0, 1)[:, 1:].transpose(0, 1)
        rows = layer(torch.randn(3, 4))[torch.zeros(3, dtype=torch.bool)]
        (y.sum() + rows.view(-1).sum()).backward()

    assert trace(step) is None


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested")
def test_evaluation_with_nested_tensors():
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2).eval()
    x, pad = torch.randn(3, 5, 8), torch.zeros(3, 5, dtype=torch.bool)
    pad[1, 3:] = True

    def step():
        with torch.no_grad():
            return model(x, src_key_padding_mask=pad).sum()

    assert trace(step) is None


def test_inference_mode():
    layer, x = nn.Linear(4, 4), torch.randn(3, 4)

    def step():
        with torch.inference_mode():
            y = layer(x)
            y[0] += 1
            y.view(-1)[3:].log()
        layer(x).sum().backward()

    assert trace(step) is None


def test_a_frozen_weight_that_broke_long_ago_and_took_no_part():
    model, x = nn.ModuleDict({"used": nn.Linear(4, 4), "unused": nn.Linear(4, 4)}), torch.randn(3, 4)
    model["unused"].weight.data[0] = math.nan

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = model

        def forward(self, x):
            return self.parts["used"](x)

    whole = Whole()
    found = trace(lambda: whole(x).sum().backward())
    assert (found.phase, found.source) == (Phase.EXTERNAL, "weight parts.unused.weight")
    assert (found.op, found.chain) == (None, ())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize(("block", "phase"), [(Root(), Phase.BACKWARD), (Log(), Phase.FORWARD)])
def test_on_cuda(block, phase):
    model, x = nn.Sequential(nn.Linear(4, 4, bias=False), block).cuda(), torch.randn(3, 4).cuda()
    x[1] = 0.0
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)

    def step():
        optimizer.zero_grad()
        loss = model(x).mean()
        loss.backward()
        optimizer.step()
        return {"energy": loss}

    found = trace(step)
    assert (found.phase, found.module, found.component) == (phase, "1", "energy")
    assert (found.file, found.line) == here(type(block).forward)
    assert found.batch_index == 1


def test_what_a_step_hides_is_known_to_the_tracer_alone():
    w = torch.tensor([0.5, -0.5], requires_grad=True)
    tracer = Tracer()
    tracer.start()
    loss = w.log().mean()
    shown = torch.where(loss.isfinite(), loss, torch.zeros(()))
    shown.backward()
    tracer.stop()
    assert tracer.provenance(shown.detach()) is None or w.grad.isnan().any()
    assert tracer.hidden().op == "aten.log.default"


def test_reading_a_loss_after_backward_does_not_end_the_backward_pass():
    w = torch.ones(3, requires_grad=True)

    def step():
        loss = (w * 2.0).sum()
        loss.backward()
        loss.item(), loss.detach()
        with torch.no_grad():
            w.sub_(w.grad / torch.zeros(3))

    found = trace(step)
    assert (found.phase, found.op) == (Phase.OPTIMIZER, "aten.div.Tensor")


def test_reading_a_loss_before_an_update_with_gradients_enabled():
    w = torch.ones(3, requires_grad=True)

    def step():
        loss = (w * 2.0).sum()
        loss.backward()
        print(loss.item())
        change = w.grad / torch.zeros(3)
        with torch.no_grad():
            w.sub_(change)

    assert trace(step).phase is Phase.OPTIMIZER
