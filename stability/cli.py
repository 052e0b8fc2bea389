"""The command line: one function per command, no logic. What is slow to import is imported by its command."""

from __future__ import annotations

import re
import shlex
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from stability.records import UserError
from stability.redaction import without_password

app = typer.Typer(
    name="stability",
    help="Finds which hyperparameters make a training run diverge, and how far a recipe is from the edge.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


class AsTyped(TyperCommand):
    """A command whose usage shows its arguments as they are typed, without the braces of Typer's own."""

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:
        """The options, then each argument by its metavar."""
        arguments = [param for param in self.get_params(ctx) if param.param_type_name == "argument"]
        return [self.options_metavar, *(param.metavar or param.name.upper() for param in arguments)]


class TableFormat(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class PatchFormat(StrEnum):
    YAML = "yaml"
    JSON = "json"


class TraceFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class ReportFormat(StrEnum):
    MD = "md"
    HTML = "html"
    JSON = "json"


class Language(StrEnum):
    EN = "en"
    FA = "fa"


class ExecutorName(StrEnum):
    LOCAL = "local"
    RAY = "ray"


StorageOption = Annotated[
    str, typer.Option("--storage", envvar="STABILITY_STORAGE", help="SQLAlchemy URL, or an SQLite file.")
]
FormatOption = Annotated[TableFormat, typer.Option("--format", "-f", help="How to print the table.")]
StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="Name of a study, or its file.")]
MaxRiskOption = Annotated[
    float, typer.Option("--max-risk", help="The share of diverging runs to stay below, over 0.02.")
]
DEFAULT_STORAGE = "sqlite:///stability.db"


@app.command(cls=AsTyped)
def run(
    study: Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="The study file.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes, such as budget.epochs=2.")
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Trials at a time.  [default: cores]")
    ] = None,
    executor: Annotated[ExecutorName, typer.Option(help="Where trials run.")] = ExecutorName.LOCAL,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda (every GPU in CUDA_VISIBLE_DEVICES) or cuda:1.")
    ] = "auto",
    slots_per_gpu: Annotated[int, typer.Option(help="Trials at a time on each GPU.")] = 1,
    address: Annotated[
        str | None, typer.Option(help="Ray: the cluster's HOST:PORT.  [default: this machine's]")
    ] = None,
    cpus_per_trial: Annotated[
        float | None, typer.Option(help="Ray: CPUs that a trial needs.  [default: 1]")
    ] = None,
    gpus_per_trial: Annotated[
        float | None, typer.Option(help="Ray: GPUs, or the part of one.  [default: 0]")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run again what crashed, hung or lost its machine.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Replay and explain the first diverged trial of each kind.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("reports"),
) -> None:
    """Run a study and write its report. The same command again finishes only what is missing.

    Exit status 1 when no trial gave evidence. A study whose first trials all fail alike stops after a few,
    says what to mend, and runs them again with the next such command.
    """
    from stability import exporting, progress, terminal, trainers
    from stability.executors.choice import Wishes, chosen
    from stability.spec import load_study
    from stability.store import Store
    from stability.study import FailedAlike, Run, drive

    spec = load_study(study, overrides or ())
    trainers.check(spec)
    wishes = Wishes(device, jobs, slots_per_gpu, address, cpus_per_trial, gpus_per_trial)
    runner = chosen(executor.value, wishes)
    import stability.report.figures  # noqa: F401 - loads pandas and matplotlib while the runner loads torch

    for sentence in trainers.advice(spec):
        typer.echo(f"warning: {sentence}", err=True)
    store = Store(storage)
    exporting.make_folder(out / spec.name)
    try:
        with progress.live(spec) as watcher:
            ended = drive(Run(spec, store, runner, watcher, device, retry_failed))
        if explain:
            terminal.explain_each_kind(store, spec.name)
        report_path = _write_report(store, spec.name, ReportFormat.MD, Language.EN, out)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end of Python itself would answer another aloud
        typer.echo("interrupted; what is finished is stored, the same command goes on from there", err=True)
        raise typer.Exit(1) from None
    except FailedAlike as failed:
        typer.echo(failed, err=True)
        raise typer.Exit(1) from None
    if ended is not None:
        typer.echo(ended, err=True)
    if not terminal.closing(spec, store, report_path, _named_storage(storage)) or ended is not None:
        raise typer.Exit(1)


