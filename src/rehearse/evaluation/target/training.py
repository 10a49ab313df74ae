"""Trainings of the target evaluation: all of the same length, on the same clips, one for each arm and seed.

The clips are written as a person would have them, files and JSON lines, without actor masks. A training lies
in a folder named by all that decides it: one that is finished is never made again, one that was stopped goes
on where its last checkpoint is.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Literal

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.progress import Progress, Say, spoken_time
from rehearse.evaluation.kit.report import write_json
from rehearse.evaluation.kit.workers import run_tasks
from rehearse.evaluation.target.arms import TargetArm
from rehearse.evaluation.target.cases import TRAINING_SEED
from rehearse.json_text import read_json_file
from rehearse.theatre.data import SIZE
from rehearse.theatre.world.target_scene import FRAMES

if TYPE_CHECKING:
    from rehearse.training.own.settings import ColumnRecipe, LoraRecipe, Recipe

Normalisation = Literal["joint", "text", "max"]
Precision = Literal["no", "bf16"]

_TRIAL_STEPS = 5
"""The first training makes so many steps before the rest is estimated; it goes on from there."""
_WRITTEN = 32
_TRAINER = 2
"""Counted up when the trainer does something else under the same settings."""


@dataclass(frozen=True)
class TrainingSettings:
    """What every trained arm shares. The defaults are the paper's: its number of clips and steps, batch,
    rate, rank and alpha (None: half the rank). normalise: scale of the attention maps in the loss. precision:
    "no" (float32) or "bf16", of the frozen weights and of what is computed."""

    clips: int = 1290
    steps: int = 2000
    batch: int = 4
    rate: float = 1e-4
    rank: int = 128
    alpha: float | None = None
    normalise: Normalisation = "joint"
    precision: Precision = "no"

    def __post_init__(self) -> None:
        for name in ("clips", "steps", "batch", "rank"):
            if getattr(self, name) < 1:
                raise EvaluationError(f"{name} to train with: {getattr(self, name)} is below 1")

    @property
    def counted(self) -> float:
        """The LoRA's alpha."""
        return self.rank / 2 if self.alpha is None else self.alpha


