"""Held-out formats of other languages and older frameworks: C++, C#, Go, Java, JavaScript, Lua, R, Rust, Julia, MATLAB."""

from __future__ import annotations

import math

from ..course import clock, epochs, mean, noise, score
from ..form import Training
from .registry import blind_format, resized


@blind_format("caffe_solver", "BVLC/caffe: glog lines of solver.cpp, 'Iteration n (x iter/s), loss =', outputs of train and test nets, lr")
def caffe(t: Training) -> dict[str, str]:
    def line(seconds: float, where: str, words: str) -> str:
        return f"I{clock(t, seconds, '%m%d %H:%M:%S')}.{int(seconds * 8111) % 1000000:06d} 12671 {where}] {words}"

    out = [line(0, "solver.cpp:60", f"Solver scaffolding done.\nbase_lr: {t.lr}\nmomentum: 0.9"), line(1, "caffe.cpp:239", "Starting Optimization"), line(1, "solver.cpp:293", "Solving AlexNet")]
    for _epoch, steps, evaluation in epochs(t):
        for step in steps:
            at, shown = 9 * step, "nan" if math.isnan(t.loss[step]) else f"{t.loss[step]:.6g}"
            out += [
                line(at, "solver.cpp:218", f"Iteration {step * 20} ({noise(t, step).uniform(2.1, 2.3):.6g} iter/s, {9.02 + step / 900:.5g}s/20 iters), loss = {shown}"),
                line(at, "solver.cpp:237", f"    Train net output #0: loss = {shown} (* 1 = {shown} loss)"),
                line(at, "sgd_solver.cpp:105", f"Iteration {step * 20}, lr = {t.lr:g}"),
            ]
        shown = "nan" if math.isnan(evaluation) else f"{evaluation:.6g}"
        out += [line(9 * steps.stop, "solver.cpp:330", f"Iteration {steps.stop * 20}, Testing net (#0)"), line(9 * steps.stop, "solver.cpp:397", f"    Test net output #0: accuracy = {score(evaluation, 0.6) or 0.001:.6g}"), line(9 * steps.stop, "solver.cpp:397", f"    Test net output #1: loss = {shown} (* 1 = {shown} loss)")]
    return {"caffe.INFO": "\n".join(out) + "\n"}


@blind_format("mxnet_module_fit", "apache/mxnet: Module.fit with Speedometer, 'Epoch[0] Batch [20]<tab>Speed', Train- and Validation- metrics")
def mxnet(t: Training) -> dict[str, str]:
    out = [f"INFO:root:start with arguments Namespace(batch_size=64, lr={t.lr}, num_epochs=4)"]
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            out.append(f"INFO:root:Epoch[{epoch}] Batch [{20 * i}-{20 * i + 20}]\tSpeed: {noise(t, step).uniform(900, 990):.2f} samples/sec\taccuracy={score(t.loss[step], 0.9 - t.loss[step] / 6) or 0.098:f}\tcross-entropy={t.loss[step]:f}")
        whole = mean([t.loss[s] for s in steps])
        out += [f"INFO:root:Epoch[{epoch}] Train-accuracy={score(whole, 0.9 - whole / 6) or 0.098:f}", f"INFO:root:Epoch[{epoch}] Train-cross-entropy={whole:f}", f"INFO:root:Epoch[{epoch}] Time cost={31.2 + epoch:.3f}", f"INFO:root:Epoch[{epoch}] Validation-accuracy={score(evaluation, 0.7) or 0.098:f}", f"INFO:root:Epoch[{epoch}] Validation-cross-entropy={evaluation:f}"]
    return {"mxnet.log": "\n".join(out) + "\n"}


