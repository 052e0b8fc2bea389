"""The angle between two equal rotations: the slope of acos at 1 is infinite."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(3, 3)
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
for step in range(6):
    x = torch.randn(5, 3)
    predicted = nn.functional.normalize(model(x), dim=-1)
    cosine = (predicted * nn.functional.normalize(x, dim=-1)).sum(-1)
    if step == 3:
        cosine = cosine / cosine.detach()
    loss = torch.acos(cosine).mean()  # <- backward rsqrt,mul,neg
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
