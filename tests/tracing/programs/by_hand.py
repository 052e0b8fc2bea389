"""Weights that are updated by hand, without an optimizer, as older language model scripts do."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 1))
rate = 0.05
for step in range(10):
    x = torch.randn(8, 6)
    y = model(x)[:, 0]
    if step == 7:
        y = y * 0
    loss = torch.sqrt(y.square().sum())  # <- backward div
    model.zero_grad()
    loss.backward()
    for weight in model.parameters():
        weight.data.add_(weight.grad, alpha=-rate)
    print(step, loss.item())
