"""A causal mask of -inf is a buffer of its module, and a NaN marks what a second buffer does not know yet."""
import torch
from torch import nn


class Causal(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.register_buffer("mask", torch.full((5, 5), -torch.inf).triu(1))
        self.register_buffer("best", torch.full((), torch.nan))

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        return (q @ k.transpose(1, 2) + self.mask).softmax(-1) @ v


torch.manual_seed(0)
model = Causal()
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
for step in range(6):
    loss = model(torch.randn(3, 5, 8)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