@app.command()
def status(
    study: Annotated[str | None, typer.Argument(help="Name of a study; all of them without.")] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    format: FormatOption = TableFormat.TABLE,
) -> None:
    """What has run, what diverged, what is missing."""
    from stability import terminal
    from stability.store import Store

    name = _study_name(study) if study else None
    terminal.print_status(Store(storage, create=False), name, format.value, _named_storage(storage))


@app.command()
def report(
    study: StudyArgument,
    storage: StorageOption = DEFAULT_STORAGE,
    format: Annotated[ReportFormat, typer.Option("--format", "-f")] = ReportFormat.MD,
    lang: Annotated[Language, typer.Option("--lang")] = Language.EN,
    out: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("reports"),
) -> None:
    """Write the comparison report and print its path."""
    from stability.store import Store

    store = Store(storage, create=False)
    typer.echo(_write_report(store, _study_name(study), format, lang, out))


@app.command()
def show(
    study: StudyArgument,
    trial: Annotated[str, typer.Argument(help="STAGE/NUMBER or a trial's key, such as basic/seed-3.")],
    storage: StorageOption = DEFAULT_STORAGE,
    format: FormatOption = TableFormat.TABLE,
) -> None:
    """One trial: settings, verdict and evidence, losses per epoch, events, the end of its output."""
    from stability import terminal, trainers
    from stability.spec import from_document
    from stability.store import Store

    store, name = Store(storage, create=False), _study_name(study)
    trial_id = terminal.find_trial(store.trials(name), trial)["trial_id"]
    spec = from_document(store.environment(name)["spec"])
    options = _named_storage(storage) if trainers.replays(spec.trainer) else None
    terminal.print_trial(store.frames(name, trial_id), trial, format.value, options, spec)


@app.command()
def recommend(
    study: StudyArgument,
    max_risk: MaxRiskOption = 0.05,
    storage: StorageOption = DEFAULT_STORAGE,
    format: Annotated[
        PatchFormat, typer.Option("--format", "-f", help="How to print it.")
    ] = PatchFormat.YAML,
) -> None:
    """The bounds within which each arm diverges rarely, and the change that moves an arm inside its own.

    Prints a part of a study file. Exit status 1 where no bound can be stated.
    """
    import json

    from stability.report import patch

    spec, trials = _studied(storage, study)
    advice, changes = patch.recommend(spec, trials, max_risk)
    if format is PatchFormat.JSON:
        facts = [own.facts | {"text": " ".join(own.told)} for own in advice]
        typer.echo(
            json.dumps({"study": spec.name, "arms": facts, "patch": changes}, indent=2, allow_nan=False)
        )
    else:
        typer.echo(patch.as_yaml(advice, changes), nl=False)
    if all(own.facts["bound"] is None for own in advice):
        raise typer.Exit(1)


@app.command()
def gate(
    study: StudyArgument,
    arm: Annotated[str, typer.Argument(metavar="ARM", help="Name of an arm of the study.")],
    max_risk: MaxRiskOption = 0.05,
    storage: StorageOption = DEFAULT_STORAGE,
    format: FormatOption = TableFormat.TABLE,
) -> None:
    """Exit status 1 unless the arm is shown to diverge in less than MAX_RISK of its runs.

    For a job before an expensive run.
    """
    from stability import terminal
    from stability.report.gate import gate as gated

    spec, trials = _studied(storage, study)
    found = gated(spec, trials, arm, max_risk)
    if format is TableFormat.TABLE:
        typer.echo("\n".join(found.told))
    else:
        terminal.print_rows([found.facts | {"text": " ".join(found.told)}], format.value)
    if not found.facts["passed"]:
        raise typer.Exit(1)


@app.command(cls=AsTyped)
def judge(
    study: StudyArgument,
    limits: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Limits of rules, such as given_back=0.6."),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    format: FormatOption = TableFormat.TABLE,
) -> None:
    """Judge stored trials under other limits: which verdicts would change.

    Nothing is retrained and nothing stored is changed. Without limits, says whether the present rules agree.
    """
    from stability import rejudge, terminal
    from stability.store import Store

    policy = rejudge.policy_from(limits or ())
    found = rejudge.rejudge(Store(storage, create=False), _study_name(study), policy)
    terminal.print_rejudged(found, format.value)


