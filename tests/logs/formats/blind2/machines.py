"""Programs in C, C++, C#, Java, Julia, Rust, Go and Fortran."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .registry import Training, blind_format, draw, epoch_mean, number, resized


@blind_format("fann_current_error", "FANN: the callback that prints the epochs and their current error")
def fann(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=40, steps=1, start=0.31)
    lines = ["Max epochs    20000. Desired error: 0.0010000000."]
    for i, v in enumerate(t.loss):
        lines.append(f"Epochs     {500 * i or 1:8d}. Current error: {number(v, '.10f', '-nan')}. Bit fail {max(0, 212 - 4 * i)}.")
    return {"fann.txt": "\n".join(lines) + "\n"}


@blind_format("mlpack_ensmallen_bar", "mlpack with ensmallen's ProgressBar: one bar of an epoch, with its loss")
def mlpack(t: Training) -> Mapping[str, str]:
    t, lines = resized(t, epochs=18, steps=6), []
    for e in range(18):
        lines += [f"Epoch {e + 1}/18", f"312/312 [====================================================================================================] 100% - {e % 3 + 4}s {draw(t, 'ms', e, 13, 17):.0f}ms/step - loss: {number(epoch_mean(t, e), '.6g', '-nan')}"]
    return {"mlpack.out": "\n".join(lines) + "\n"}


@blind_format("encog_error_glued", "Encog in Java: the error of each epoch, glued to its name")
def encog(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=60, steps=1, start=0.4)
    lines = [f"Epoch #{i + 1} Error:{v if not math.isnan(v) else 'NaN'}" for i, v in enumerate(t.loss)]
    return {"encog.log": "\n".join(lines) + "\n[INFO] BUILD SUCCESS\n"}


@blind_format("djl_info_lines", "Deep Java Library: LoggingTrainingListener, train and validation of an epoch")
def djl(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=14, steps=6)
    lines = ["[INFO ] - Training on: 1 GPUs.", "[INFO ] - Load PyTorch Engine Version 2.1.1 in 0.031 ms."]
    for e, v in enumerate(t.evaluations):
        train, valid = (number(x, ".2f") for x in (epoch_mean(t, e), v))
        accuracy = 0.1 if math.isnan(v) else 0.9 - 0.15 * v
        lines += [
            f"Training:    100% |████████████████████████████████████████| Accuracy: {accuracy:.2f}, SoftmaxCrossEntropyLoss: {train}, speed: {draw(t, 'speed', e, 8000, 8400):.2f} items/sec",
            "Validating:  100% |████████████████████████████████████████|",
            f"[INFO ] - Epoch {e + 1} finished.",
            f"[INFO ] - Train: Accuracy: {accuracy:.2f}, SoftmaxCrossEntropyLoss: {train}",
            f"[INFO ] - Validate: Accuracy: {accuracy - 0.02:.2f}, SoftmaxCrossEntropyLoss: {valid}",
        ]
    return {"djl.log": "\n".join(lines) + "\n"}


@blind_format("mlnet_phase_training", "ML.NET image classification: the metrics callback's one line")
def mlnet(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=20, steps=4, start=2.3)
    lines = ["Phase: Bottleneck Computation, Dataset used:      Train, Image Index: 212", "Phase: Bottleneck Computation, Dataset used: Validation, Image Index:  53"]
    for e, v in enumerate(t.evaluations):
        accuracy = 0.2 if math.isnan(v) else 0.95 - 0.2 * v
        lines.append(f"Phase: Training, Dataset used:      Train, Batch Processed Count:  22, Learning Rate:   {t.lr:g} Epoch: {e:3d}, Accuracy: {accuracy:10.8g}, Cross-Entropy: {number(epoch_mean(t, e), '10.8g')}")
        lines.append(f"Phase: Training, Dataset used: Validation, Batch Processed Count:   6, Epoch: {e:3d}, Accuracy: {accuracy - 0.03:10.8g}, Cross-Entropy: {number(v, '10.8g')}")
    return {"mlnet.txt": "\n".join(lines) + "\n"}


@blind_format("flux_show_float32", "a Flux script in Julia: @epochs and @show, numbers of 32 bits")
def flux(t: Training) -> Mapping[str, str]:
    t, lines = resized(t, epochs=12, steps=5), ["  Activating project at `~/proj/mnist`"]
    for i, v in enumerate(t.loss):
        if i % 5 == 0:
            lines.append(f"[ Info: Epoch {i // 5 + 1}")
        lines.append(f"loss(x, y) = {'NaN32' if math.isnan(v) else f'{v:.7g}f0'}")
    return {"train.jl.out": "\n".join(lines) + "\n"}


@blind_format("sciml_bare_display", "a neural differential equation in Julia: the callback displays a bare number")
def sciml(t: Training) -> Mapping[str, str]:
    lines = []
    for i, v in enumerate(t.loss):
        if math.isnan(v) and not math.isnan(t.loss[i - 1]):
            lines += ["┌ Warning: Instability detected. Aborting", "└ @ SciMLBase ~/.julia/packages/SciMLBase/l4PVV/src/integrator_interface.jl:602"]
        lines.append("NaN" if math.isnan(v) else repr(v * 11.3))
    return {"node.out": "\n".join(lines) + "\n"}


@blind_format("dfdx_avg_sample_loss", "coreylowman/dfdx in Rust: the epoch's time before its loss")
def dfdx(t: Training) -> Mapping[str, str]:
    t, lines = resized(t, epochs=16, steps=6), ["   Compiling dfdx v0.13.0", "    Finished release [optimized] target(s) in 41.20s", "Found 60000 training images"]
    for e in range(16):
        seconds = draw(t, "seconds", e, 1.9, 2.3)
        lines.append(f"Epoch {e} in {seconds:.6f}s ({1875 / seconds:.3f} batches/s): avg sample loss {number(epoch_mean(t, e) / 32, '.5f')}")
    return {"mnist.out": "\n".join(lines) + "\n"}


@blind_format("tch_rs_epoch_percent", "LaurentMazare/tch-rs: epoch, train loss and test accuracy in percent")
def tch(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=40, steps=2, start=2.3)
    rows = []
    for e in range(40):
        v = epoch_mean(t, e)
        rows.append(f"epoch: {e + 1:4d} train loss: {number(v, '8.5f')} test acc: {9.8 if math.isnan(v) else 98 - 12 * v:5.2f}%\n")
    return {"tch.out": "".join(rows)}


@blind_format("gorgonia_log_stamps", "a Gorgonia program in Go: log.Printf with its date, the cost last")
def gorgonia(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=6, steps=10)
    rows = ["2024/04/12 09:30:00 gorgonia. true\n", "2024/04/12 09:30:00 Batches 10\n"]
    for i, v in enumerate(t.loss):
        rows.append(f"2024/04/12 09:{30 + i // 6:02d}:{10 * i % 60:02d} epoch {i // 10} ({i % 10 + 1} of 10 done, {draw(t, 'ms', i, 880, 910):.4f}ms), cost {number(v, '.3f')}\n")
    return {"convnet.log": "".join(rows)}


@blind_format("aenet_table", "aenet in Fortran: errors of training and test in exponents, and a mark for the best")
def aenet(t: Training) -> Mapping[str, str]:
    t = resized(t, epochs=30, steps=2, start=1.2)
    lines = [" Training process", " ----------------------------------------------------------------------", "", " epoch  |----------------TRAIN---------------|  |----------------TEST----------------|", "                   MAE              <RMSE>                  MAE              <RMSE>"]
    best = math.inf
    for e, v in enumerate(t.evaluations):
        mark, best = (" <", v) if v < best else ("", best)
        train = epoch_mean(t, e)
        lines.append(f"{e:6d}" + "".join(number(x, "20.6E") for x in (0.8 * train, train, 0.8 * v, v)) + mark)
    lines += ["", " Training finished."]
    return {"train.out": "\n".join(lines) + "\n"}
