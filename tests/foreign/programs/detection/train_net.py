"""One object an image, its class and its box; the interface is that of detectron2's train_net.py."""

import argparse
import datetime
import json
import logging
import math
import resource
import statistics
import sys
import time
from collections import deque
from pathlib import Path

import torch
import yaml
from config import get_cfg
from torch import nn

SIDE = 16


def default_argument_parser():
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config-file", default="", metavar="FILE", help="path to config file")
    parser.add_argument("--eval-only", action="store_true", help="perform evaluation only")
    parser.add_argument("--num-gpus", type=int, default=0, help="number of gpus *per machine*")
    parser.add_argument(
        "opts",
        help="Modify config options at the end of the command. For Yacs configs, use\n"
        'space-separated "PATH.KEY VALUE" pairs.',
        default=None,
        nargs=argparse.REMAINDER,
    )
    return parser


def setup_logger(output_dir):
    logger = logging.getLogger("d2")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    screen, file = logging.StreamHandler(sys.stdout), logging.FileHandler(output_dir / "log.txt")
    screen.setFormatter(
        logging.Formatter("\x1b[32m[%(asctime)s %(name)s]: \x1b[0m%(message)s", "%m/%d %H:%M:%S")
    )
    file.setFormatter(
        logging.Formatter("[%(asctime)s] %(name)s %(levelname)s: %(message)s", "%m/%d %H:%M:%S")
    )
    for handler in (screen, file):
        logger.addHandler(handler)
    return logger


