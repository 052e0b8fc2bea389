"""Formats of object detection."""

from __future__ import annotations

import json
import math

from .course import average, clock, epochs, mean, median, noise, score
from .form import Training, log_format


@log_format(
    "torchvision_detection_exits",
    "pytorch/vision references/detection: MetricLogger, and 'Loss is nan, stopping training'",
)
def torchvision_detection(t: Training) -> dict[str, str]:
    out = [
        "Not using distributed mode",
        f"Namespace(data_path='/data/coco', dataset='coco', model='fasterrcnn_resnet50_fpn', device='cuda', batch_size=2, epochs={len(t.evaluations)}, workers=4, lr={t.lr}, momentum=0.9, print_freq=5)",
    ]
    out.append(
        "Loading data\nloading annotations into memory...\nDone (t=14.31s)\ncreating index...\nindex created!\nCreating data loaders\nCreating model\nStart training"
    )
    names = ("loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg")
    for epoch, steps, _ in epochs(t):
        for step in steps:
            parts = t.parts(step, 0.5, 0.3, 0.15, 0.05)
            if math.isnan(t.loss[step]):
                values = ", ".join(
                    f"'{name}': tensor(nan, device='cuda:0', dtype=torch.float64)" for name in names
                )
                return {
                    "run.log": "\n".join([*out, "Loss is nan, stopping training", f"{{{values}}}"]) + "\n"
                }
            if (step - steps.start) % 5 == 0 or step == steps[-1]:
                seen = t.loss[max(steps.start, step - 19) : step + 1]
                meters = "  ".join(
                    f"{name}: {p:.4f} ({p * average(t, step) / t.loss[step]:.4f})"
                    for name, p in zip(names, parts, strict=True)
                )
                out.append(
                    f"Epoch: [{epoch}]  [{step - steps.start:2d}/{len(steps)}]  eta: 0:00:{len(steps) - step % 25:02d}  lr: {t.lr:.6f}  loss: {median(seen):.4f} ({average(t, step):.4f})  {meters}  time: 0.9{step % 10}12  data: 0.0104  max mem: 4021"
                )
        out.append(
            f"Epoch: [{epoch}] Total time: 0:00:24 (0.9712 s / it)\nTest:  [ 0/20]  eta: 0:00:07  model_time: 0.2210 (0.2210)  evaluator_time: 0.0391 (0.0391)  time: 0.3811  data: 0.1093  max mem: 4021\nAveraged stats: model_time: 0.2013 (0.2043)  evaluator_time: 0.0301 (0.0329)"
        )
        out.append(
            f"IoU metric: bbox\n Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = {0.04 + 0.06 * epoch:.3f}\n Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = -1.000"
        )
    return {"run.log": "\n".join([*out, "Training time 0:02:11"]) + "\n"}


@log_format(
    "mmengine_console",
    "open-mmlab/mmengine: LoggerHook on the console of mmdet 3.x, after a dump of the configuration",
)
def mmengine(t: Training) -> dict[str, str]:
    def line(seconds: float, words: str) -> str:
        return f"{clock(t, seconds, '%m/%d %H:%M:%S')} - mmengine - \x1b[4m\x1b[97mINFO\x1b[0m - {words}"

    bar = "-" * 60
    out = [
        line(
            0,
            f"\n{bar}\nSystem environment:\n    sys.platform: linux\n    Python: 3.8.18 (default, Sep 11 2023, 13:40:15) [GCC 11.2.0]\n    CUDA available: True\n    numpy_random_seed: 1193810273\n    PyTorch: 2.0.1+cu118\n{bar}",
        )
    ]
    out.append(
        line(
            1,
            f"Config:\ndefault_hooks = dict(\n    checkpoint=dict(interval=1, type='CheckpointHook'),\n    logger=dict(interval=5, type='LoggerHook'))\nmodel = dict(bbox_head=dict(loss_cls=dict(loss_weight=1.0, type='QualityFocalLoss'), loss_bbox=dict(loss_weight=2.0, type='GIoULoss')))\noptim_wrapper = dict(\n    clip_grad=None, optimizer=dict(lr={t.lr}, momentum=0.9, type='SGD', weight_decay=0.0001))\ntrain_cfg = dict(max_epochs={len(t.evaluations)}, type='EpochBasedTrainLoop', val_interval=1)\n",
        )
    )
    for epoch, steps, evaluation in epochs(t):
        for step in steps[4::5]:
            loss = mean(t.loss[max(0, step - 9) : step + 1])
            out.append(
                line(
                    20 + step,
                    f"Epoch(train) [{epoch + 1}][{step - steps.start + 1:2d}/{len(steps)}]  lr: {t.lr:.4e}  eta: 0:01:{(len(t.loss) - step) % 60:02d}  time: 0.41{step % 10}3  data_time: 0.0071  memory: 3941  grad_norm: {t.grad_norm(step):.4f}  loss: {loss:.4f}  loss_cls: {loss * 0.37:.4f}  loss_bbox: {loss * 0.52:.4f}  loss_dfl: {loss * 0.11:.4f}",
                )
            )
        out.append(line(20 + steps.stop, f"Saving checkpoint at {epoch + 1} epochs"))
        out.append(
            line(
                22 + steps.stop,
                "Epoch(val) [1][5/5]    eta: 0:00:00  time: 0.0612  data_time: 0.0024  memory: 512  ",
            )
        )
        ap = score(evaluation, 0.05 + epoch / 20)
        out.append(
            line(
                23 + steps.stop,
                f"Epoch(val) [{epoch + 1}][5/5]    coco/bbox_mAP: {ap:.4f}  coco/bbox_mAP_50: {ap * 1.7:.4f}  coco/bbox_mAP_s: -1.0000  data_time: 0.0024  time: 0.0612",
            )
        )
    return {"run.log": "\n".join(out) + "\n"}


