"""The program leaves its loop at a loss that is NaN, and ends well."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 4)
optimizer = torch.optim.SGD(model.parameters(), 1e-2)
for step in range(9):
    y = model(torch.randn(4, 4))
    scale = torch.ones(()) if step < 6 else torch.zeros(())
    loss = (y * scale / scale).square().mean()  # <- forward div
    if torch.isnan(loss):
        print("nan")
        break
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
