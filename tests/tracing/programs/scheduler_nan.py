"""A schedule that divides by the number of its warm-up steps, which is 0: the learning rate is not a number."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for step in range(5):
    loss = model(torch.randn(8, 4)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    progress = torch.tensor(float(step - 3)) / torch.tensor(float(max(0, step - 3)))
    optimizer.param_groups[0]["lr"] = 0.1 if step < 3 else float(progress)
    optimizer.step()  # <- optimizer
    print(step, loss.item())
