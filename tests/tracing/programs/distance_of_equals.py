"""The distance between two equal embeddings: the slope of the root at 0."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 6)
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
for step in range(6):
    a, b = torch.randn(2, 5, 4)
    if step == 3:
        b[1] = a[1]
    distance = (model(a) - model(b)).square().sum(-1).sqrt()  # <- backward div
    loss = distance.mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
