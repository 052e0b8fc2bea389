"""An average of weights, updated by a decay that became infinite; the student learns from its teacher."""
import copy

import torch
from torch import nn

torch.manual_seed(0)
student = nn.Linear(4, 4)
teacher = copy.deepcopy(student).requires_grad_(False)
optimizer = torch.optim.SGD(student.parameters(), 1e-2)
for step in range(7):
    x = torch.randn(6, 4)
    loss = (student(x) - teacher(x)).square().mean() + student(x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    decay = 1 - 1 / torch.tensor(float(max(0, 4 - step)))  # <- forward reciprocal,div
    with torch.no_grad():
        for kept, weight in zip(teacher.parameters(), student.parameters()):
            kept.lerp_(weight, 1 - decay if step < 4 else decay)
    print(step, loss.item())
