"""-p log p with p = 0 is finite by hand (0), and its gradient is not."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 3)
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
for step in range(6):
    p = torch.softmax(model(torch.randn(5, 4)), -1)
    if step == 4:
        p = p * (torch.arange(5) != 2)[:, None]
    entropy = -torch.special.xlogy(p, p).sum(-1).mean()  # <- backward div,log,xlogy,mul
    optimizer.zero_grad()
    entropy.backward()
    optimizer.step()
    print(step, entropy.item())