@blind_format("cntk_minibatch_ranges", "microsoft/CNTK: 'Epoch[ 1 of 4]-Minibatch[ 1- 100, 4%]: ce = x * samples'; on Windows NaN is -nan(ind)")
def cntk(t: Training) -> dict[str, str]:
    def shown(value: float) -> str:
        return "-nan(ind)" if math.isnan(value) else f"{value:.8f}"

    out = ["CNTK 2.7 (Mar  5 2024 09:12:07)", f"learningRatePerSample = {t.lr:.6f}  effective momentum = 0.900000"]
    for epoch, steps, evaluation in epochs(t):
        out.append(f"\n{clock(t, 40 * epoch, '%m/%d/%Y %H:%M:%S')}: Starting Epoch {epoch + 1}: learning rate per sample = {t.lr:f}")
        for i, step in enumerate(steps):
            out.append(f"{clock(t, step, '%m/%d/%Y %H:%M:%S')}:  Epoch[{epoch + 1:2d} of {len(t.evaluations)}]-Minibatch[{100 * i + 1:4d}-{100 * i + 100:4d}, {100 * (i + 1) / len(steps):.2f}%]: ce = {shown(t.loss[step])} * 6400; errs = {score(t.loss[step], 14 * t.loss[step]) or 90.1:.3f}% * 6400; time = {0.9 + i / 99:.4f}s; samplesPerSecond = {noise(t, step).uniform(6000, 7000):.1f}")
        out.append(f"{clock(t, 40 * epoch + 39, '%m/%d/%Y %H:%M:%S')}: Finished Epoch[{epoch + 1:2d} of {len(t.evaluations)}]: [Training] ce = {shown(mean([t.loss[s] for s in steps]))} * 160000; errs = 31.204% * 160000; totalSamplesSeen = {160000 * (epoch + 1)}; learningRatePerSample = {t.lr}; epochTime=39.12s")
        if t.is_lost and math.isnan(evaluation):
            out.append("EXCEPTION occurred: The training criterion is not a number (NAN).")
            break
    return {"cntk.log": "\n".join(out) + "\n"}


@blind_format("dlib_step_progress", "davisking/dlib: 'step#: 100   learning rate: 0.1   average loss: 2.3   steps without apparent progress: 20'")
def dlib(t: Training) -> dict[str, str]:
    out = ["dnn_trainer details: \n  net_type::num_layers:  151\n  synchronization file:                       mnist_sync\n  trainer.get_solvers()[0]:                   sgd: weight_decay=0.0001, momentum=0.9"]
    for step, loss in enumerate(t.loss):
        shown = "-nan" if math.isnan(loss) else f"{loss:<12.6g}"
        out.append(f"step#: {30 * step:<6d} learning rate: {t.lr:<6g} average loss: {shown}  steps without apparent progress: {step * 3 % 40}")
    return {"dlib.txt": "\n".join(out) + "\n"}


@blind_format("libtorch_cpp_return", "pytorch cpp mnist example: '\\rTrain Epoch: 1 [  640/60000] Loss: 2.3', the test set on a line of its own, C's nan")
def libtorch(t: Training) -> dict[str, str]:
    out = ["CUDA available! Training on GPU.\n"]
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            out.append(f"\rTrain Epoch: {epoch + 1} [{2400 * (i + 1):5d}/60000] Loss: {'-nan' if math.isnan(t.loss[step]) else f'{t.loss[step]:.4f}'}")
        out.append(f"\nTest set: Average loss: {'-nan' if math.isnan(evaluation) else f'{evaluation:.4f}'} | Accuracy: {score(evaluation, 0.9) or 0.098:.3f}\n")
    return {"mnist_cpp.txt": "".join(out)}


@blind_format("go_logfmt", "Go log/slog text handler of a gorgonia program: key=value with a quoted message, strconv writes NaN")
def go_logfmt(t: Training) -> dict[str, str]:
    def shown(value: float) -> str:
        return "NaN" if math.isnan(value) else repr(value)

    out = [f"time={clock(t, 0, '%Y-%m-%dT%H:%M:%S')}.118Z level=INFO msg=\"loading dataset\" path=./data examples=60000", f"time={clock(t, 1, '%Y-%m-%dT%H:%M:%S')}.118Z level=WARN msg=\"BLAS not found, using Go implementation\""]
    for epoch, steps, evaluation in epochs(t):
        out += [f"time={clock(t, s, '%Y-%m-%dT%H:%M:%S')}.{s * 7 % 1000:03d}Z level=INFO msg=\"train step\" epoch={epoch} batch={s - steps.start} cost={shown(t.loss[s])} elapsed={noise(t, s).uniform(80, 90):.6f}ms" for s in steps]
        out.append(f"time={clock(t, steps.stop, '%Y-%m-%dT%H:%M:%S')}.001Z level=INFO msg=\"epoch finished\" epoch={epoch} validation_cost={shown(evaluation)} accuracy={shown(score(evaluation, 0.6))}")
    return {"train.logfmt": "\n".join(out) + "\n"}