class Detector(nn.Module):
    """An image (B, SIDE²) to a dict of losses while it trains."""

    def __init__(self, cfg):
        super().__init__()
        width = cfg.MODEL.WIDTH
        self.body = nn.Sequential(
            nn.Linear(SIDE * SIDE, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        self.cls_score = nn.Linear(width, cfg.MODEL.NUM_CLASSES)
        self.bbox_pred = nn.Linear(width, 4)

    def forward(self, images, classes, boxes):
        features = self.body(images)
        return {
            "loss_cls": nn.functional.cross_entropy(self.cls_score(features), classes),
            "loss_box_reg": nn.functional.smooth_l1_loss(self.bbox_pred(features), boxes, beta=0.1),
        }


def images_of(cfg, count, rng):
    """(images, classes, boxes) with one textured rectangle each, with boxes in units of the side."""
    textures = torch.randn(cfg.MODEL.NUM_CLASSES, SIDE, SIDE, generator=torch.Generator().manual_seed(13))
    classes = torch.randint(0, cfg.MODEL.NUM_CLASSES, (count,), generator=rng)
    corner, size = (
        torch.randint(0, 6, (count, 2), generator=rng),
        torch.randint(7, 11, (count, 2), generator=rng),
    )
    images = 0.2 * torch.randn(count, SIDE, SIDE, generator=rng)
    for image, kind, (x, y), (w, h) in zip(images, classes, corner.tolist(), size.tolist(), strict=True):
        image[y : y + h, x : x + w] += textures[kind, y : y + h, x : x + w]
    return images.flatten(1), classes, torch.cat([corner, corner + size], 1) / SIDE


class CommonMetricPrinter:
    """Medians over 20 iterations, to the log and as a line of JSON to metrics.json."""

    def __init__(self, cfg):
        self.logger = logging.getLogger("d2.utils.events")
        self.max_iter, self.file = cfg.SOLVER.MAX_ITER, Path(cfg.OUTPUT_DIR) / "metrics.json"
        self.recent, self.began, self.began_at = {}, time.time(), 0

    def put(self, losses):
        for name, value in losses.items():
            self.recent.setdefault(name, deque(maxlen=20)).append(value)

    def write(self, iteration, lr):
        medians = {name: statistics.median(values) for name, values in self.recent.items()}
        each = (time.time() - self.began) / (iteration + 1)
        eta = datetime.timedelta(seconds=int(each * (self.max_iter - iteration - 1)))
        losses = "  ".join(f"{name}: {value:.4g}" for name, value in medians.items())
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.logger.info(
            " eta: %s  iter: %d  %s  time: %.4f  data_time: 0.0002  lr: %.5g  max_mem: %.0fM",
            eta, iteration, losses, each, lr, memory,
        )  # fmt: skip
        with self.file.open("a") as out:
            out.write(
                json.dumps({"iteration": iteration, "lr": lr, "time": each} | medians, sort_keys=True) + "\n"
            )


def rate_at(cfg, iteration):
    solver = cfg.SOLVER
    rate = solver.BASE_LR * solver.GAMMA ** sum(iteration >= step for step in solver.STEPS)
    if iteration < solver.WARMUP_ITERS:
        part = iteration / solver.WARMUP_ITERS
        rate *= solver.WARMUP_FACTOR * (1 - part) + part
    return rate


def do_test(model, data, logger):
    with torch.no_grad():
        features = model.body(data[0])
        right = (model.cls_score(features).argmax(1) == data[1]).double().mean().item()
        error = (model.bbox_pred(features) - data[2]).abs().mean().item()
    logger.info("Evaluation results: accuracy %.4f, mean box error %.4f", right, error)


def run_step(model, optimizer, batch, iteration):
    losses = model(*batch)
    total = sum(losses.values())
    optimizer.zero_grad()
    total.backward()
    values = {name: loss.item() for name, loss in losses.items()}
    if not math.isfinite(sum(values.values())):
        raise FloatingPointError(
            f"Loss became infinite or NaN at iteration={iteration}!\nloss_dict = {values}"
        )
    optimizer.step()
    return {"total_loss": sum(values.values())} | values


def do_train(cfg, model, data, logger):
    optimizer = torch.optim.SGD(model.parameters(), lr=cfg.SOLVER.BASE_LR, momentum=cfg.SOLVER.MOMENTUM)
    printer, output = CommonMetricPrinter(cfg), Path(cfg.OUTPUT_DIR)
    logger.info("Starting training from iteration 0")
    try:
        for iteration in range(cfg.SOLVER.MAX_ITER):
            rows = torch.randint(len(data[0]), (cfg.SOLVER.IMS_PER_BATCH,))
            for group in optimizer.param_groups:
                group["lr"] = rate_at(cfg, iteration)
            printer.put(run_step(model, optimizer, [part[rows] for part in data], iteration))
            if (iteration + 1) % 20 == 0 or iteration == cfg.SOLVER.MAX_ITER - 1:
                printer.write(iteration, optimizer.param_groups[0]["lr"])
            if (iteration + 1) % cfg.SOLVER.CHECKPOINT_PERIOD == 0:
                torch.save(model.state_dict(), output / f"model_{iteration:07d}.pth")
    except Exception:
        logger.exception("Exception during training:")
        raise
    torch.save(model.state_dict(), output / "model_final.pth")


def main():
    args = default_argument_parser().parse_args()
    cfg = get_cfg()
    if args.config_file:
        cfg.merge_from_file(args.config_file)
    cfg.merge_from_list(args.opts)
    output = Path(cfg.OUTPUT_DIR)
    output.mkdir(parents=True, exist_ok=True)
    logger = setup_logger(output)
    logger.info("Command line arguments: %s", args)
    text = yaml.safe_dump(cfg.plain())
    logger.info("Running with full config:\n%s", text)
    (output / "config.yaml").write_text(text)

    torch.set_num_threads(1)
    if cfg.SEED < 0:
        torch.seed()
    else:
        torch.manual_seed(cfg.SEED)
    rng = torch.Generator().manual_seed(14)
    train_data, test_data = images_of(cfg, 2000, rng), images_of(cfg, 400, rng)
    model = Detector(cfg)
    if not args.eval_only:
        do_train(cfg, model, train_data, logging.getLogger("d2.engine.train_loop"))
    do_test(model, test_data, logging.getLogger("d2.evaluation.testing"))


if __name__ == "__main__":
    main()
