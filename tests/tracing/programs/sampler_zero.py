"""Sampling by a distribution that a temperature of 0 turned into 0 / 0, in a policy gradient."""
import torch
from torch import nn

torch.manual_seed(0)
policy = nn.Linear(4, 3)
optimizer = torch.optim.Adam(policy.parameters(), 1e-3)
for step in range(6):
    temperature = 1.0 if step < 4 else 0.0
    logits = policy(torch.randn(8, 4)) / temperature if step < 4 else policy(torch.zeros(8, 4)) * 0 / temperature  # <- forward div
    log_probabilities = logits.log_softmax(-1)
    loss = -(log_probabilities[:, 0] * torch.randn(8)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