@app.command()
def explain(
    study: StudyArgument,
    trial: Annotated[str, typer.Argument(help="STAGE/NUMBER or a trial's key, such as basic/seed-3.")],
    storage: StorageOption = DEFAULT_STORAGE,
    format: FormatOption = TableFormat.TABLE,
) -> None:
    """Replay a diverged trial up to its first bad step and name the operation where it broke."""
    from stability import terminal
    from stability.explain import explain as replayed
    from stability.store import Store
    from stability.trialdir import read_records

    store = Store(storage, create=False)
    row = terminal.find_trial(store.trials(_study_name(study)), trial)
    found = replayed(store, row)
    terminal.print_explanation(row, found, read_records(Path(row["directory"])), format.value)


@app.command(cls=AsTyped, context_settings={"ignore_unknown_options": True}, options_metavar="[OPTIONS] --")
def trace(
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND...", help="The program as you start it now, after `--`.")
    ],
    format: Annotated[TraceFormat, typer.Option("--format", "-f")] = TraceFormat.TEXT,
    every: Annotated[
        int | None,
        typer.Option(min=1, help="Steps between copies of the program.  [default: so that they cost 5%]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A folder to keep what was recorded.")] = None,
) -> None:
    """Run a program unchanged and say where its first number broke: `stability trace -- python train.py`.

    Its output and exit status are its own. Names step, operation, file and line of the first NaN or infinity,
    or the step at which a training without one began to explode. Sees what PyTorch computes.
    """
    from stability.commands import trace as tracing

    raise typer.Exit(tracing.trace(command, tracing.Wishes(format is TraceFormat.JSON, every, out)))


@app.command()
def export(
    study: StudyArgument,
    storage: StorageOption = DEFAULT_STORAGE,
    format: Annotated[TableFormat, typer.Option("--format", "-f", help="csv or json.")] = TableFormat.CSV,
    out: Annotated[Path, typer.Option(help="Folder of the files.")] = Path("export"),
) -> None:
    """Write all tables of a study as files: trials, epochs, steps, events."""
    from stability import exporting
    from stability.store import Store

    frames = Store(storage, create=False).frames(_study_name(study))
    for path in exporting.write(frames, out / _study_name(study), format.value):
        typer.echo(path)


@app.command()
def dashboard(
    storage: StorageOption = DEFAULT_STORAGE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8080,
    artifact_dir: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Optuna artifacts to serve.")
    ] = None,
    lang: Annotated[Language, typer.Option(help="Language of notes and plots.")] = Language.EN,
) -> None:
    """Serve optuna-dashboard on the store, with the answers, reports, plots and diagnoses of its studies."""
    from stability import dashboard as served
    from stability.store import Store

    served.serve(Store(storage, create=False), host, port, artifact_dir, typer.echo, lang.value)


@app.command(cls=AsTyped, context_settings={"ignore_unknown_options": True}, options_metavar="[OPTIONS] --")
def init(
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND...", help="The program as you start it now, after `--`.")
    ],
    out: Annotated[
        Path, typer.Option(help="The study file to write, such as `--out lr.yaml`; the study has its name.")
    ] = Path("study.yaml"),
    log: Annotated[
        Path | None,
        typer.Option(help="Read what an earlier run printed, and run nothing, such as `--log old.log`."),
    ] = None,
    no_run: Annotated[
        bool, typer.Option("--no-run", help="Do not run the program; how its numbers are read stays unknown.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=1.0, help="Seconds that each run may take, such as `--timeout 600`.")
    ] = 120.0,
    force: Annotated[
        bool, typer.Option("--force", help="Write over the file of `--out`, if it is there.")
    ] = False,
) -> None:
    """Write a first study file: `stability init -- python train.py --lr 0.1`.

    Finds the program's options, runs it for a short while, shows what was read,
    and whether learning rate and seed reach the training. Exit status 1 where the
    program failed, or printed no loss that is read.
    """
    from stability.commands import init as first_study

    if out.exists() and not force:
        raise UserError(f"{out} is there already; choose another --out, or --force")
    wishes = first_study.Wishes(out, _study_stem(out), log, not no_run, timeout, typer.echo)
    try:
        is_ready = first_study.write(command, wishes)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end of Python itself would answer another aloud
        typer.echo("interrupted; nothing was written, and every run of the program was ended", err=True)
        raise typer.Exit(1) from None
    if not is_ready:
        typer.echo(f"{out}: no study can begin with it; mend this, then the same command with --force")
        raise typer.Exit(1)
    typer.echo(f"{out}: look at it, then\nstability run {out}")


