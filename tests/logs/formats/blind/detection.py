"""Held-out formats of detection and segmentation."""

from __future__ import annotations

import json
import math

from ..course import asctime, average, clock, epochs, mean, noise, score, tqdm
from ..form import Training
from .registry import blind_format, resized


@blind_format("mmcv1_log_json", "open-mmlab/mmcv 1.x: the .log.json of mmdet 2, a line of the environment, then train and val objects")
def mmcv1(t: Training) -> dict[str, str]:
    out = [json.dumps({"env_info": "sys.platform: linux\nPython: 3.8.13\nPyTorch: 1.11.0", "config": f"optimizer = dict(type='SGD', lr={t.lr}, momentum=0.9)\n", "seed": 0, "exp_name": "faster_rcnn_r50_fpn_1x_coco.py"})]
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            rpn, cls, box = t.parts(step, 0.1, 0.5, 0.4)
            r = noise(t, "mmcv", step)
            out.append(json.dumps({"mode": "train", "epoch": epoch + 1, "iter": 50 * (i + 1), "lr": round(t.lr, 5), "memory": 3919, "data_time": round(r.uniform(0.01, 0.05), 5), "loss_rpn_cls": round(rpn, 5), "loss_cls": round(cls, 5), "acc": round(score(cls, 93.4), 5), "loss_bbox": round(box, 5), "loss": round(t.loss[step], 5), "grad_norm": round(t.grad_norm(step), 5), "time": round(r.uniform(0.3, 0.4), 5)}))
        out.append(json.dumps({"mode": "val", "epoch": epoch + 1, "iter": 625, "lr": t.lr, "bbox_mAP": score(evaluation, 0.2 + epoch / 30), "bbox_mAP_50": score(evaluation, 0.4 + epoch / 30), "bbox_mAP_copypaste": "0.214 0.389 0.213 0.120 0.241 0.280"}))
    return {"20240305_091207.log.json": "\n".join(out) + "\n"}


