"""A training program that knows nothing of stability: its log, its ends and its troubles by options."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--form", default="stdout")
parser.add_argument("--out", default=".")
parser.add_argument("--adaptive", action="store_true")
args = parser.parse_args()


def say(step: int, mel: float, stop: float) -> None:
    if args.form == "stdout":
        print(
            f"\x1b[32mstep {step}\x1b[0m: loss={mel + stop:.4f}, mel={mel:.4f}, stop={stop:.3f}", flush=True
        )
    elif args.form == "bar":
        print(
            f"\r{step:3d}%|##   | loss={mel + stop:.4f}, mel={mel:.4f}, stop={stop:.3f}",
            end="",
            file=sys.stderr,
        )
    elif args.form == "protocol":
        with (Path(os.environ["STABILITY_TRIAL_DIR"]) / "steps.jsonl").open("a") as file:
            file.write(json.dumps({"step": step, "losses": {"mel": str(mel), "stop": stop}}) + "\n")
    elif args.form in ("csv", "gaps"):
        mel = "" if args.form == "gaps" and step >= 15 else mel
        with (Path(args.out) / "metrics.csv").open("a") as file:
            file.write(("step,train_mel,train_stop\n" if step == 0 else "") + f"{step},{mel},{stop}\n")
    elif args.form == "jsonl":
        with (Path(args.out) / "log.jsonl").open("a") as file:
            file.write(json.dumps({"step": step, "mel": mel, "stop": stop, "lr": args.lr}) + "\n")
    elif args.form == "nulls":
        with (Path(args.out) / "log.jsonl").open("a") as file:
            file.write(json.dumps({"step": step, "mel": None if step >= 15 else mel, "stop": stop}) + "\n")
    elif args.form == "unread":
        print(f"step {step}: loss={mel:.4f}, mel={mel:.4f}, stop={'--' if step >= 15 else 0.5}", flush=True)
    elif args.form == "broken":
        print(f"step {step}: loss=nan, mel=nan, stop=nan", flush=True)
    elif args.form == "skipping":
        print(f"batch {step}: loss is nan, skipping it", flush=True)
    elif args.form == "silent":
        print(f"iteration {step} went well", flush=True)


print("loading data", flush=True)
x = 1.0 + 0.1 * args.seed
for step in range(30):
    x -= (args.lr if args.lr < 5 else 0.1) * 2 * x  # above 5, the number picks a trouble
    mel = x * x if x * x < 1e3 else float("nan")
    say(step, mel, 0.5 / (step + 1))
    if mel != mel and args.lr < 3:
        break  # and exit with status 0, as if nothing had happened
    if mel != mel and args.lr < 4:
        raise RuntimeError("[!] NaN loss")
    if 5 < args.lr < 6 and step == 1:
        time.sleep(600)
    if 6 < args.lr < 7 and step == 1:
        raise ValueError("out of luck")
    if 7 < args.lr < 8 and step == 1:
        raise MemoryError
    if args.lr > 8 and step == 1:
        os.kill(os.getpid(), 9)
    time.sleep(0.002)