@app.command("import", cls=AsTyped)
def import_(
    logs: Annotated[list[Path], typer.Argument(metavar="LOG...", help="Logs, or folders of them.")],
    name: Annotated[str, typer.Option(help="Name of the study.")] = "imported",
    params: Annotated[
        str | None,
        typer.Option(metavar="TEMPLATE", help="Parameters in the paths: 'run_lr{lr}_seed{seed}.log'."),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="CSV file of parameters; its column `run` names the logs.")
    ] = None,
    parse: Annotated[
        Path | None, typer.Option(help="YAML file: how to read the logs, as `parse` in a study file.")
    ] = None,
    yardstick: Annotated[
        list[str] | None, typer.Option(metavar="COMPONENT=WEIGHT", help="Compare runs by these losses.")
    ] = None,
    explain_parse: Annotated[
        bool, typer.Option("--explain-parse", help="Only say what is read of each log, and from which lines.")
    ] = False,
    storage: StorageOption = DEFAULT_STORAGE,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("reports"),
) -> None:
    """Make a study of finished runs: verdicts and a report from their logs. Files left out are named.

    Text, CSV, JSON, JSON lines, TensorBoard and offline W&B logs are read. What their numbers mean is found
    out (see --explain-parse), or said by --parse. Parameters come from a YAML or JSON file beside a log, from
    its name and from a table.
    """
    import functools

    from stability import importing, terminal
    from stability.store import Store

    chosen = importing.options(name, params, table, parse, yardstick or ())
    if explain_parse:
        for sentence in importing.explain_parse([str(log) for log in logs], chosen):
            typer.echo(sentence)
        return
    store = Store(storage)
    tell = functools.partial(typer.echo, err=True)
    spec = importing.import_runs([str(log) for log in logs], chosen, store, tell)
    for sentence in terminal.imported(store.trials(spec.name)):
        typer.echo(sentence)
    report_path = _write_report(store, spec.name, ReportFormat.MD, Language.EN, out)
    if not terminal.closing(spec, store, report_path, _named_storage(storage)):
        raise typer.Exit(1)


@app.command()
def doctor(storage: StorageOption = DEFAULT_STORAGE, format: FormatOption = TableFormat.TABLE) -> None:
    """Check that this machine can run studies; exit status 1 when it cannot."""
    from stability import doctor as checks
    from stability import terminal

    rows = checks.examine(storage)
    terminal.print_rows(rows, format.value)
    if any(row["result"] == "failed" for row in rows):
        raise typer.Exit(1)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a study file, for an editor to complete and check it."""
    import json

    from stability import spec

    typer.echo(json.dumps(spec.schema(), indent=2))


def main() -> None:
    """Run the command line. Exit codes: 0 ok, 1 failed or interrupted, 2 usage or bad study."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends children like Ctrl-C does
    try:
        app()
    except UserError as error:
        typer.echo(error, err=True)
        sys.exit(2)


def _study_name(study: str) -> str:
    """The name in a study file, or the name itself."""
    if study.endswith((".yaml", ".yml")):
        from stability.spec import load_study

        return load_study(study).name
    return study


def _study_stem(path: Path) -> str:
    """A study's name from its file's."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", path.stem).lstrip("_-") or "study"


def _studied(storage: str, study: str):
    """A stored study and its trials."""
    from stability.spec import from_document
    from stability.store import Store

    store, name = Store(storage, create=False), _study_name(study)
    return from_document(store.environment(name)["spec"]), store.trials(name)


def _write_report(store, study: str, format: ReportFormat, lang: Language, out: Path) -> Path:
    from stability import report as rendering
    from stability.report.stored import stored

    return rendering.write(*stored(store, study), format=format.value, lang=lang.value, out=out / study)


def _named_storage(storage: str) -> str:
    """What a further command needs to find the store: an option, or nothing where it is the usual one."""
    return "" if storage == DEFAULT_STORAGE else f" --storage {shlex.quote(without_password(storage))}"
