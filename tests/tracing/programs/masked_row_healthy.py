"""The same, but what the padded item gives is left out by its mask before anything reads it."""
import torch
from torch import nn

torch.manual_seed(0)
qkv = nn.Linear(8, 24)
optimizer = torch.optim.AdamW(qkv.parameters(), 1e-3)
for step in range(6):
    lengths = torch.tensor([5, 3, 4])
    padded = torch.arange(5)[None] >= lengths[:, None]
    q, k, v = qkv(torch.randn(3, 5, 8)).chunk(3, -1)
    scores = (q @ k.transpose(1, 2)).masked_fill(padded[:, None], float("-inf"))
    loss = (scores.softmax(-1) @ v)[~padded].square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
