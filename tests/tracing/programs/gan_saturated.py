"""A discriminator that is sure: log(1 - sigmoid(x)). Two optimizers share an iteration."""
import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
discriminator = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
optimizer_g = torch.optim.Adam(generator.parameters(), 1e-3)
optimizer_d = torch.optim.Adam(discriminator.parameters(), 1e-3)
for step in range(8):
    real = torch.randn(8, 2) + 3
    fake = generator(torch.randn(8, 4))
    d_loss = -(discriminator(real).log() + torch.log(1 - discriminator(fake.detach()))).mean()
    optimizer_d.zero_grad()
    d_loss.backward()
    optimizer_d.step()
    sure = discriminator(fake * (1.0 if step < 6 else 1e5) + (0.0 if step < 6 else 1e5))
    g_loss = torch.log(1 - sure).mean()  # <- forward log
    optimizer_g.zero_grad()
    g_loss.backward()
    optimizer_g.step()
    print(step, d_loss.item(), g_loss.item())
