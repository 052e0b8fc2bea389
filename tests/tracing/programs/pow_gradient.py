"""Power-law compression of a magnitude that becomes 0: the slope of a root is infinite there."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(8, 8)
optimizer = torch.optim.SGD(model.parameters(), 1e-2)
for step in range(7):
    x = torch.randn(4, 8)
    magnitude = torch.relu(model(x)) + 0.1
    if step == 4:
        magnitude = magnitude * (torch.arange(4) != 1)[:, None]
    loss = (magnitude**0.4).mean()  # <- backward pow,mul
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