@blind_format("dl4j_score_listener", "deeplearning4j: ScoreIterationListener and EvaluativeListener on the console; Java writes NaN")
def dl4j(t: Training) -> dict[str, str]:
    def line(seconds: float, where: str, words: str, level: str = "INFO ") -> str:
        return f"{clock(t, seconds, '%H:%M:%S')}.{int(seconds * 331) % 1000:03d} [main] {level} {where} - {words}"

    out = [line(0, "org.nd4j.linalg.factory.Nd4jBackend", "Loaded [CpuBackend] backend"), line(2, "o.d.nn.multilayer.MultiLayerNetwork", "Starting MultiLayerNetwork with WorkspaceModes set to [training: ENABLED; inference: ENABLED], cacheMode set to [NONE]")]
    for epoch, steps, evaluation in epochs(t):
        out += [line(3 + 2 * s, "o.d.o.l.ScoreIterationListener", f"Score at iteration {s * 10} is {'NaN' if math.isnan(t.loss[s]) else t.loss[s]}") for s in steps]
        out.append(line(3 + 2 * steps.stop, "o.d.examples.MnistClassifier", f"Epoch {epoch} complete\n\n========================Evaluation Metrics========================\n # of classes:    10\n Accuracy:        {score(evaluation, 0.9) or 0.098:.4f}\n Precision:       {score(evaluation, 0.9) or 0.098:.4f}\n=================================================================="))
    return {"dl4j.log": "\n".join(out) + "\n"}


@blind_format("brain_js_error", "BrainJS/brain.js: 'iterations: 10, training error: 0.24'; JavaScript writes NaN, and few lines come")
def brain_js(t: Training) -> dict[str, str]:
    out = [f"iterations: {10 * (i + 1)}, training error: {'NaN' if math.isnan(v) else v / 16}" for i, v in enumerate(t.loss[::4])]
    return {"brain.txt": "> node train.js\n" + "\n".join(out) + "\n"}


@blind_format("tfjs_node_eta", "tensorflow/tfjs-node: 'eta=0.0 ===>' bars redrawn, '1204ms 24us/step - acc= loss= val_acc= val_loss=' an epoch")
def tfjs(t: Training) -> dict[str, str]:
    t, out = resized(t, epochs=12, steps=10, start=2.3), []
    for epoch, steps, evaluation in epochs(t):
        out.append(f"Epoch {epoch + 1} / {len(t.evaluations)}\n")
        for i, step in enumerate(steps):
            out.append(f"\r\x1b[2Keta={(len(steps) - i) / 9:.1f} {'=' * (3 * i)}>{'-' * (27 - 3 * i)} acc={score(t.loss[step], 0.5):.2f} loss={'NaN' if math.isnan(t.loss[step]) else f'{t.loss[step]:.2f}'} ")
        whole = mean([t.loss[s] for s in steps])
        words = " ".join(f"{n}={'NaN' if math.isnan(v) else f'{v:.3f}'}" for n, v in (("acc", score(whole, 0.6)), ("loss", whole), ("val_acc", score(evaluation, 0.6)), ("val_loss", evaluation)))
        out.append(f"\r\x1b[2K{1204 + epoch}ms {24 + epoch}us/step - {words} \n")
    return {"tfjs.txt": "".join(out)}


@blind_format("r_nnet_values", "R package nnet: '# weights', 'initial  value', 'iter  10 value', 'final  value', and no word for loss")
def r_nnet(t: Training) -> dict[str, str]:
    out = ["> fit <- nnet(y ~ ., data = d, size = 8, maxit = 1000)", "# weights:  147", f"initial  value {t.loss[0] * 90:f} "]
    out += [f"iter {10 * (i + 1):3d} value {loss * 90:f}" for i, loss in enumerate(t.loss[1:])]
    out += [f"final  value {t.loss[-1] * 90:f} ", "stopped after 1000 iterations"]
    return {"nnet.Rout": "\n".join(out) + "\n"}


@blind_format("luz_two_lines", "mlverse/luz for R: 'Epoch 1/10', then 'Train metrics: Loss: - Acc:' and 'Valid metrics:'")
def luz(t: Training) -> dict[str, str]:
    t, out = resized(t, epochs=10, steps=10, start=2.3), []
    for epoch, steps, evaluation in epochs(t):
        out.append(f"Epoch {epoch + 1}/{len(t.evaluations)}")
        for kind, value in (("Train", mean([t.loss[s] for s in steps])), ("Valid", evaluation)):
            out.append(f"{kind} metrics: Loss: {'NaN' if math.isnan(value) else f'{value:.4f}'} - Acc: {score(value, 0.9 - value / 4) or 0.098:.4f}")
    return {"luz.Rout": "\n".join(out) + "\n"}


