"""The library's own norm of rows that are all 0, with its eps."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.Linear(6, 1))
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
for step in range(6):
    x = torch.randn(5, 4)
    x[1] = 0
    loss = model(x).square().mean() + nn.functional.cosine_similarity(x, torch.zeros_like(x)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
