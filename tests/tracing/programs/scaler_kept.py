"""A scaler skips steps that overflow, and then a loss is NaN all by itself."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(8, 8)
optimizer = torch.optim.SGD(model.parameters(), 1e-2)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**20)
for step in range(16):
    with torch.autocast("cpu", torch.float16):
        y = model(torch.randn(4, 8))
    y = y.float() - (0.0 if step < 13 else 100.0)
    loss = y.clamp(max=-1).log().mean() if step >= 13 else y.square().mean() * 50  # <- forward log
    optimizer.zero_grad()
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    scaler.step(optimizer)
    scaler.update()
    print(step, loss.item(), scaler.get_scale())
