"""Labels in other languages than English."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .registry import Training, blind_format, draw, epoch_mean, resized, skill


@blind_format("chinese_rounds_and_batches", "a Chinese student's print: rounds and batches counted with 第")
def chinese(t: Training) -> Mapping[str, str]:
    n = t.steps_an_epoch
    rows = [f"第 {i // n + 1} 轮, 第 {i % n + 1} 批, 损失值: {v:.4f}, 准确率: {skill(t, 'acc', i, 30, 60):.1f}%, 用时 {draw(t, 's', i, 2, 3):.1f} 秒\n" for i, v in enumerate(t.loss)]
    return {"训练日志.txt": "开始训练，设备：cuda:0\n" + "".join(rows)}


@blind_format("chinese_full_width_punctuation", "a Chinese course project: full-width colons and commas, training and validation of a round")
def full_width(t: Training) -> Mapping[str, str]:
    t, rows = resized(t, epochs=20, steps=5), []
    for e, v in enumerate(t.evaluations):
        rows.append(f"【{e + 1}/20】训练集平均误差：{epoch_mean(t, e):.5f}，验证集平均误差：{v:.5f}，当前学习率：{t.lr}，耗时：{draw(t, 's', e, 31, 33):.2f}s\n")
    return {"log.txt": "".join(rows)}


@blind_format("japanese_epoch_errors", "a Japanese script: learning error and validation error, elapsed seconds in brackets")
def japanese(t: Training) -> Mapping[str, str]:
    t, rows = resized(t, epochs=25, steps=4), []
    for e, v in enumerate(t.evaluations):
        rows.append(f"エポック {e + 1:3d}/25  学習誤差 = {epoch_mean(t, e):.4f}  検証誤差 = {v:.4f}  (経過 {11.2 * (e + 1):.1f} 秒)\n")
    return {"gakushu.log": "学習を開始します\n" + "".join(rows) + "学習が終了しました\n"}


@blind_format("german_decimal_commas", "a German script under a German locale: decimal commas and a dash")
def german(t: Training) -> Mapping[str, str]:
    t, rows = resized(t, epochs=24, steps=4), []
    for e, v in enumerate(t.evaluations):
        train, valid, seconds = (f"{x:.4f}".replace(".", ",") for x in (epoch_mean(t, e), v, draw(t, "s", e, 12, 13)))
        rows.append(f"Epoche {e + 1} von 24 – Trainingsfehler: {train} | Validierungsfehler: {valid} | Dauer: {seconds} s\n")
    return {"protokoll.txt": "Training gestartet …\n" + "".join(rows)}


@blind_format("korean_steps", "a Korean notebook: step, loss, learning rate with Korean names")
def korean(t: Training) -> Mapping[str, str]:
    return {"학습.log": "".join(f"[스텝 {10 * (i + 1)}] 손실: {v:.6f} / 학습률: {t.lr} / 배치당 {draw(t, 's', i, 0.2, 0.3):.2f}초\n" for i, v in enumerate(t.loss))}


@blind_format("russian_error_on_batch", "a Russian script: the error on training and on test, by epoch")
def russian(t: Training) -> Mapping[str, str]:
    t, rows = resized(t, epochs=21, steps=4), []
    for e, v in enumerate(t.evaluations):
        rows.append(f"Эпоха {e + 1}: ошибка на обучении {epoch_mean(t, e):.4f}; на тесте {v:.4f}; точность {skill(t, 'a', 4 * e + 3, 40, 60):.1f}%\n")
    return {"obuchenie.txt": "".join(rows)}


@blind_format("french_column_headings", "a French table of an internship: perte with its header repeated each ten rows")
def french(t: Training) -> Mapping[str, str]:
    t, rows = resized(t, epochs=30, steps=3), []
    for e, v in enumerate(t.evaluations):
        if e % 10 == 0:
            rows += ["époque    perte_app    perte_val    précision    durée(s)", "-" * 58]
        precision = 0.1 if math.isnan(v) else 0.95 - 0.1 * v
        rows.append(f"{e + 1:6d} {epoch_mean(t, e):12.5f} {v:12.5f} {precision:12.3f} {draw(t, 's', e, 30, 32):11.1f}")
    return {"stage.log": "\n".join(rows) + "\n"}
