"""A variational autoencoder whose log-variance grows until its exponential is infinite; named losses."""
import torch
from torch import nn

torch.manual_seed(0)
encoder, decoder = nn.Linear(10, 8), nn.Linear(4, 10)
optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], 1e-3)
for step in range(30):
    x = torch.randn(6, 10) * 1.6**step
    mu, logvar = encoder(x).chunk(2, -1)
    z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar.clamp(max=10))
    reconstruction = (decoder(z) - x).abs().mean()
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).mean()  # <- forward exp
    loss = reconstruction + 0.1 * kl
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_([*encoder.parameters(), *decoder.parameters()], 0.1)
    optimizer.step()
    print(step, reconstruction.item(), kl.item())