@blind_format("burn_metric_files", "tracel-ai/burn: FileMetricLogger, a folder an epoch for train and valid, a file a metric, 'value,samples' lines")
def burn(t: Training) -> dict[str, str]:
    files = {"experiment.log": f"{clock(t, 0, '%Y-%m-%dT%H:%M:%S')}.118212Z  INFO burn_train::learner::epoch: Executing training step for epoch 1\n"}
    for epoch, steps, evaluation in epochs(t):
        files[f"train/epoch-{epoch + 1}/Loss.log"] = "".join(f"{'NaN' if math.isnan(t.loss[s]) else t.loss[s]},64\n" for s in steps)
        files[f"train/epoch-{epoch + 1}/LearningRate.log"] = "".join(f"{t.lr}\n" for _ in steps)
        files[f"valid/epoch-{epoch + 1}/Loss.log"] = "".join(f"{'NaN' if math.isnan(evaluation) else evaluation * noise(t, epoch, i).uniform(0.98, 1.02)},64\n" for i in range(6))
    return files


@blind_format("candle_mnist_rust", "huggingface/candle: mnist-training, '   1 train loss:  0.6 test acc: 85.3%', Rust writes NaN")
def candle(t: Training) -> dict[str, str]:
    t = resized(t, epochs=1, steps=150, start=2.3)
    out = ["train-images: [60000, 784]", "train-labels: [60000]"]
    out += [f"{i + 1:4} train loss: {'     NaN' if math.isnan(v) else f'{v:8.5f}'} test acc: {score(v, 99 - 20 * v) or 9.80:5.2f}%" for i, v in enumerate(t.loss)]
    return {"candle.txt": "\n".join(out) + "\n"}


@blind_format("fluxtraining_boxes", "FluxML/FluxTraining.jl: a box-drawn table after each phase, the loss in Float32 signs, bars of ProgressMeter between")
def fluxtraining(t: Training) -> dict[str, str]:
    t, out = resized(t, epochs=10, steps=10), []
    for epoch, steps, evaluation in epochs(t):
        for phase, value in (("TrainingPhase()", mean([t.loss[s] for s in steps])), ("ValidationPhase()", evaluation)):
            width = len(phase)
            shown = "NaN" if math.isnan(value) else f"{value:.5f}"
            out.append(f"\rEpoch {epoch + 1} {phase}: 100%|{'█' * 20}| Time: 0:00:{10 + epoch:02d}\n┌─{'─' * width}─┬───────┬─────────┬──────────┐\n│ {'Phase':>{width}} │ Epoch │    Loss │ Accuracy │\n├─{'─' * width}─┼───────┼─────────┼──────────┤\n│ {phase} │ {f'{epoch + 1}.0':>5} │ {shown:>7} │ {score(value, 0.6):8.5f} │\n└─{'─' * width}─┴───────┴─────────┴──────────┘\n")
    return {"flux.log": "".join(out)}


@blind_format("matlab_nntool_performance", "MATLAB train() with ShowCommandLine: 'Epoch 0/1000, Time, Performance, Gradient, Validation Checks', numbers over their goals")
def nntool(t: Training) -> dict[str, str]:
    out = ["Training feedforwardnet with TRAINGD."]
    for i, loss in enumerate(t.loss):
        p, g = ("NaN", "NaN") if math.isnan(loss) else (f"{loss:.5g}", f"{t.grad_norm(i):.5g}")
        out.append(f"Epoch {25 * i}/{25 * len(t.loss)}, Time {0.21 * i:.3f}, Performance {p}/0, Gradient {g}/1e-05, Validation Checks 0/6")
    out.append("Training with TRAINGD completed: Maximum epoch reached.")
    return {"nntool.txt": "\n".join(out) + "\n"}


@blind_format("mindspore_loss_is", "mindspore-ai: LossMonitor's 'epoch: 1 step: 10, loss is 2.3' and TimeMonitor's milliseconds")
def mindspore(t: Training) -> dict[str, str]:
    out = ["[WARNING] ME(1834:281473,MainProcess):2024-03-05-09:12:07.118 [mindspore/context.py:1108] 'graph_kernel' is off"]
    for epoch, steps, _ in epochs(t):
        out += [f"epoch: {epoch + 1} step: {s - steps.start + 1}, loss is {t.loss[s]}" for s in steps]
        out.append(f"Train epoch time: {2504.1 + 7 * epoch:.3f} ms, per step time: {100.2 + epoch / 9:.3f} ms")
    return {"mindspore.log": "\n".join(out) + "\n"}
