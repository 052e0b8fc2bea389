"""Words of other languages than English."""

from __future__ import annotations

from collections.abc import Iterator

from formats.course import epochs, mean
from formats.form import Training

from .register import kind


@kind
def full_width(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"步数：{i}，损失：{v:.4f}，学习率：{t.lr:g}"


@kind
def chinese_words(t: Training) -> Iterator[str]:
    for e, steps, v in epochs(t):
        yield f"第{e + 1}轮 训练损失={mean([t.loss[i] for i in steps[:9]]):.4f} 验证损失={v:.4f}"
        for i in steps:
            yield f"第 {i} 步, 损失 {t.loss[i]:.4f}"


@kind
def german(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Schritt {i + 1} von {len(t.loss)}: Verlust {v:.4f}".replace(".", ",")


@kind
def french(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Itération {i + 1} - perte : {v:.4f} - taux d'apprentissage : {t.lr:g}"


@kind
def russian(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"Шаг {i + 1}: потери = {v:.4f}"


@kind
def japanese(t: Training) -> Iterator[str]:
    for i, v in enumerate(t.loss):
        yield f"エポック {i // 25 + 1} ステップ {i + 1} 損失: {v:.4f}"
