"""An assertion ends the program, with its traceback."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 4)
optimizer = torch.optim.Adam(model.parameters(), 1e-2)
for step in range(9):
    y = model(torch.randn(4, 4)) + (0 if step < 4 else -1e3)
    loss = torch.sqrt(y).mean() if step >= 4 else y.square().mean()  # <- forward sqrt
    assert torch.isfinite(loss), f"loss {loss} at step {step}"
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
