"""A coupling layer whose log-scale runs away: exp overflows."""
import torch
from torch import nn


class Coupling(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 4))

    def forward(self, x):
        a, b = x.chunk(2, -1)
        log_s, t = self.net(a).chunk(2, -1)
        return torch.cat((a, b * torch.exp(log_s) + t), -1), log_s.sum(-1)  # <- forward exp


torch.manual_seed(0)
flow = Coupling()
optimizer = torch.optim.SGD(flow.parameters(), 1e-2)
for step in range(6):
    x = torch.randn(16, 4) * (2000.0 if step == 4 else 1.0)
    z, log_det = flow(x)
    loss = (0.5 * z.square().sum(-1) - log_det).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(flow.parameters(), 1.0)
    optimizer.step()
    print(step, loss.item())
