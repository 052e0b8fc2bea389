"""Micro-batches, a frozen layer, a schedule: nothing breaks."""
import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Linear(6, 6), nn.Linear(6, 5)
body.requires_grad_(False)
optimizer = torch.optim.AdamW(head.parameters(), 1e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5)
for step in range(5):
    for _ in range(3):
        loss = nn.functional.cross_entropy(head(body(torch.randn(3, 6)).relu()), torch.randint(5, (3,))) / 3
        loss.backward()
    nn.utils.clip_grad_norm_(head.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
    print(step, loss.item())
