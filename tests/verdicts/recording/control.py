"""Agents that learn by trying: value learning, policy gradients and actor with critic, on worlds of a few lines.

The evaluation is minus the mean return of the greedy policy.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from recording.training import Kind, Row, grid, mlp, norm, numbers

GAMMA = 0.95


class _Catch:
    """A ball falls through 6 rows and 5 columns; a paddle moves left, stays or moves right to catch it."""

    rows, columns = 6, 5

    def __init__(self, count: int) -> None:
        self.ball = torch.randint(self.columns, (count,))
        self.paddle = torch.randint(self.columns, (count,))
        self.row = 0

    def seen(self) -> Tensor:
        row = torch.full((len(self.ball), 1), self.row / self.rows)
        return torch.cat([F.one_hot(self.ball, 5).float(), F.one_hot(self.paddle, 5).float(), row], 1)

    def act(self, action: Tensor) -> tuple[Tensor, bool]:
        self.paddle = (self.paddle + action - 1).clamp(0, self.columns - 1)
        self.row += 1
        over = self.row == self.rows
        caught = torch.where(self.paddle == self.ball, 1.0, -1.0)
        return (caught if over else torch.zeros(len(self.ball))), over


def _greedy_catches(policy: nn.Module) -> float:
    """Minus the mean return from all 25 beginnings."""
    world = _Catch(25)
    world.ball, world.paddle = torch.arange(25) // 5, torch.arange(25) % 5
    over = False
    with torch.no_grad():
        while not over:
            reward, over = world.act(policy(world.seen())[:, :3].argmax(1))
    return -float(reward.mean())


def _descended(optimizer: optim.Optimizer, net: nn.Module, components: dict[str, Tensor], total: Tensor) -> Row:
    optimizer.zero_grad()
    total.backward()
    grad_norm = norm(net.parameters())
    optimizer.step()
    lr = optimizer.param_groups[0]["lr"]
    return Row(float(total.detach()), grad_norm, lr, numbers(components))


@dataclass(slots=True)
class _ValueLearner:
    """Q-learning from a store of moves (Mnih et al. 2015), with a target net that is copied now and then."""

    net: nn.Module
    optimizer: optim.Optimizer
    target: nn.Module = field(init=False)
    world: _Catch = field(init=False)
    store: list[tuple[Tensor, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.target, self.world = copy.deepcopy(self.net), _Catch(16)
        for _ in range(12):
            self._move(1.0)

    def _move(self, exploring: float) -> None:
        seen = self.world.seen()
        with torch.no_grad():
            best = self.net(seen).argmax(1)
        action = torch.where(torch.rand(16) < exploring, torch.randint(3, (16,)), best)
        reward, over = self.world.act(action)
        self.store.append((seen, action, reward, self.world.seen(), torch.full((16,), float(over))))
        self.store = self.store[-250:]
        if over:
            self.world = _Catch(16)

    def step(self, step: int) -> Row:
        self._move(max(0.1, 1 - step / 200))
        chosen = [self.store[i] for i in torch.randint(len(self.store), (4,)).tolist()]
        seen, action, reward, after, over = (torch.cat(parts) for parts in zip(*chosen, strict=True))
        with torch.no_grad():
            wanted = reward + GAMMA * (1 - over) * self.target(after).max(1).values
        loss = F.smooth_l1_loss(self.net(seen).gather(1, action[:, None])[:, 0], wanted)
        row = _descended(self.optimizer, self.net, {"td": loss}, loss)
        if step % 25 == 24:
            self.target.load_state_dict(self.net.state_dict())
        return row

    def evaluate(self) -> float:
        return _greedy_catches(self.net)


def catching_dqn(lr, steps):
    net = mlp(11, 32, 3)
    return _ValueLearner(net, optim.Adam(net.parameters(), lr))


@dataclass(slots=True)
class _ActorCritic:
    """Whole episodes of 24 worlds; the critic's value is the baseline, and entropy is rewarded."""

    net: nn.Module  # three logits and a value
    optimizer: optim.Optimizer

    def step(self, step: int) -> Row:
        world, over = _Catch(24), False
        logs, values, entropies = [], [], []
        while not over:
            out = self.net(world.seen())
            logits = out[:, :3].log_softmax(1)
            action = torch.multinomial(logits.detach().exp(), 1)
            logs.append(logits.gather(1, action)[:, 0])
            values.append(out[:, 3])
            entropies.append(-(logits.exp() * logits).sum(1))
            reward, over = world.act(action[:, 0])
        returns = torch.stack([reward * GAMMA**i for i in reversed(range(len(logs)))])
        gain = returns - torch.stack(values)
        components = {
            "policy": -(torch.stack(logs) * gain.detach()).mean(),
            "value": gain.square().mean(),
            "entropy": torch.stack(entropies).mean(),
        }
        total = components["policy"] + 0.5 * components["value"] - 0.01 * components["entropy"]
        return _descended(self.optimizer, self.net, components, total)

    def evaluate(self) -> float:
        return _greedy_catches(self.net)


def catching_actor_critic(lr, steps):
    net = mlp(11, 32, 4, act=nn.Tanh)
    return _ActorCritic(net, optim.Adam(net.parameters(), lr))


@dataclass(slots=True)
class _Reaching:
    """A point on a plane is pushed towards a goal for 8 moves by a policy with bell-shaped noise (REINFORCE)."""

    net: nn.Module
    optimizer: optim.Optimizer
    beginnings: Tensor

    def _returns(self, place: Tensor, noise: float) -> tuple[Tensor, Tensor]:
        goal, log, gained = torch.tensor([1.0, -0.5]), 0.0, 0.0
        for _ in range(8):
            mean = self.net(place)
            push = (mean + noise * torch.randn_like(mean)).detach()
            log = log - ((push - mean) / max(noise, 1e-3)).square().sum(1) / 2
            place = place + 0.3 * push.clamp(-2, 2)
            gained = gained - (place - goal).square().sum(1) / 8
        return gained, log

    def step(self, step: int) -> Row:
        gained, log = self._returns(1.5 * torch.randn(32, 2), 0.4)
        advantage = (gained - gained.mean()) / gained.std()
        loss = -(advantage * log).mean()
        return _descended(self.optimizer, self.net, {"policy": loss}, loss)

    def evaluate(self) -> float:
        with torch.no_grad():
            return -float(self._returns(self.beginnings, 0.0)[0].mean())


def reaching_reinforce(lr, steps):
    net = mlp(2, 24, 2, act=nn.Tanh)
    return _Reaching(net, optim.SGD(net.parameters(), lr), 1.5 * torch.randn(100, 2))


KINDS = (
    Kind("catching_dqn", catching_dqn, grid(1e-5, 10), 600, noisy=True, comparable=False),
    Kind("catching_actor_critic", catching_actor_critic, grid(1e-5, 10), 300, noisy=True, comparable=False),
    Kind("reaching_reinforce", reaching_reinforce, grid(1e-6, 10), 300, noisy=True, comparable=False),
)
