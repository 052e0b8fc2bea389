"""E[x^2] - E[x]^2 is below 0 by rounding, and its root is NaN."""
import torch
from torch import nn


class Normalised(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(size))

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        variance = (x * x).mean(-1, keepdim=True) - mean * mean
        return self.scale * (x - mean) / torch.sqrt(variance)  # <- forward sqrt


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), Normalised(6), nn.Linear(6, 1))
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
for step in range(6):
    x = torch.randn(8, 4)
    if step == 5:
        with torch.no_grad():
            model[0].weight.zero_()
            model[0].bias.fill_(1000.1)
    loss = model(x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
