"""Faults in attention: scores, masks, normalisers and what is computed from the weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from planted import Fault, Step
from torch import nn

from stability.records import Phase


class Attention(nn.Module):
    """Two heads, softmax by hand; `mask_BT` is True where a key is padding."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x_BTF, mask_BT):
        q, k, v = (self._heads(project(x_BTF)) for project in (self.q, self.k, self.v))
        scores = (q @ k.transpose(-1, -2)) / 2.0
        scores = scores.masked_fill(mask_BT[:, None, None, :], -torch.inf)
        weights = torch.softmax(scores, dim=-1)  # <- fault: every_key_masked
        return (weights @ v).transpose(1, 2).flatten(2)

    def _heads(self, x_BTF):
        return x_BTF.unflatten(-1, (2, 4)).transpose(1, 2)


class Layer(nn.Module):
    """Attention below a residual connection, so that its path is `attention`."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.out = Attention(), nn.Linear(8, 8)

    def forward(self, x_BTF, mask_BT):
        return self.out(x_BTF + self.attention(x_BTF, mask_BT))


def padding(items: int, frames: int, device: str, **lengths: int) -> torch.Tensor:
    """A mask, True where padded; `item_3=2` says that item 3 has 2 frames (all others are full)."""
    mask = torch.zeros(items, frames, dtype=torch.bool, device=device)
    for name, length in lengths.items():
        mask[int(name.removeprefix("item_")), length:] = True
    return mask


def every_key_masked(device):
    """All keys of one item are padding: the softmax of a row of nothing but -inf."""
    model, x = Layer().to(device), torch.randn(5, 7, 8, device=device)
    mask = padding(5, 7, device, item_1=4, item_3=0)

    def losses():
        return {"mel": model(x, mask).abs().mean()}

    return Step(model, losses)


def half_precision_scores(device):
    """Queries times keys above 65504 in half precision; the scaling comes too late."""
    model = nn.ModuleDict({"q": nn.Linear(8, 8, bias=False), "k": nn.Linear(8, 8, bias=False)}).to(device)
    x = torch.randn(4, 6, 8, device=device)
    x[2] *= 400

    def losses():
        q, k = (model[name](x).half().unflatten(-1, (2, 4)).transpose(1, 2) for name in ("q", "k"))
        scores = torch.matmul(q, k.transpose(-1, -2))  # <- fault: half_precision_scores
        weights = torch.softmax(scores.float() / 2.0, dim=-1)
        return {"align": weights.square().sum(-1).mean()}

    return Step(model, losses)


class PaddedAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x_BTF, mask_BT):
        y_BTF, _ = self.attention(x_BTF, x_BTF, x_BTF, mask_BT)  # <- fault: multihead_padded_item
        return y_BTF


def multihead_padded_item(device):
    """torch's own attention with an item that is all padding."""
    model, x = PaddedAttention().to(device), torch.randn(5, 7, 8, device=device)
    mask = padding(5, 7, device, item_1=4, item_2=0)

    def losses():
        return {"mel": model(x, mask).abs().mean()}

    return Step(model, losses)


def softmax_without_maximum(device):
    """A softmax by hand that does not subtract the maximum: exp of a score of 95."""
    model, x = nn.Linear(8, 1, device=device), torch.randn(4, 6, 8, device=device)
    sharp = torch.ones(4, 1, device=device)
    sharp[1] = 0.0

    def losses():
        scores = model(x).squeeze(-1) + 95 * (1 - sharp)
        powers = torch.exp(scores)  # <- fault: softmax_without_maximum
        weights = powers / powers.sum(-1, keepdim=True)
        return {"mel": scores.abs().mean(), "align": weights.square().sum(-1).mean()}

    return Step(model, losses)