@log_format(
    "detectron2_metrics_and_log",
    "facebookresearch/detectron2: log.txt and metrics.json; FloatingPointError of _detect_anomaly",
)
def detectron2(t: Training) -> dict[str, str]:
    out = [
        f"[{clock(t, 0, '%m/%d %H:%M:%S')}] detectron2 INFO: Rank of current process: 0. World size: 1",
        f"[{clock(t, 9, '%m/%d %H:%M:%S')}] d2.engine.train_loop INFO: Starting training from iteration 0",
    ]
    rows = []
    for step, loss in enumerate(t.loss):
        if math.isnan(loss):
            where = f"[{clock(t, 20 + step, '%m/%d %H:%M:%S')}] d2.engine"
            out.append(
                f"{where}.train_loop ERROR: Exception during training:\nTraceback (most recent call last):\n  File \"/opt/detectron2/engine/train_loop.py\", line 155, in train\n    self.run_step()\n  File \"/opt/detectron2/engine/train_loop.py\", line 311, in run_step\n    self._write_metrics(loss_dict, data_time)\nFloatingPointError: Loss became infinite or NaN at iteration={step}!\nloss_dict = {{'loss_cls': nan, 'loss_box_reg': nan, 'loss_rpn_cls': 0.6931471824645996}}"
            )
            out.append(
                f"{where}.hooks INFO: Overall training speed: {step - 2} iterations in 0:00:{step - 4:02d} (0.9813 s / it)"
            )
            break
        if step % 5 == 4:
            total, r = median(t.loss[max(0, step - 19) : step + 1]), noise(t, "d2", step)
            cls, box, rpn = total * 0.5, total * 0.33, total * 0.17
            eta = f"eta: 0:01:{(len(t.loss) - step) % 60:02d}"
            out.append(
                f"[{clock(t, 20 + step, '%m/%d %H:%M:%S')}] d2.utils.events INFO:  {eta}  iter: {step}  total_loss: {total:.4g}  loss_cls: {cls:.4g}  loss_box_reg: {box:.4g}  loss_rpn_cls: {rpn:.4g}    time: 0.9813  last_time: {r.uniform(0.9, 1.1):.4f}  data_time: 0.0121  last_data_time: 0.0044   lr: {t.lr:.5g}  max_mem: 3310M"
            )
            rows.append(
                json.dumps(
                    {
                        "data_time": r.uniform(0.001, 0.02),
                        "eta_seconds": 0.98 * (len(t.loss) - step),
                        "fast_rcnn/cls_accuracy": 0.91 + step / 2000,
                        "fast_rcnn/false_negative": 1.0 - step / 100,
                        "iteration": step,
                        "loss_box_reg": box,
                        "loss_cls": cls,
                        "loss_rpn_cls": rpn,
                        "lr": t.lr,
                        "total_loss": total,
                        "rank_data_time": 0.001,
                    }
                )
            )
    return {"log.txt": "\n".join(out) + "\n", "metrics.json": "\n".join(rows) + "\n"}


