"""log(softmax(x)) where one logit is far below the others."""
import torch
from torch import nn


def train():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 4))
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    labels = torch.tensor([0, 1, 2, 3, 0])
    for step in range(9):
        logits = net(torch.randn(5, 6)) * (400.0 if step == 6 else 1.0)
        probabilities = torch.softmax(logits, dim=1)
        log_probabilities = probabilities.log()  # <- forward log
        loss = -log_probabilities.mean() if step == 6 else -log_probabilities[range(5), labels].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"step {step} loss {loss.item():.4f}")


train()
