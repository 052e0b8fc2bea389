"""A compiled model, whose operations are only seen where it runs without its compiler."""
import torch
from torch import nn


class Body(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 12), nn.Linear(12, 1)

    def forward(self, x):
        hidden = self.a(x).relu()
        return self.b(hidden / hidden.sum(-1, keepdim=True))  # <- forward div


torch.manual_seed(0)
model = torch.compile(Body(), backend="aot_eager")
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
for step in range(6):
    x = torch.randn(4, 6)
    if step == 4:
        with torch.no_grad():
            model.a.bias.fill_(-100.0)
    loss = model(x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
