"""Healthy look-alikes: infinities that belong there, as masks, borders and first values of a search.

Each must be reported as nothing at all.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from planted import Healthy, Step
from torch import nn
from torch.utils.checkpoint import checkpoint


def causal_and_padding_mask(device):
    """-inf above the diagonal and at padded keys; every row has a key left."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 7, 8, device=device)
    causal = torch.full((7, 7), -torch.inf, device=device).triu(1)
    padded = torch.zeros(5, 1, 7, dtype=torch.bool, device=device)
    padded[3, :, 4:] = True

    def losses():
        y = model(x)
        scores = (y @ y.transpose(1, 2) + causal).masked_fill(padded, -torch.inf)
        return {"mel": (torch.softmax(scores, dim=-1) @ y).square().mean()}

    return Step(model, losses)


def masks_that_add_up(device):
    """Two masks of half precision's lowest number add up to -inf; every row has a key left."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 7, 8, device=device)
    lowest = torch.finfo(torch.float16).min
    causal = torch.zeros(7, 7, device=device).masked_fill(torch.ones(7, 7, device=device).triu(1) > 0, lowest)
    padding = torch.zeros(5, 1, 7, device=device)
    padding[2, :, 4:] = lowest

    def losses():
        y = model(x)
        mask = causal.half() + padding.half()
        scores = (y @ y.transpose(1, 2)).half() + mask
        return {"mel": (torch.softmax(scores.float(), dim=-1) @ y).square().mean()}

    return Step(model, losses)


def top_k_by_scatter(device):
    """Nucleus-like sampling: all but the best logits are -inf, by scatter into a tensor of -inf."""
    model, x = nn.Linear(8, 10, device=device), torch.randn(5, 8, device=device)

    def losses():
        logits = model(x)
        best, where = logits.topk(3, dim=-1)
        kept = torch.full_like(logits, -torch.inf).scatter(1, where, best)
        return {"token": torch.softmax(kept, dim=-1).square().sum(-1).mean()}

    return Step(model, losses)


def max_pool_padding(device):
    """Max pooling over frames padded with -inf."""
    model, x = nn.Conv1d(4, 6, 3, device=device), torch.randn(5, 4, 12, device=device)

    def losses():
        y = F.pad(model(x), (1, 1), value=-torch.inf)
        return {"mel": F.max_pool1d(y, 3, stride=2, padding=1).square().mean()}

    return Step(model, losses)


def log_sum_over_allowed(device):
    """logsumexp with some -inf in every row."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(5, 8, device=device)
    allowed = torch.rand(5, 6, device=device) > 0.5
    allowed[:, 0] = True

    def losses():
        paths = model(x).masked_fill(~allowed, -torch.inf)
        return {"align": torch.logsumexp(paths, dim=-1).mean()}

    return Step(model, losses)


def running_best(device):
    """A running minimum that begins at inf."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 7, 8, device=device)

    def losses():
        best = torch.full((5,), torch.inf, device=device)
        for t in range(7):
            best = torch.minimum(best, model(x[:, t]).square().mean(-1))
        return {"mel": best.mean()}

    return Step(model, losses)


def ctc_with_zero_infinity(device):
    """More letters than frames in one item, but `zero_infinity` is on."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(5, 9, 8, device=device)
    targets = torch.randint(1, 6, (5, 6), device=device)
    frames, lengths = torch.tensor([9, 9, 9, 3, 9]), torch.tensor([3, 2, 4, 6, 3])

    def losses():
        log_probs = model(x).log_softmax(-1).transpose(0, 1)
        return {"ctc": F.ctc_loss(log_probs, targets, frames, lengths, zero_infinity=True)}

    return Step(model, losses)


def ctc_of_possible_targets(device):
    """CTC's table of log probabilities holds -inf for states that cannot be reached yet."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(5, 9, 8, device=device)
    targets = torch.randint(1, 6, (5, 3), device=device)
    frames, lengths = torch.full((5,), 9), torch.full((5,), 3)

    def losses():
        log_probs = model(x).log_softmax(-1).transpose(0, 1)
        return {"ctc": F.ctc_loss(log_probs, targets, frames, lengths)}

    return Step(model, losses)


def masked_classes_not_targeted(device):
    """log_softmax gives -inf for masked classes, and no target is one of them."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(5, 8, device=device)
    targets = torch.tensor([0, 1, 2, 3, 0], device=device)
    forbidden = torch.arange(6, device=device) > 3

    def losses():
        return {"token": F.cross_entropy(model(x).masked_fill(forbidden, -torch.inf), targets)}

    return Step(model, losses)