@log_format(
    "yolov8_console_table",
    "ultralytics 8: console of 'yolo detect train', a table under progress bars redrawn in place",
)
def yolov8(t: Training) -> dict[str, str]:
    out = [
        f"Ultralytics YOLOv8.2.18 🚀 Python-3.10.12 torch-2.3.0+cu121 CUDA:0 (Tesla T4, 15102MiB)\n\x1b[34m\x1b[1mengine/trainer: \x1b[0mtask=detect, mode=train, model=yolov8n.pt, epochs={len(t.evaluations)}, batch=16, imgsz=640, lr0={t.lr}, box=7.5, cls=0.5, dfl=1.5, nbs=64\n"
    ]
    out.append(
        "Model summary: 225 layers, 3011043 parameters, 3011027 gradients, 8.2 GFLOPs\n\n\x1b[34m\x1b[1mAMP: \x1b[0mchecks passed ✅\nStarting training for 4 epochs...\n\n"
    )
    for epoch, steps, evaluation in epochs(t):
        out.append("      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size\n")
        for step in steps[4::5]:
            loss, done = average(t, step), step - steps.start + 1
            bar = f"{100 * done // len(steps):3d}%|{'█' * (10 * done // len(steps)):<10}| {done}/{len(steps)} [00:{done // 2:02d}<00:{(25 - done) // 2:02d},  2.03it/s]"
            out.append(
                f"\r{f'{epoch + 1}/{len(t.evaluations)}':>11}{f'{2.27 + epoch / 100:.3g}G':>11}{loss * 0.4:>11.4g}{loss * 0.8:>11.4g}{loss * 0.35:>11.4g}{noise(t, step).randint(90, 240):>11}{640:>11}: {bar}"
            )
        ap = score(evaluation, 0.2 + epoch / 10)
        out.append(
            f"\n                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|██████████| 4/4 [00:02<00:00,  1.61it/s]\n                   all        128        929{ap * 1.1:>11.3g}{ap:>11.3g}{ap:>11.3g}{ap * 0.7:>11.3g}\n\n"
        )
    out.append(
        "4 epochs completed in 0.021 hours.\nOptimizer stripped from runs/detect/train/weights/last.pt, 6.5MB\nResults saved to \x1b[1mruns/detect/train\x1b[0m\n"
    )
    return {"run.log": "".join(out)}


@log_format(
    "yolov5_results_csv", "ultralytics/yolov5: results.csv, whose names and numbers are padded with spaces"
)
def yolov5_csv(t: Training) -> dict[str, str]:
    names = (
        "epoch",
        "train/box_loss",
        "train/obj_loss",
        "train/cls_loss",
        "metrics/precision",
        "metrics/recall",
        "metrics/mAP_0.5",
        "metrics/mAP_0.5:0.95",
        "val/box_loss",
        "val/obj_loss",
        "val/cls_loss",
        "x/lr0",
        "x/lr1",
        "x/lr2",
    )
    out = [",".join(f"{name:>20}" for name in names).rstrip(",")]
    for epoch in range(len(t.loss) // 5):  # an epoch of this one has five steps
        loss, ap, lr = mean(t.loss[5 * epoch : 5 * epoch + 5]), 0.02 * epoch, t.lr * (1 - epoch / 25)
        held = loss * noise(t, epoch).uniform(1.02, 1.1)
        ap = score(loss, ap)
        numbers = (
            epoch,
            loss * 0.02,
            loss * 0.012,
            loss * 0.006,
            ap,
            ap * 0.9,
            ap * 0.8,
            ap * 0.5,
            held * 0.02,
            held * 0.012,
            held * 0.006,
            lr,
            lr,
            lr + 0.01,
        )
        out.append(",".join(f"{value:20.5g}" for value in numbers))
    return {"results.csv": "\n".join(out) + "\n"}


@log_format(
    "darknet_yolov3",
    "pjreddie/darknet: stderr of 'detector train'; Regions without an object print -nan in every run, issue 652",
)
def darknet(t: Training) -> dict[str, str]:
    out = [
        f"yolov3\nlayer     filters    size              input                output\n    0 conv     32  3 x 3 / 1   416 x 416 x   3   ->   416 x 416 x  32  0.299 BFLOPs\n  106 yolo\nLoading weights from darknet53.conv.74...Done!\nLearning Rate: {t.lr:g}, Momentum: 0.9, Decay: 0.0005\nResizing\n416"
    ]
    smooth = t.loss[0]
    for step, loss in enumerate(t.loss[::2], start=1):
        smooth = smooth * 0.9 + loss * 0.1
        out.append("Loaded: 0.000041 seconds")
        for region in (82, 94, 106):
            r = noise(t, "region", step, region)
            if region == 106 and r.random() < 0.6:
                out.append(
                    f"Region {region} Avg IOU: -nan, Class: -nan, Obj: -nan, No Obj: {r.uniform(0.001, 0.01):f}, .5R: -nan, .75R: -nan,  count: 0"
                )
            elif math.isnan(loss):
                out.append(
                    f"Region {region} Avg IOU: -nan, Class: -nan, Obj: -nan, No Obj: -nan, .5R: 0.000000, .75R: 0.000000,  count: {r.randint(1, 9)}"
                )
            else:
                out.append(
                    f"Region {region} Avg IOU: {r.uniform(0.2, 0.6):f}, Class: {r.random():f}, Obj: {r.random():f}, No Obj: {r.uniform(0.001, 0.5):f}, .5R: {r.random():f}, .75R: {r.uniform(0, 0.2):f},  count: {r.randint(1, 9)}"
                )
        shown = "-nan, -nan" if math.isnan(loss) else f"{loss:f}, {smooth:f}"
        out.append(
            f"{step}: {shown} avg, {t.lr * min(1, (step / 40) ** 4):f} rate, {noise(t, step).uniform(2, 4):f} seconds, {step * 64} images"
        )
    return {"train.log": "\n".join(out) + "\n"}
