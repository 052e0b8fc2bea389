"""Four micro-batches before each optimizer step; one of them ignores all of its targets."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(6, 5)
optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
for step in range(5):
    for micro in range(4):
        targets = torch.randint(5, (3,))
        if (step, micro) == (3, 2):
            targets[:] = -100
        loss = nn.functional.cross_entropy(model(torch.randn(3, 6)), targets) / 4  # <- forward nll_loss_forward,div
        loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    print(step, loss.item())
