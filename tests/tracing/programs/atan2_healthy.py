"""The phase of a spectrum at a bin that is 0: torch guards the slope of atan2 there."""
import torch
from torch import nn

torch.manual_seed(0)
gain = nn.Parameter(torch.ones(8))
optimizer = torch.optim.Adam([gain], 1e-2)
for step in range(5):
    real, imag = torch.randn(2, 4, 8)
    if step == 2:
        real[1, 5] = imag[1, 5] = 0.0
    phase = torch.atan2(gain * imag, gain * real)
    loss = (1 - torch.cos(phase)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
