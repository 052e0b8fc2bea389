"""Logarithm of a masked value made safe before, as it should be."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(8, 8)
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
for step in range(6):
    y = torch.relu(model(torch.randn(4, 8)))
    positive = y > 0
    safe = torch.where(positive, y, torch.ones(()))
    loss = torch.where(positive, safe.log(), torch.zeros(())).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
