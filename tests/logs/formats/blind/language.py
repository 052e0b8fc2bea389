"""Held-out formats of translation, tagging and classification of text."""

from __future__ import annotations

import json
import math

from ..course import asctime, average, clock, epochs, mean, noise, score, tqdm
from ..form import Training
from .registry import blind_format, resized


def _ppl(loss: float) -> float:
    return math.exp(loss) if loss == loss else math.nan


@blind_format("opennmt_py_semicolons", "OpenNMT/OpenNMT-py 3: 'Step 50/ 5000; acc: ...; ppl: ...; xent: ...', validation in lines of its own")
def opennmt(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"[{asctime(t, seconds)} INFO] {words}"

    out = [line(0, "Option: lora_layers , value: [] overriding model: []"), line(1, " * src vocab size = 32000"), line(2, "Starting training on GPU: [0]")]
    for _, steps, evaluation in epochs(t):
        for step in steps:
            r, loss = noise(t, "onmt", step), t.loss[step]
            out.append(line(18 * step, f"Step {(step + 1) * 50}/{len(t.loss) * 50:>5d}; acc: {score(loss, 80 - 15 * loss):4.1f}; ppl: {_ppl(loss):5.2f}; xent: {loss:4.2f}; lr: {t.lr:7.5f}; sents: {r.randint(9000, 9999):>7d}; bsz: {r.randint(2900, 3100):>4d}/{r.randint(2900, 3100):>4d}/{96:>2d}; {r.randint(20000, 30000)}/{r.randint(20000, 30000)} tok/s; {18 * (step + 1):>6d} sec;"))
        out += [line(18 * steps.stop, "valid stats calculation took: 2.91 s."), line(18 * steps.stop, f"Train perplexity: {_ppl(mean([t.loss[s] for s in steps]))}"), line(18 * steps.stop, f"Validation perplexity: {_ppl(evaluation)}"), line(18 * steps.stop, f"Validation accuracy: {score(evaluation, 80 - 15 * evaluation)}")]
    return {"opennmt.log": "\n".join(out) + "\n"}


@blind_format("sockeye_speed_perplexity", "awslabs/sockeye 2: '[INFO:sockeye.training]' lines, tabs between speed and perplexity, a checkpoint an epoch")
def sockeye(t: Training) -> dict[str, str]:
    out = ["[INFO:__main__] Sockeye version 2.3.17, commit unknown", f"[INFO:__main__] Command: sockeye.train --initial-learning-rate {t.lr}", "[INFO:sockeye.training] Training started."]
    for epoch, steps, evaluation in epochs(t):
        for step in steps:
            r = noise(t, "sock", step)
            out.append(f"[INFO:sockeye.training] Epoch[{epoch}] Batch [{(step + 1) * 50}]\tSpeed: {r.uniform(300, 400):.2f} samples/sec {r.uniform(9000, 9900):.2f} tokens/sec {r.uniform(2, 3):.2f} updates/sec\tperplexity={_ppl(average(t, step)):f}")
        for kind, value in (("Train", average(t, steps.stop - 1)), ("Validation", evaluation)):
            out.append(f"[INFO:sockeye.training] Checkpoint [{epoch + 1}]\t{kind}-perplexity={_ppl(value):f}")
        out.append(f"[INFO:sockeye.training] Validation-perplexity has not improved for {epoch} checkpoints, best so far: {min([_ppl(v) for v in t.evaluations[: epoch + 1] if v == v]):f}" if math.isnan(evaluation) else f"[INFO:sockeye.training] Validation-perplexity improved to {_ppl(evaluation):f} (delta={0.3 / (epoch + 1):f}).")
    return {"log": "\n".join(out) + "\n"}


@blind_format("joeynmt_batch_loss", "joeynmt/joeynmt: '- INFO - joeynmt.training -' with Epoch and Step, right-aligned numbers and hypotheses between")
def joeynmt(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str, where: str = "training") -> str:
        return f"{asctime(t, seconds)} - INFO - joeynmt.{where} - {words}"

    out = [line(0, "                           cfg.name : transformer_iwslt", "helpers"), line(1, f"            cfg.training.learning_rate : {t.lr}", "helpers")]
    for epoch, steps, evaluation in epochs(t):
        out.append(line(9 * steps.start, f"EPOCH {epoch + 1}"))
        for step in steps:
            out.append(line(9 * step, f"Epoch {epoch + 1:3d}, Step: {(step + 1) * 100:8d}, Batch Loss: {t.loss[step]:12.6f}, Batch Acc: {score(t.loss[step], 0.9 - t.loss[step] / 6):6f}, Tokens per Sec: {noise(t, step).randint(8000, 9000):8d}, Lr: {t.lr:.6f}"))
        out += [line(9 * steps.stop, f"Epoch {epoch + 1:3d}: total training loss {sum(t.loss[s] for s in steps) * 100:.2f}"), line(9 * steps.stop, f"Evaluation result (greedy): bleu:  {score(evaluation, 12.0 + 4 * epoch):5.2f}, loss: {evaluation:6.2f}, ppl: {_ppl(evaluation):6.2f}, acc: {score(evaluation, 0.4):6.2f}, 41.0229[sec]", "prediction")]
        out += [line(9 * steps.stop, "Example #0"), line(9 * steps.stop, "\tSource:     das haus ist klein ."), line(9 * steps.stop, "\tHypothesis: the house is small .")]
    return {"train.log": "\n".join(out) + "\n"}


@blind_format("flair_iter_dashes", "flairNLP/flair: training.log with rules of dashes; 'epoch 1 - iter 25/250 - loss', DEV line with the score")
def flair(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"{asctime(t, seconds)} {words}"

    rule = line(0, "-" * 100)
    t = resized(t, epochs=10, steps=10, start=2.4)
    out = [rule, line(0, 'Model: "SequenceTagger(\n  (embeddings): StackedEmbeddings()\n  (loss_function): CrossEntropyLoss()\n)"'), rule, line(0, f" - learning_rate: \"{t.lr}\" "), line(0, ' - mini_batch_size: "32"'), rule]
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            out.append(line(8 * step, f"epoch {epoch + 1} - iter {(i + 1) * 47}/470 - loss {average(t, step):.8f} - time (sec): {8.1 * (i + 1):.2f} - samples/sec: {noise(t, step).uniform(180, 200):.2f} - lr: {t.lr:.6f} - momentum: 0.000000"))
        out += [rule, line(8 * steps.stop, f"EPOCH {epoch + 1} done: loss {average(t, steps.stop - 1):.4f} - lr: {t.lr:.6f}"), line(8 * steps.stop, f"DEV : loss {evaluation} - f1-score (micro avg)  {score(evaluation, 0.6 + epoch / 50):.4f}"), line(8 * steps.stop, f" - {0 if evaluation == evaluation else epoch - 5} epochs without improvement"), rule]
    return {"training.log": "\n".join(out) + "\n"}


@blind_format("spacy_train_table", "explosion/spaCy 3: table of 'spacy train', losses of two components, scores in percent, rows every 200 steps")
def spacy(t: Training) -> dict[str, str]:
    out = ["\x1b[38;5;4mℹ Saving to output directory: output\x1b[0m", "\x1b[1m\n=========================== Initializing pipeline ===========================\x1b[0m", "\x1b[38;5;2m✔ Initialized pipeline\x1b[0m", "\x1b[1m\n============================= Training pipeline =============================\x1b[0m", f"\x1b[38;5;4mℹ Initial learn rate: {t.lr}\x1b[0m"]
    out += ["E    #       LOSS TOK2VEC  LOSS NER  ENTS_F  ENTS_P  ENTS_R  SCORE ", "---  ------  ------------  --------  ------  ------  ------  ------"]
    for step in range(0, len(t.loss), 3):
        vec, ner = (v * 100 for v in t.parts(step, 0.4, 0.9))
        f = score(ner, 40 + step / 2.5)
        out.append(f"{step // 25:>3}  {step * 66:>6}  {vec:>12.2f}  {ner:>8.2f}  {f:>6.2f}  {f and f + 1:>6.2f}  {f:>6.2f}  {f / 100:>6.2f}")
    out.append("\x1b[38;5;2m✔ Saved pipeline to output directory\x1b[0m\noutput/model-last")
    return {"spacy.txt": "\n".join(out) + "\n"}


@blind_format("allennlp_double_bars", "allenai/allennlp 2: 'batch_loss: , loss:  ||' before the bar; a lost run raises 'nan loss encountered'")
def allennlp(t: Training) -> dict[str, str]:
    out = []
    for epoch, steps, evaluation in epochs(t):
        out.append(f"{asctime(t, 30 * epoch)} - INFO - allennlp.training.gradient_descent_trainer - Epoch {epoch}/{len(t.evaluations) - 1}\n{asctime(t, 30 * epoch)} - INFO - allennlp.training.gradient_descent_trainer - Worker 0 memory usage: 3.1G\n")
        for i, step in enumerate(steps):
            if math.isnan(t.loss[step]):
                out.append(f"\n{asctime(t, 30 * epoch + 20)} - CRITICAL - root - Uncaught exception\nTraceback (most recent call last):\n  File \"/opt/conda/lib/python3.8/site-packages/allennlp/training/gradient_descent_trainer.py\", line 441, in _train_epoch\n    raise ValueError(\"nan loss encountered\")\nValueError: nan loss encountered\n")
                return {"out.log": "".join(out)}
            out.append("\r" + tqdm(f"accuracy: {0.3 + step / 200:.4f}, batch_loss: {t.loss[step]:.4f}, loss: {average(t, step):.4f} ||: ", i + 1, len(steps), 0.2))
        rows = (("accuracy", 0.3 + epoch / 8, 0.3 + epoch / 9), ("loss", average(t, steps.stop - 1), evaluation), ("gpu_0_memory_MB", 2211.4, math.nan))
        out.append(f"\n{asctime(t, 30 * epoch + 25)} - INFO - allennlp.training.callbacks.console_logger -                        Training |  Validation\n")
        out += [f"{asctime(t, 30 * epoch + 25)} - INFO - allennlp.training.callbacks.console_logger - {n:<20} |  {a:8.3f}  |  {'N/A' if math.isnan(b) else f'{b:8.3f}':>8}\n" for n, a, b in rows]
    return {"out.log": "".join(out)}


@blind_format("gluonnlp_batch_words", "dmlc/gluon-nlp: '[Epoch 1 Batch 50/250] loss=, lr=, metrics:accuracy:' with times of validation")
def gluonnlp(t: Training) -> dict[str, str]:
    out = [f"INFO:gluonnlp:{clock(t, 0, '%H:%M:%S')} processing dataset...", "INFO:gluonnlp:Now we are doing BERT classification training on gpu(0)!"]
    for epoch, steps, evaluation in epochs(t):
        out += [f"INFO:gluonnlp:[Epoch {epoch + 1} Batch {(i + 1) * 10}/{len(steps) * 10}] loss={t.loss[s]:.4f}, lr={t.lr:.7f}, metrics:accuracy:{score(t.loss[s], 0.9 - t.loss[s] / 9):.4f}" for i, s in enumerate(steps)]
        out += ["INFO:gluonnlp:Now we are doing evaluation on dev with gpu(0).", f"INFO:gluonnlp:[Batch 5/5] loss={evaluation:.4f}, metrics:accuracy:{score(evaluation, 0.7):.4f}", f"INFO:gluonnlp:validation metrics:accuracy:{score(evaluation, 0.7):.4f}", f"INFO:gluonnlp:Time cost={2.11 + epoch:.2f}s, throughput=410.02 samples/s"]
    return {"finetune.log": "\n".join(out) + "\n"}


@blind_format("stanza_finished_step", "stanfordnlp/stanza: 'Finished STEP 20/5000, loss = ' with the time of a batch, scores of the dev set between")
def stanza(t: Training) -> dict[str, str]:
    t = resized(t, epochs=5, steps=50, start=12.0)
    out = [f"{clock(t, 0)} INFO: Running parser in train mode", f"{clock(t, 1)} INFO: Training parser..."]
    for epoch, steps, evaluation in epochs(t):
        out += [f"{clock(t, 2 * s)} INFO: Finished STEP {(s + 1) * 20}/5000, loss = {t.loss[s]:.6f} ({noise(t, s).uniform(0.08, 0.12):.3f} sec/batch), lr: {t.lr:.6f}" for s in steps]
        out += [f"{clock(t, 2 * steps.stop)} INFO: Evaluating on dev set...", f"{clock(t, 2 * steps.stop)} INFO: LAS\tMLAS\tBLEX\n{clock(t, 2 * steps.stop)} INFO: {score(evaluation, 70.0 + epoch):.2f}\t{score(evaluation, 55.0):.2f}\t{score(evaluation, 60.0):.2f}", f"{clock(t, 2 * steps.stop)} INFO: step {steps.stop * 20}: train_loss = {average(t, steps.stop - 1):.6f}, dev_score = {score(evaluation, 0.7):.4f}"]
    return {"depparse.log": "\n".join(out) + "\n"}


@blind_format("uer_py_pipes", "dbiir/UER-py: '|  100/ 1000 steps|  tokens/s| loss   | acc:' without a word for the step's name")
def uer(t: Training) -> dict[str, str]:
    out = ["[2024-03-05 09:12:07,100 INFO] Vocabulary size: 21128", f"Worker 0 is training ... learning rate {t.lr}"]
    out += [f"|{(s + 1) * 100:>9}/{len(t.loss) * 100:>9} steps|{noise(t, s).uniform(8000, 9000):>9.2f} tokens/s| loss {loss:>7.2f}| loss_mlm: {loss * 0.9:>7.2f}| loss_sp: {loss * 0.1:>4.2f}| acc_mlm: {score(loss, 0.9 - loss / 6):.3f}| acc_sp: {score(loss, 0.7):.3f}" for s, loss in enumerate(t.loss)]
    return {"pretrain.log": "\n".join(out) + "\n"}


@blind_format("char_rnn_lua", "karpathy/char-rnn: one line a batch with a fraction of epochs; 'loss is exploding, aborting.' ends a lost run")
def char_rnn(t: Training) -> dict[str, str]:
    t, out = resized(t, epochs=8, steps=200), ["vocab.t7 and data.t7 do not exist. Running preprocessing...", "number of parameters in the model: 240321", "cloning rnn"]
    for step, loss in enumerate(t.loss):
        if math.isnan(loss):
            out.append("loss is NaN.  This usually indicates a bug.  Please check the issues page for existing issues.")
            break
        out.append(f"{step + 1}/{len(t.loss)} (epoch {(step + 1) / 200:.3f}), train_loss = {loss:.8f}, grad/param norm = {t.grad_norm(step) / 40:6.4e}, time/batch = {noise(t, step).uniform(0.1, 0.2):.4f}s")
        out += [f"decayed learning rate by a factor 0.97 to {t.lr * 0.97}"] * (step % 400 == 399)
    return {"charrnn.txt": "\n".join(out) + "\n"}


@blind_format("dllogger_bert", "NVIDIA/DeepLearningExamples BERT: dllogger.json, 'DLLL' before each JSON object, numbers of a step under 'data'")
def dllogger(t: Training) -> dict[str, str]:
    out = ["DLLL " + json.dumps({"timestamp": "1709629927.10", "datetime": clock(t, 0), "elapsedtime": "0.01", "type": "METADATA", "metric": "step_loss", "metadata": {"format": ":.4f"}}), "DLLL " + json.dumps({"timestamp": "1709629927.20", "datetime": clock(t, 0), "elapsedtime": "0.02", "type": "LOG", "step": "PARAMETER", "data": {"Config": [f"Namespace(learning_rate={t.lr}, train_batch_size=8192)"]}})]
    for epoch, steps, _ in epochs(t):
        for step in steps:
            data = {"average_loss": average(t, step), "step_loss": t.loss[step] * 1.01, "learning_rate": t.lr}
            out.append("DLLL " + json.dumps({"timestamp": f"{1709629930.1 + 7 * step:.6f}", "datetime": clock(t, 7 * step), "elapsedtime": f"{3 + 7 * step:.6f}", "type": "LOG", "step": [epoch, step + 1], "data": data}))
    out.append("DLLL " + json.dumps({"timestamp": "1709631000.5", "datetime": clock(t, 900), "elapsedtime": "900.1", "type": "LOG", "step": [], "data": {"e2e_train_time": 900.1, "training_sequences_per_second": 412.2, "final_loss": t.loss[-1]}}))
    return {"dllogger.json": "\n".join(out) + "\n"}