@dataclass(frozen=True)
class Training:
    """One training. base: what is trained on; data: the JSON lines; out: its folder, a model when it is
    finished. stages: steps on the way, ascending, at which what was learnt is kept as a model of its own."""

    arm: TargetArm
    seed: int
    base: str
    data: Path
    out: Path
    settings: TrainingSettings
    stages: tuple[int, ...] = ()

    def at(self, steps: int) -> Path:
        """The folder of the model after so many steps: a stage, or the last. It lies beside the others, since
        what it says of its base may be relative to where it lies."""
        return self.out if steps == self.settings.steps else self.out.with_name(f"{self.out.name}-at-{steps}")

    def keep(self, steps: int) -> None:
        """Keep the model that the training has come to as that of a stage."""
        whole = self.at(steps)
        part = whole.with_name(f".{whole.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for file in self.out.iterdir():
            if file.is_file() and not file.name.startswith(_NOT_THE_MODEL):
                shutil.copy2(file, part / file.name)
        part.replace(whole)

    @property
    def finished(self) -> bool:
        """Whether it was trained to its last step."""
        return (self.out / _FINISHED).is_file()

    def finish(self, seconds: float) -> None:
        """Say that it was. seconds: of a step, by its last log line."""
        said = {"arm": self.arm.name, "seed": self.seed, **asdict(self.settings), "seconds_a_step": seconds}
        write_json(self.out / _FINISHED, said)

    @property
    def seconds_a_step(self) -> float:
        """Of a finished one; NaN where it does not say."""
        said = read_json_file(self.out / _FINISHED)
        return float(said["seconds_a_step"] or "nan")


_FINISHED = "finished.json"
_NOT_THE_MODEL = ("checkpoint-", "metrics", "lock", ".")
"""How files of a run begin that are not the model it has come to."""

Trainer = Callable[[Training, int], float]
"""Train, or continue, to so many steps; returns the seconds that a step takes."""


def trainings_of(
    arms: Sequence[TargetArm],
    seeds: int,
    base: str,
    fingerprint: str,
    data: Path,
    settings: TrainingSettings,
    folder: Path,
    stages: tuple[int, ...] = (),
) -> list[Training]:
    """Every training that the arms need, seed by seed. fingerprint: of the base."""
    found = []
    for seed in range(seeds):
        for arm in arms:
            if not arm.trained:
                continue
            decides = [arm.name, seed, fingerprint, asdict(settings), TRAINING_SEED, _TRAINER]
            said = json.dumps([*decides, stages] if stages else decides)
            mark = hashlib.sha256(said.encode()).hexdigest()[:10]
            out = folder / f"{arm.slug}-seed{seed}-{mark}"
            found.append(Training(arm, seed, base, data, out, settings, stages))
    return found


def write_training_set(folder: Path, count: int, say: Say) -> Path:
    """The clips that adapters learn from, with masks and captions; ``data.jsonl``, which is written last.

    A set that is there is kept, and one that was stopped goes on.
    """
    from rehearse.theatre.target_data import write_target_rows

    data = folder / "data.jsonl"
    if data.is_file():
        return data
    parts = folder / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    starts = range(0, count, _WRITTEN)
    done = [start for start in starts if (parts / f"{start:06d}.jsonl").is_file()]
    progress = Progress(say, f"training clips, {_WRITTEN} at a time", len(starts), len(done))
    for start in starts:
        if start in done:
            continue
        rows = write_target_rows(
            folder, min(_WRITTEN, count - start), TRAINING_SEED, start, actors=False, name="part.jsonl"
        )
        rows.replace(parts / f"{start:06d}.jsonl")
        progress.tick()
    whole = folder / ".data.jsonl.part"
    whole.write_text("".join((parts / f"{start:06d}.jsonl").read_text() for start in starts))
    whole.replace(data)
    return data


def complete_trainings(
    trainings: Sequence[Training],
    make_trainer: Callable[[], Trainer],
    processes: int,
    say: Say,
    tell: Callable[[float], None],
) -> None:
    """Train what is not finished. tell: is told the seconds of a step as soon as they are known."""
    missing = [training for training in trainings if not training.finished]
    known = [t.seconds_a_step for t in trainings if t.finished]
    known = [seconds for seconds in known if seconds == seconds]
    if not missing:
        return
    if known:
        tell(median(known))
    else:
        # This also encodes the clips, which all trainings share.
        first = missing[0]
        with _single_threaded(processes > 1):
            tell(make_trainer()(first, min(_TRIAL_STEPS, first.settings.steps, *first.stages)))
    progress = Progress(say, "trainings", len(trainings), len(trainings) - len(missing))
    for training, seconds in run_tasks(missing, _train, make_trainer, processes):
        training.finish(seconds)
        progress.tick()


def _train(trainer: Trainer, training: Training) -> tuple[Training, float]:
    for steps in training.stages:
        if not training.at(steps).is_dir():
            trainer(training, steps)
            training.keep(steps)
    return training, trainer(training, training.settings.steps)


@contextmanager
def _single_threaded(wanted: bool) -> Iterator[None]:
    """One thread, as in the processes that the estimate is for."""
    if not wanted:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def refuse_untrainable(arms: Sequence[TargetArm], settings: TrainingSettings, base: str) -> None:
    """Raise EvaluationError, before hours of clips, for what the trainer would refuse after them: a rate, an
    arm's blocks, a base that is none. Raises ModelError for a base that is not whole."""
    trained = [arm for arm in arms if arm.trained]
    if not trained:
        return
    import torch

    from rehearse.models.precision import Precision as Placed
    from rehearse.training.own.base import Base
    from rehearse.training.own.blocks import BlockChoice
    from rehearse.training.own.errors import TrainingError

    try:
        opened = Base.open(base, "target", Placed(torch.device("cpu"), torch.float32))
        opened.shape(FRAMES, (SIZE, SIZE), 1)
    except TrainingError as error:
        raise EvaluationError(str(error).replace("--base", "--model", 1)) from error
    for arm in trained:
        try:
            _, _, column = _recipes(arm, 0, settings)
            if arm.marked:
                BlockChoice.read(column.blocks, opened.blocks, column.draw)
        except TrainingError as error:
            raise EvaluationError(f"arm {arm.name!r} cannot be trained: {error}") from error


def load_trainer() -> Trainer:
    """The trainer of ``rehearse train target`` and ``rehearse train lora``."""
    return train_adapter


def train_adapter(training: Training, steps: int) -> float:
    """Train one arm with one seed to so many steps, in its folder. Raises TrainingError, ModelError."""
    from rehearse.training.own.run import Data, train
    from rehearse.training.own.settings import Running

    arm = training.arm
    recipe, lora, column = _recipes(arm, training.seed, training.settings)
    train(
        "target" if arm.marked else "lora",
        Data(training.data, frames=FRAMES, size=(SIZE, SIZE)),
        training.base,
        recipe,
        Running(training.out, steps=steps, sheet_every=0),
        lora,
        column if arm.marked else None,
    )
    lines = (training.out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return median(row["seconds_a_step"] for row in rows if "seconds_a_step" in row)


def _recipes(
    arm: TargetArm, seed: int, settings: TrainingSettings
) -> tuple[Recipe, LoraRecipe, ColumnRecipe]:
    """What the trainer is told of an arm. Raises TrainingError."""
    from rehearse.training.own.settings import ColumnRecipe, LoraRecipe, Recipe

    recipe = Recipe(batch=settings.batch, rate=settings.rate, seed=seed, precision=settings.precision)
    lora = LoraRecipe(settings.rank, settings.counted)
    column = ColumnRecipe(
        weight=arm.weight,
        direction=arm.direction,
        normalisation=settings.normalise,
        blocks=arm.blocks.replace("/", ","),
    )
    return recipe, lora, column


def spoken_estimate(
    trainings: int, steps: int, step_seconds: float, clips: int, clip_seconds: float, processes: int
) -> str:
    """What is left to do and how long it takes, in a sentence."""
    training, making = trainings * steps * step_seconds, clips * clip_seconds
    parts = []
    if trainings:
        parts.append(
            f"{trainings} trainings of {steps} steps at {step_seconds:.2f} s ({spoken_time(training)})"
        )
    if clips:
        parts.append(f"{clips} clips at {clip_seconds:.2f} s ({spoken_time(making)})")
    if not parts:
        return "left: nothing to train or make"
    whole = spoken_time((training + making) / processes)
    shared = f" on {processes} processes" if processes > 1 else ""
    return f"left: {' and '.join(parts)}: about {whole}{shared}"
