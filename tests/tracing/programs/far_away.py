"""It breaks after 150 steps: some copies have come and gone."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
for step in range(180):
    x = torch.randn(16, 32)
    variance = torch.nn.functional.softplus(model(x)) * (0.0 if step == 150 else 1.0)
    loss = (x[:, :1].square() / variance + variance.clamp(min=1e-8).log()).mean()  # <- forward div
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(loss.item())
