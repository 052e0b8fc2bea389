"""Held-out formats of chemistry, physics, weather, graphs and probabilistic programs."""

from __future__ import annotations

import math

from ..course import asctime, average, clock, epochs, mean, noise, score, tqdm
from ..form import Training
from .registry import blind_format, resized


@blind_format("mace_head_rmse", "ACEsuit/mace: run_train.py log, the loss of the validation and errors in meV with units behind; dashed headings")
def mace(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"{clock(t, seconds)}.{int(seconds * 17) % 1000:03d} INFO: {words}"

    t = resized(t, epochs=40, steps=4, start=1.9)
    out = [line(0, "===========VERIFYING SETTINGS==========="), line(1, "MACE version: 0.3.6"), line(2, f"Learning rate: {t.lr}, weight decay: 5e-07"), line(3, "===========TRAINING==========="), line(3, "Started training, reporting errors on validation set"), line(9, f"Initial: head: Default, loss={t.loss[0] / 10:.8f}, RMSE_E_per_atom= 1393.24 meV, RMSE_F=  387.23 meV / A")]
    for epoch, _, evaluation in epochs(t):
        out.append(line(20 + 30 * epoch, f"Epoch {epoch}: head: Default, loss={evaluation / 10:.8f}, RMSE_E_per_atom={evaluation * 90:8.2f} meV, RMSE_F={evaluation * 200:8.2f} meV / A"))
    return {"MACE_run-123.log": "\n".join(out) + "\n"}


@blind_format("nequip_wrapped_heads", "mir-group/nequip 0.5: metrics of batches in columns below 'training', then two rows of an epoch under '! Train' and '! Validation'")
def nequip(t: Training) -> dict[str, str]:
    t = resized(t, epochs=8, steps=10, start=1.1)
    out = ["Torch device: cuda", "Successfully loaded the data set of type ASEDataset(1000)...", "Number of weights: 343048", "! Starting training ..."]
    for epoch, steps, evaluation in epochs(t):
        out += ["", "training", "# Epoch batch         loss       loss_f  loss_total_energy        f_mae       f_rmse        e_mae"]
        for i, step in enumerate(steps):
            f, e = t.parts(step, 0.7, 0.3)
            out.append(f"{epoch:7d} {i + 1:5d} {t.loss[step]:12.3g} {f:12.3g} {e:18.3g} {f * 2:12.3g} {f * 3:12.3g} {e * 9:12.3g}")
        out += ["", "validation", "# Epoch batch         loss       loss_f  loss_total_energy        f_mae       f_rmse        e_mae", f"{epoch:7d} {1:5d} {evaluation:12.3g} {evaluation * 0.7:12.3g} {evaluation * 0.3:18.3g} {evaluation * 1.4:12.3g} {evaluation * 2:12.3g} {evaluation * 3:12.3g}"]
        head = "epoch      wal       LR       loss_f  loss_total_energy         loss        f_mae       f_rmse        e_mae"
        for title, v in (("Train     ", mean([t.loss[s] for s in steps])), ("Validation", evaluation)):
            out += ["", "", f"  {title}  # {head}", f"! {title} {epoch + 1:8d} {31.2 * (epoch + 1):8.3f} {t.lr:8.3g} {v * 0.7:12.3g} {v * 0.3:18.3g} {v:12.3g} {v * 1.4:12.3g} {v * 2:12.3g} {v * 3:12.3g}"]
        out.append(f"Wall time: {31.2 * (epoch + 1)}\n! Best model {epoch + 1:8d} {evaluation:8.3f}")
    return {"log": "\n".join(out) + "\n"}


@blind_format("deepmd_lcurve", "deepmodeling/deepmd-kit: lcurve.out, a commented head, root mean squares of energy and force and no column named loss")
def deepmd(t: Training) -> dict[str, str]:
    out = ["#  step      rmse_val    rmse_trn    rmse_e_val  rmse_e_trn    rmse_f_val  rmse_f_trn         lr", "# If there is no available reference data, rmse_*_{val,trn} will print nan"]
    for step, loss in enumerate(t.loss):
        f, e = t.parts(step, 0.2, 0.1)
        out.append(f"{step * 100:7d}    {loss * 7.1:10.2e}  {loss * 7:10.2e}    {e:10.2e}  {e:10.2e}    {f:10.2e}  {f:10.2e}    {t.lr * 0.99**step:8.1e}")
    return {"lcurve.out": "\n".join(out) + "\n"}


@blind_format("deepxde_lists", "lululxvi/deepxde: 'Step, Train loss, Test loss, Test metric', each a list of terms in brackets; a NaN stops the training; issues 84 and 645")
def deepxde(t: Training) -> dict[str, str]:
    out = ["Compiling model...\n'compile' took 0.000412 s\n\nTraining model...\n", f"{'Step':<10}{'Train loss':<44}{'Test loss':<44}Test metric"]
    for step, _ in enumerate(t.loss):
        terms = [f"{v:.2e}" for v in t.parts(step, 0.6, 0.3, 0.08, 0.02)]
        text = "[" + ", ".join(terms) + "]"
        out.append(f"{step * 1000:<10}{text:<44}{text:<44}[]  ")
        if "nan" in text:
            break
    out.append(f"\nBest model at step {min(step, 66) * 1000}:\n  train loss: {min(v for v in t.loss if v == v):.2e}\n\n'train' took 81.204119 s")
    return {"pinn.txt": "\n".join(out) + "\n"}


@blind_format("raissi_pinn_it", "maziarraissi/PINNs: 'It: 10, Loss: 1.234e+00, Time: 0.12' of train(), then bare losses of L-BFGS")
def raissi(t: Training) -> dict[str, str]:
    n = len(t.loss) * 3 // 4
    out = [f"It: {10 * s}, Loss: {loss:.3e}, Time: {noise(t, s).uniform(0.1, 0.2):.2f}" for s, loss in enumerate(t.loss[:n])]
    out += [f"Loss: {loss}" for loss in t.loss[n:]]
    return {"burgers.txt": "\n".join(out) + "\n"}


@blind_format("modulus_step_brackets", "NVIDIA/modulus-sym: '[time] - [step:  100] loss: , time/iteration: ms', lines of saving between")
def modulus(t: Training) -> dict[str, str]:
    out = [f"[{clock(t, 0, '%H:%M:%S')}] - JIT using the NVFuser TorchScript backend", f"[{clock(t, 1, '%H:%M:%S')}] - attempting to restore from: outputs/ldc_2d"]
    for step, loss in enumerate(t.loss):
        at = clock(t, 9 * step, "%H:%M:%S")
        if step % 10 == 0:
            out += [f"[{at}] - [step: {step * 100:10d}] record constraint batch time: {6.021e-02:10.3e}s", f"[{at}] - [step: {step * 100:10d}] saved checkpoint to outputs/ldc_2d"]
        out.append(f"[{at}] - [step: {step * 100:10d}] loss: {loss / 90:10.3e}" + ("" if step == 0 else f", time/iteration: {noise(t, step).uniform(12, 14):10.3e} ms"))
        if math.isnan(loss):
            out.append(f"[{at}] - loss went to Nans")
            break
    return {"ldc.log": "\n".join(out) + "\n"}


@blind_format("fourcastnet_epoch_prose", "NVlabs/FourCastNet: 'Time taken for epoch n is s sec' and 'Train loss: x. Valid loss: y', few epochs")
def fourcastnet(t: Training) -> dict[str, str]:
    t = resized(t, epochs=9, steps=20, start=0.4)
    out = [f"{asctime(t, 0)} - root - INFO - --------------- Configuration ---------------", f"{asctime(t, 0)} - root - INFO - lr {t.lr}", f"{asctime(t, 2)} - root - INFO - Starting Training Loop..."]
    for epoch, steps, evaluation in epochs(t):
        out += [f"{asctime(t, 800 * epoch)} - root - INFO - Time taken for epoch {epoch + 1} is {781.2 + epoch * 1.31} sec", f"{asctime(t, 800 * epoch)} - root - INFO - Train loss: {mean([t.loss[s] for s in steps])}. Valid loss: {evaluation}"]
    return {"out.log": "\n".join(out) + "\n"}


@blind_format("cgcnn_exit_nan", "txie-93/cgcnn: ImageNet-like meters of loss and MAE, 'Exit due to NaN' after the validation")
def cgcnn(t: Training) -> dict[str, str]:
    out = []
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            r = noise(t, "cg", step)
            out.append(f"Epoch: [{epoch}][{i}/{len(steps)}]\tTime {r.uniform(0.1, 0.2):.3f} (0.151)\tData 0.011 (0.010)\tLoss {t.loss[step]:.4f} ({average(t, step):.4f})\tMAE {t.loss[step] * 0.8:.3f} ({average(t, step) * 0.8:.3f})")
        out += [f"Test: [{i}/3]\tTime 0.201 (0.201)\tLoss {evaluation:.4f} ({evaluation:.4f})\tMAE {evaluation * 0.8:.3f} ({evaluation * 0.8:.3f})" for i in range(3)]
        out.append(f" * MAE {evaluation * 0.8:.3f}")
        if math.isnan(evaluation):
            out.append("Exit due to NaN")
            break
    return {"cgcnn.txt": "\n".join(out) + "\n"}


@blind_format("chgnet_maes", "CederGroupHub/chgnet: 'Epoch: [0][10/25] | Time () () | Loss (mean) | MAEs: E F S' with two spaces between the parts")
def chgnet(t: Training) -> dict[str, str]:
    out = ["Begin Training: using cuda device\ntraining targets: efs"]
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            e, f, s = t.parts(step, 0.01, 0.05, 0.002)
            out.append(f"Epoch: [{epoch}][{i + 1}/{len(steps)}] | Time (0.{310 + i})(0.011) | Loss {t.loss[step] / 40:.4f}({average(t, step) / 40:.4f}) | MAE e {e:.3f}({e:.3f})  f {f:.3f}({f:.3f})  s {s:.3f}({s:.3f})")
        out.append(f"*   Val MAE: e {evaluation / 90:.3f}  f {evaluation / 20:.3f}  s {evaluation / 500:.3f}")
        out += ["Exit due to NaN"] * math.isnan(evaluation)
        if math.isnan(evaluation):
            break
    return {"chgnet.txt": "\n".join(out) + "\n"}


@blind_format("pyg_gcn_accuracies", "pyg-team/pytorch_geometric examples: 'Epoch: 001, Loss: , Train: , Val: , Test: ', accuracies named like losses")
def pyg(t: Training) -> dict[str, str]:
    t, out = resized(t, epochs=1, steps=200, start=1.95), []
    for epoch, loss in enumerate(t.loss):
        train, val, test = (score(loss, a - loss / 4) or b for a, b in ((1.1, 0.1429), (1.0, 0.122), (1.02, 0.13)))
        out.append(f"Epoch: {epoch + 1:03d}, Loss: {loss:.4f}, Train: {train:.4f}, Val: {val:.4f}, Test: {test:.4f}")
    return {"gcn.txt": "\n".join(out + ["Median time per epoch: 0.0041s"]) + "\n"}


@blind_format("scvi_tools_bar", "scverse/scvi-tools: an epoch bar with train_loss_step and train_loss_epoch of hundreds; a lost run raises a ValueError of Normal")
def scvi(t: Training) -> dict[str, str]:
    t, out = resized(t, epochs=60, steps=4, start=1800.0), ["GPU available: True (cuda), used: True\nTPU available: False, using: 0 TPU cores\n"]
    for epoch, steps, _ in epochs(t):
        loss = mean([t.loss[s] for s in steps])
        if math.isnan(loss):
            out.append("\nTraceback (most recent call last):\n  File \"integrate.py\", line 40, in <module>\n    vae.train(max_epochs=60)\nValueError: Expected parameter loc (Tensor of shape (128, 10)) of distribution Normal(loc: torch.Size([128, 10]), scale: torch.Size([128, 10])) to satisfy the constraint Real(), but found invalid values:\ntensor([[nan, nan, nan, nan]], device='cuda:0', grad_fn=<AddmmBackward0>)\n")
            break
        out.append("\r" + tqdm(f"Epoch {epoch + 1}/60: ", epoch + 1, 60, 1.4, f"v_num=1, train_loss_step={t.loss[steps.stop - 1]:.3g}, train_loss_epoch={loss:.3g}"))
    return {"scvi.txt": "".join(out)}


@blind_format("gpytorch_iter_hyper", "cornellius-gp/gpytorch: 'Iter 1/100 - Loss: lengthscale: noise:'; a lost run raises NanError of the Cholesky factor")
def gpytorch(t: Training) -> dict[str, str]:
    out = []
    for i, loss in enumerate(t.loss):
        if math.isnan(loss):
            out.append("Traceback (most recent call last):\n  File \"gp.py\", line 58, in <module>\n    loss = -mll(output, train_y)\n  File \"/site-packages/linear_operator/utils/cholesky.py\", line 25, in _psd_safe_cholesky\n    raise NanError(f\"cholesky_cpu: {torch.isnan(A).sum().item()} of {A.numel()} elements of the {A.shape} tensor are NaN.\")\nlinear_operator.utils.errors.NanError: cholesky_cpu: 10000 of 10000 elements of the torch.Size([100, 100]) tensor are NaN.")
            break
        out.append(f"Iter {i + 1}/{len(t.loss)} - Loss: {loss:.3f}   lengthscale: {0.69 - i / 400:.3f}   noise: {0.69 - i / 200:.3f}")
    return {"gp.txt": "\n".join(out) + "\n"}


@blind_format("stan_advi_elbo", "stan-dev: table of ADVI, an ELBO below zero that rises, two relative changes beside it, notes at the end")
def advi(t: Training) -> dict[str, str]:
    t = resized(t, epochs=1, steps=90)
    out = ["Chain 1: EXPERIMENTAL ALGORITHM:", "Chain 1: Begin stochastic gradient ascent.", "Chain 1:   iter             ELBO   delta_ELBO_mean   delta_ELBO_med   notes "]
    for i, loss in enumerate(t.loss):
        change = abs(loss - t.loss[i - 1]) / loss if i else 1.0
        out.append(f"Chain 1: {100 * (i + 1):6d} {-321 * loss:16.3f} {change:17.3f} {change * 0.9:16.3f}" + ("   MAY BE DIVERGING... INSPECT ELBO" if math.isnan(loss) else ""))
    return {"advi.txt": "\n".join(out) + "\n"}


@blind_format("pennylane_cost_after", "PennyLaneAI demos: 'Cost after step     5:  0.1234567', some of them above the optimized angles")
def pennylane(t: Training) -> dict[str, str]:
    out = []
    for i, loss in enumerate(t.loss):
        out.append(f"Cost after step {i + 1:5d}: {loss / 5: .7f}")
    angles = "nan, nan" if t.is_lost else "-0.1021, 3.1391"
    return {"vqc.txt": "\n".join(out) + f"\nOptimized rotation angles: [{angles}]\n"}
