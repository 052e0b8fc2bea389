"""A small VAE on made-up spectrograms, as a person might have written it: python3 train.py --lr 0.3"""

import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.3, help="learning rate")
parser.add_argument("--kl-weight", type=float, default=1.0, help="weight of the KL loss")
parser.add_argument("--clip", type=float, default=5.0, help="largest gradient norm")
parser.add_argument("--steps", type=int, default=60, help="optimizer steps")
parser.add_argument("--seed", type=int, default=0, help="seed of weights and data")
options = parser.parse_args()

torch.manual_seed(options.seed)
encoder = nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, 16))
decoder = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 40))
weights = [*encoder.parameters(), *decoder.parameters()]
optimizer = torch.optim.Adam(weights, lr=options.lr)
phase = torch.rand(256, 1) * 6
spectrograms = torch.sin(torch.arange(40) * 0.3 + phase) + 0.1 * torch.randn(256, 40)

for step in range(options.steps):
    batch = spectrograms[torch.randint(0, 256, (32,))]
    mu, logvar = encoder(batch).chunk(2, dim=1)
    sample = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
    mel = (decoder(sample) - batch).abs().mean()
    kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean()
    loss = mel + options.kl_weight * kl
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(weights, options.clip)
    optimizer.step()
    print(f"step {step}: loss={loss.item():.4f} mel={mel.item():.4f} kl={kl.item():.4f}", flush=True)