def guided_attention_of_empty_item(device):
    """Guided attention averaged over an item without text."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(5, 7, 8, device=device)
    valid = ~padding(5, 7, device, item_2=5, item_3=0)
    frames, letters = torch.arange(7, device=device) / 7, torch.arange(6, device=device) / 6
    penalty = 1 - torch.exp(-((frames[:, None] - letters) ** 2) / 0.08)

    def losses():
        weights = torch.softmax(model(x), dim=-1)
        off_diagonal = ((weights * penalty).sum(-1) * valid).sum(-1)
        guided = off_diagonal / valid.sum(-1)  # <- fault: guided_attention_of_empty_item
        return {"mel": weights.square().mean(), "guided": guided.mean()}

    return Step(model, losses)


def linear_attention_without_mass(device):
    """Linear attention with relu features: a query that no key answers has a normaliser of 0."""
    model = nn.ModuleDict({"q": nn.Linear(8, 8), "k": nn.Linear(8, 8)}).to(device)
    x, live = torch.randn(4, 6, 8, device=device), torch.ones(4, 1, 1, device=device)
    live[2] = 0.0

    def losses():
        q, k = torch.relu(model["q"](x)) + 0.1, torch.relu(model["k"](x) * live)
        numerator = q @ (k.transpose(-1, -2) @ x)
        y = numerator / (q @ k.sum(1).unsqueeze(-1))  # <- fault: linear_attention_without_mass
        return {"mel": y.abs().mean()}

    return Step(model, losses)


def entropy_of_padded_attention(device):
    """The entropy of attention weights: padding has a weight of exactly 0, and log(0) is -inf."""
    model, x = nn.Linear(8, 7, device=device), torch.randn(5, 7, 8, device=device)
    mask = padding(5, 7, device, item_1=4)

    def losses():
        weights = model(x).masked_fill(mask[:, None, :], -torch.inf).softmax(-1)
        surprise = torch.log(weights)  # <- fault: entropy_of_padded_attention
        return {"mel": weights.square().mean(), "entropy": -(weights * surprise).sum(-1).mean()}

    return Step(model, losses)


def monotonic_attention_underflow(device):
    """Monotonic attention divides by a cumulative product that underflows to 0."""
    model, x = nn.Linear(8, 1, device=device), torch.randn(5, 12, 8, device=device)
    sure = torch.zeros(5, 1, device=device)
    sure[3] = 12.0

    def losses():
        stop = torch.sigmoid(model(x).squeeze(-1) + sure)
        stay = torch.cumprod(1 - stop, dim=-1)
        ratio = stop / stay  # <- fault: monotonic_attention_underflow
        align = stop * stay * torch.cumsum(ratio, dim=-1)
        return {"align": align.mean()}

    return Step(model, losses)


def no_allowed_path(device):
    """The forward algorithm of an item whose every path is forbidden: logsumexp of nothing but -inf."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(4, 7, 8, device=device)
    allowed = torch.ones(4, 6, dtype=torch.bool, device=device)
    allowed[:, 4:] = False
    allowed[2] = False

    def losses():
        paths = model(x).sum(1).masked_fill(~allowed, -torch.inf)
        evidence = torch.logsumexp(paths, dim=-1)  # <- fault: no_allowed_path
        return {"align": -evidence.mean()}

    return Step(model, losses)


def attention_after_silent_query(device):
    """Cosine attention: a query vector of zeros is divided by its length."""
    model, x = nn.Linear(8, 8, bias=False, device=device), torch.randn(5, 7, 8, device=device)
    x[3, 4] = 0.0

    def losses():
        q = model(x)
        direction = q / q.norm(dim=-1, keepdim=True)  # <- fault: attention_after_silent_query
        scores = F.softmax(direction @ direction.transpose(-1, -2), dim=-1)
        return {"align": scores.square().sum(-1).mean()}

    return Step(model, losses)


FAULTS = (
    Fault(
        build=every_key_masked,
        phase=Phase.FORWARD,
        op="aten._softmax.default",
        component="mel",
        batch_index=3,
        module="attention",
    ),
    Fault(
        build=half_precision_scores,
        phase=Phase.FORWARD,
        op="aten.bmm.default",
        component="align",
        batch_index=2,
    ),
    Fault(
        build=multihead_padded_item,
        phase=Phase.FORWARD,
        op="aten._softmax.default",
        component="mel",
        batch_index=2,
        module="attention",
    ),
    Fault(
        build=softmax_without_maximum,
        phase=Phase.FORWARD,
        op="aten.exp.default",
        component="align",
        batch_index=1,
    ),
    Fault(
        build=guided_attention_of_empty_item,
        phase=Phase.FORWARD,
        op="aten.div.Tensor",
        component="guided",
        batch_index=3,
    ),
    Fault(
        build=linear_attention_without_mass,
        phase=Phase.FORWARD,
        op="aten.div.Tensor",
        component="mel",
        batch_index=2,
    ),
    Fault(
        build=entropy_of_padded_attention,
        phase=Phase.FORWARD,
        op="aten.log.default",
        component="entropy",
        batch_index=1,
    ),
    Fault(
        build=monotonic_attention_underflow,
        phase=Phase.FORWARD,
        op="aten.div.Tensor",
        component="align",
        batch_index=3,
    ),
    Fault(
        build=no_allowed_path,
        phase=Phase.FORWARD,
        op="aten.logsumexp.default",
        component="align",
        batch_index=2,
    ),
    Fault(
        build=attention_after_silent_query,
        phase=Phase.FORWARD,
        op="aten.div.Tensor",
        component="align",
        batch_index=3,
    ),
)
