"""Squares in half precision: 300 squared is more than 65504."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(16, 16)
optimizer = torch.optim.SGD(model.parameters(), 1e-4)
for step in range(6):
    x = torch.randn(4, 16) * (300.0 if step == 4 else 1.0)
    with torch.autocast("cpu", torch.float16):
        y = model(x)
        energy = y * y  # <- forward mul
        loss = energy.float().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