@blind_format("paddle_detection_engine", "PaddlePaddle/PaddleDetection: ppdet.engine lines, names and numbers without commas")
def ppdet(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"[{clock(t, seconds, '%m/%d %H:%M:%S')}] ppdet.engine INFO: {words}"

    out = ["\x1b[33mWarning: Unable to use OC-SORT, please install filterpy\x1b[0m", line(0, "Finish loading model weights: /root/.cache/paddle/weights/ppyoloe_crn_s.pdparams")]
    for epoch, steps, _ in epochs(t):
        for i, step in enumerate(steps):
            cls, iou, dfl, l1 = t.parts(step, 0.5, 0.2, 0.3, 0.6)
            r = noise(t, "ppdet", step)
            out.append(line(20 * step, f"Epoch: [{epoch}] [{20 * i:>3}/{20 * len(steps)}] learning_rate: {t.lr:.6f} loss: {t.loss[step]:.6f} loss_cls: {cls:.6f} loss_iou: {iou:.6f} loss_dfl: {dfl:.6f} loss_l1: {l1:.6f} eta: 1:{59 - step // 2:02d}:07 batch_cost: {r.uniform(0.5, 0.6):.4f} data_cost: {r.uniform(0, 0.01):.4f} ips: {r.uniform(13, 16):.4f} images/s, max_mem_reserved: 6120 MB, max_mem_allocated: 5513 MB"))
        out.append(f"[{clock(t, 20 * steps.stop, '%m/%d %H:%M:%S')}] ppdet.utils.checkpoint INFO: Save checkpoint: output/ppyoloe_crn_s")
    return {"workerlog.0": "\n".join(out) + "\n"}


@blind_format("paddleseg_train_tags", "PaddlePaddle/PaddleSeg: [INFO] with [TRAIN] and [EVAL] tags, one iteration counter for the whole training")
def paddleseg(t: Training) -> dict[str, str]:
    out = [f"{clock(t, 0)} [INFO]\t\n------------Environment Information-------------\nplatform: Linux-5.4.0\nPaddle compiled with cuda: True\n------------------------------------------------"]
    total = 10 * len(t.loss)
    for epoch, steps, evaluation in epochs(t):
        for i, step in enumerate(steps):
            n = 10 * (step + 1)
            out.append(f"{clock(t, 3 * step)} [INFO]\t[TRAIN] epoch: {epoch + 1}, iter: {n}/{total}, loss: {t.loss[step]:.4f}, lr: {t.lr * (1 - step / len(t.loss)) ** 0.9:.6f}, batch_cost: {noise(t, step).uniform(0.2, 0.3):.4f}, reader_cost: {0.00231 + i / 9000:.5f}, ips: {15.1 + i / 10:.4f} samples/sec | ETA 00:{(total - n) // 240:02d}:{(total - n) // 4 % 60:02d}")
        iou = score(evaluation, 0.5 + epoch / 20)
        out.append(f"{clock(t, 3 * steps.stop)} [INFO]\tStart evaluating (total_samples: 76, total_iters: 76)...")
        out.append(f"{clock(t, 3 * steps.stop)} [INFO]\t[EVAL] #Images: 76 mIoU: {iou:.4f} Acc: {iou + 0.2:.4f} Kappa: {iou:.4f} Dice: {iou + 0.1:.4f}\n{clock(t, 3 * steps.stop)} [INFO]\t[EVAL] Class IoU: \n[{iou + 0.1:.4f} {max(0.0, iou - 0.1):.4f}]")
    return {"train.log": "\n".join(out) + "\n"}


@blind_format("yolox_loguru", "Megvii-BaseDetection/YOLOX: train_log.txt of loguru; iter within the epoch, units stuck to numbers")
def yolox(t: Training) -> dict[str, str]:
    def line(seconds: float, level: str, words: str, where: str = "yolox.core.trainer:270") -> str:
        return f"{clock(t, seconds)} | {level:<8} | {where} - {words}"

    out = [line(0, "INFO", "args: Namespace(batch_size=64, devices=8, fp16=True)", "yolox.core.trainer:130"), line(3, "INFO", "init prefetcher, this might take one minute or less...", "yolox.core.trainer:149")]
    for epoch, steps, _ in epochs(t):
        out.append(line(40 * steps.start, "INFO", f"---> start train epoch{epoch + 1}", "yolox.core.trainer:202"))
        for i, step in enumerate(steps):
            iou, conf, cls = t.parts(step, 0.3, 0.6, 0.1)
            r = noise(t, "x", step)
            out.append(line(40 * step, "INFO", f"epoch: {epoch + 1}/{len(t.evaluations)}, iter: {(i + 1) * 10}/{len(steps) * 10}, mem: 9815Mb, iter_time: {r.uniform(0.3, 0.4):.3f}s, data_time: {r.uniform(0, 0.01):.3f}s, total_loss: {t.loss[step]:.1f}, iou_loss: {iou:.1f}, l1_loss: 0.0, conf_loss: {conf:.1f}, cls_loss: {cls:.1f}, lr: {t.lr:.3e}, size: {416 + 32 * (step % 9)}, ETA: 1:02:{59 - i:02d}"))
        out.append(line(40 * steps.stop, "INFO", "Save weights to ./YOLOX_outputs/yolox_s", "yolox.core.trainer:352"))
    return {"train_log.txt": "\n".join(out) + "\n"}


@blind_format("yolov7_console", "WongKinYiu/yolov7: heads of eight columns before each bar, the memory as 10.9G, the precision table under it")
def yolov7(t: Training) -> dict[str, str]:
    out = [f"\x1b[34m\x1b[1mhyperparameters: \x1b[0mlr0={t.lr}, lrf=0.1, momentum=0.937, weight_decay=0.0005, loss_ota=1\n", "Starting training for 4 epochs...\n"]
    for epoch, steps, evaluation in epochs(t):
        out.append("\n" + ("%10s" * 8) % ("Epoch", "gpu_mem", "box", "obj", "cls", "total", "labels", "img_size") + "\n")
        for i, step in enumerate(steps):
            total = average(t, step) / 20
            row = ("%10s" * 2 + "%10.4g" * 6) % (f"{epoch}/{len(t.evaluations) - 1}", "10.9G", total * 0.4, total * 0.2, total * 0.4, total, 37 + step % 11, 640)
            out.append("\r" + tqdm(row + ": ", i + 1, len(steps), 1.3))
        out.append("\n" + " " * 15 + "Class      Images      Labels           P           R      mAP@.5  mAP@.5:.95: 100%|██████████| 8/8 [00:05<00:00,  1.51it/s]\n")
        m = score(evaluation, 0.2 + epoch / 10)
        out.append(("%20s" + "%12i" * 2 + "%12.3g" * 4) % ("all", 128, 929, m + 0.1, m, m, m / 2) + "\n")
    return {"yolov7.out": "".join(out)}


@blind_format("maskrcnn_benchmark_two_spaces", "facebookresearch/maskrcnn-benchmark: trainer INFO with two spaces between fields, value and median")
def maskrcnn(t: Training) -> dict[str, str]:
    out = [f"{asctime(t, 0)} maskrcnn_benchmark INFO: Using 1 GPUs", f"{asctime(t, 5)} maskrcnn_benchmark.trainer INFO: Start training"]
    t = resized(t, epochs=1, steps=180)
    for step, loss in enumerate(t.loss):
        if step % 2:
            continue
        cls, box, obj = t.parts(step, 0.6, 0.3, 0.1)
        seen = list(t.loss[max(0, step - 9) : step + 1])
        out.append(f"{asctime(t, 8 * step)} maskrcnn_benchmark.trainer INFO: eta: {9 - step // 20}:{59 - step % 60:02d}:11  iter: {10 * step}  loss: {loss:.4f} ({mean(seen):.4f})  loss_classifier: {cls:.4f} ({cls:.4f})  loss_box_reg: {box:.4f} ({box:.4f})  loss_objectness: {obj:.4f} ({obj:.4f})  time: 0.7{step % 10}21 (0.7411)  data: 0.0112 (0.0221)  lr: {t.lr:.6f}  max mem: 4213")
    return {"log.txt": "\n".join(out) + "\n"}


@blind_format("deeplab_itrs_commas", "VainF/DeepLabV3Plus-Pytorch: 'Epoch 1, Itrs 10/30000, Loss=' prints, scores of the validation in a block")
def deeplab(t: Training) -> dict[str, str]:
    t = resized(t, epochs=6, steps=40, start=3.0)
    out = ["Setting up a new session...", "Device: cuda", "Dataset: voc, Train set: 1464, Val set: 1449"]
    for epoch, steps, evaluation in epochs(t):
        out += [f"Epoch {epoch + 1}, Itrs {10 * (step + 1)}/2400, Loss={mean(t.loss[max(steps.start, step - 9) : step + 1]):f}" for step in steps]
        iou = score(evaluation, 0.4 + epoch / 20)
        out.append(f"validation...\n\nOverall Acc: {iou + 0.3:f}\nMean Acc: {iou + 0.1:f}\nFreqW Acc: {iou + 0.2:f}\nMean IoU: {iou:f}\n")
    return {"deeplab.log": "\n".join(out) + "\n"}


@blind_format("tf1_object_detection_tensor", "tensorflow/models object_detection legacy train.py (slim): 'global step' lines; LossTensor is inf or nan stops it")
def tf1_detection(t: Training) -> dict[str, str]:
    out = ["INFO:tensorflow:Restoring parameters from ssd_mobilenet_v2_coco/model.ckpt", "INFO:tensorflow:Starting Session.", "INFO:tensorflow:Recording summary at step 0."]
    for step, loss in enumerate(t.loss):
        if math.isnan(loss):
            out.append("INFO:tensorflow:Error reported to Coordinator: <class 'tensorflow.python.framework.errors_impl.InvalidArgumentError'>, LossTensor is inf or nan. : Tensor had NaN values\n\t [[{{node CheckNumerics}} = CheckNumerics[T=DT_FLOAT, message=\"LossTensor is inf or nan.\"](total_loss)]]")
            out.append("Traceback (most recent call last):\n  File \"train.py\", line 184, in <module>\n    tf.app.run()\ntensorflow.python.framework.errors_impl.InvalidArgumentError: LossTensor is inf or nan. : Tensor had NaN values")
            break
        out.append(f"INFO:tensorflow:global step {step + 1}: loss = {loss:.4f} ({noise(t, step).uniform(0.5, 0.7):.3f} sec/step)")
    else:
        out.append("INFO:tensorflow:Stopping Training.\nINFO:tensorflow:Finished training! Saving model to disk.")
    return {"train.log": "\n".join(out) + "\n"}


@blind_format("tf2_object_detection_dict", "tensorflow/models object_detection model_main_tf2.py: absl lines, a Python dict over five lines each hundred steps")
def tf2_detection(t: Training) -> dict[str, str]:
    out = [f"I{clock(t, 0, '%m%d %H:%M:%S')}.118210 140221 mirrored_strategy.py:374] Using MirroredStrategy with devices ('/job:localhost/replica:0/task:0/device:GPU:0',)"]
    for step, loss in enumerate(t.loss):
        cls, loc, reg = t.parts(step, 0.5, 0.4, 0.1)
        stamp = f"I{clock(t, 50 * step, '%m%d %H:%M:%S')}.{step * 8111 % 1000000:06d} 140221"
        out.append(f"INFO:tensorflow:Step {(step + 1) * 100} per-step time {0.5 + step % 7 / 100:.3f}s\n{stamp} model_lib_v2.py:705] Step {(step + 1) * 100} per-step time {0.5 + step % 7 / 100:.3f}s")
        body = f"{{'Loss/classification_loss': {cls:.8g},\n 'Loss/localization_loss': {loc:.8g},\n 'Loss/regularization_loss': {reg:.8g},\n 'Loss/total_loss': {loss:.8g},\n 'learning_rate': {t.lr:.8g}}}"
        out.append(f"INFO:tensorflow:{body}\n{stamp} model_lib_v2.py:708] {body}")
    return {"train.log": "\n".join(out) + "\n"}


@blind_format("payer_verse_loss_scale", "christianpayer VerSe tool (TF 2): lines that begin with the time, the loss scale falls to 1 in a lost run; issue 31")
def payer(t: Training) -> dict[str, str]:
    out, scale = [f"{clock(t, 0, '%H:%M:%S')}: Saving summary to ./output/spine_localization"], 32768.0
    for step, loss in enumerate(t.loss):
        scale = max(1.0, scale / 2) if math.isnan(loss) else scale
        at = clock(t, 120 * step, "%H:%M:%S")
        out.append(f"{at}: train iter: {100 * step} loss_net: {loss / 4:.4f} loss_scale: {scale:.4f} norm: {t.grad_norm(step):.4f} norm_average: {0.9 + step % 5 / 50:.4f} seconds: {122.8 + step % 9 / 10:.3f}")
        if step % 20 == 19:
            value = t.evaluations[step // t.steps_an_epoch]
            out.append(f"{at}: test iter: {100 * step} loss_net: {value / 4:.4f} seconds: {45.1 + step % 3:.3f}")
    return {"output.txt": "\n".join(out) + "\n"}
