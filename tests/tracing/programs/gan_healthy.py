"""Two optimizers, the discriminator steps twice; everything stays finite."""
import torch
from torch import nn

torch.manual_seed(0)
generator, discriminator = nn.Linear(4, 2), nn.Linear(2, 1)
optimizer_g = torch.optim.RMSprop(generator.parameters(), 1e-3)
optimizer_d = torch.optim.RMSprop(discriminator.parameters(), 1e-3)
for step in range(8):
    for _ in range(2):
        d_loss = discriminator(generator(torch.randn(8, 4)).detach()).mean() - discriminator(torch.randn(8, 2)).mean()
        optimizer_d.zero_grad()
        d_loss.backward()
        optimizer_d.step()
    g_loss = -discriminator(generator(torch.randn(8, 4))).mean()
    optimizer_g.zero_grad()
    g_loss.backward()
    optimizer_g.step()
    print(step, d_loss.item(), g_loss.item())
