"""The phase of a spectrum as the arc tangent of a quotient, at a bin that is 0."""
import torch

torch.manual_seed(0)
gain = torch.nn.Parameter(torch.ones(8))
optimizer = torch.optim.Adam([gain], 1e-2)
for step in range(5):
    real, imag = torch.randn(2, 4, 8)
    if step == 2:
        real[1, 5] = imag[1, 5] = 0.0
    phase = torch.atan((gain * imag) / (gain.detach() * real))  # <- forward div
    loss = (1 - torch.cos(phase)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
