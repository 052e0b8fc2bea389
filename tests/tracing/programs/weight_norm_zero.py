"""Weight normalisation of a direction that is 0."""
import torch
from torch import nn


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.g = nn.Parameter(torch.ones(4, 1))
        self.v = nn.Parameter(torch.randn(4, 6))

    def forward(self, x):
        weight = self.g * self.v / self.v.norm(dim=1, keepdim=True)  # <- forward div
        return x @ weight.t()


torch.manual_seed(0)
model = Normed()
optimizer = torch.optim.SGD(model.parameters(), 1e-2)
for step in range(6):
    loss = (model(torch.randn(8, 6)) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step == 2:
        model.v.data[1] = 0.0  # a pruned unit
    print(step, loss.item())
