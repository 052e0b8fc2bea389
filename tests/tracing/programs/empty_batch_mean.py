"""The mean of a loss over positions, none of which is masked in one batch."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(6, 6)
optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
for step in range(6):
    tokens = torch.randn(4, 6)
    mask = torch.rand(4, 6) < (0.4 if step != 4 else 0.0)
    predicted = model(tokens * ~mask)
    loss = (predicted - tokens)[mask].square().mean()  # <- forward mean
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