def checkpointed_attention(device):
    """Masked attention in a checkpointed block, recomputed in the backward pass, with dropout."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 7, 8, device=device)
    causal = torch.ones(7, 7, dtype=torch.bool, device=device).triu(1)

    def block(x_BTF):
        y = F.dropout(model(x_BTF), 0.2)
        return (y @ y.transpose(1, 2)).masked_fill(causal, -torch.inf).softmax(-1) @ y

    def losses():
        return {"mel": checkpoint(block, x, use_reentrant=False).square().mean()}

    return Step(model, losses)


def sdpa_with_masked_row(device):
    """torch's scaled dot product gives 0, not NaN, for a query whose keys are all masked."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 7, 8, device=device)
    keep = torch.ones(5, 1, 7, 7, dtype=torch.bool, device=device)
    keep[3] = False

    def losses():
        y = model(x).unflatten(-1, (2, 4)).transpose(1, 2)
        return {"mel": F.scaled_dot_product_attention(y, y, y, attn_mask=keep).square().mean()}

    return Step(model, losses)


def dynamic_time_warping(device):
    """Soft dynamic time warping: the borders of its table are inf."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(4, 5, 8, device=device)
    target = torch.randn(4, 6, 8, device=device)

    def losses():
        cost = torch.cdist(model(x), target)
        beyond = torch.full((4,), torch.inf, device=device)
        above = [torch.zeros(4, device=device)] + [beyond] * 6
        for i in range(5):
            row = [beyond]
            for j in range(6):
                ways = torch.stack((above[j], above[j + 1], row[j]))
                row.append(cost[:, i, j] - torch.logsumexp(-ways, dim=0))
            above = row
        return {"align": above[-1].mean()}

    return Step(model, losses)


def best_path_search(device):
    """Monotonic alignment search without gradients begins with -inf everywhere but at one cell."""
    model, x = nn.Linear(8, 6, device=device), torch.randn(4, 7, 8, device=device)

    def losses():
        scores = model(x).log_softmax(-1)
        with torch.no_grad():
            best = torch.full((4, 6), -torch.inf, device=device)
            best[:, 0] = scores[:, 0, 0]
            for t in range(1, 7):
                moved = F.pad(best[:, :-1], (1, 0), value=-torch.inf)
                best = torch.maximum(best, moved) + scores[:, t]
        return {
            "align": -scores.mean(),
            "size": scores[:, -1].gather(1, best.argmax(-1, keepdim=True)).square().mean(),
        }

    return Step(model, losses)


def pooling_over_time_by_maximum(device):
    """A maximum over valid frames; the others are -inf, and every item has a frame."""
    model, x = nn.Linear(8, 8, device=device), torch.randn(5, 7, 8, device=device)
    valid = torch.arange(7, device=device) < torch.tensor([7, 1, 3, 5, 2], device=device)[:, None]

    def losses():
        y = model(x).masked_fill(~valid[..., None], -torch.inf)
        return {"speaker": y.amax(dim=1).square().mean()}

    return Step(model, losses)


def transformer_with_padding(device):
    """torch's own encoder layer with a padding mask; every item has a frame."""
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).to(device)
    x, padded = torch.randn(5, 7, 8, device=device), torch.zeros(5, 7, dtype=torch.bool, device=device)
    padded[3, 1:] = True
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    return Step(model, lambda: {"mel": model(x, src_key_padding_mask=padded).square().mean()}, optimizer)


HEALTHY = tuple(
    Healthy(build)
    for build in (
        causal_and_padding_mask,
        masks_that_add_up,
        top_k_by_scatter,
        max_pool_padding,
        log_sum_over_allowed,
        running_best,
        ctc_with_zero_infinity,
        ctc_of_possible_targets,
        masked_classes_not_targeted,
        checkpointed_attention,
        sdpa_with_masked_row,
        dynamic_time_warping,
        best_path_search,
        pooling_over_time_by_maximum,
        transformer_with_padding,
    )
)
