"""What the API takes and gives, as typed documents: the generated client is made from these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from rehearse import shot as documents

Status = Literal["queued", "running", "paused", "finished", "stopped", "failed", "interrupted"]
"""Where a take stands. queued: waits for the worker. paused: waits for a person. stopped: cancelled.
failed: cannot run, see its error. interrupted: the worker or the server died under it."""


Asked = Literal["paused", "stopped"]
"""What a running take can be asked to become."""


class _AsDocument:
    """Makes a shot check itself, and leaves a mark in its schema's place: its own schema, with discriminators
    that nest, is more than OpenAPI can say, see :func:`rehearse.studio.openapi.with_documents`."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _shot, serialization=core_schema.plain_serializer_function_ser_schema(_document)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"x-document": "Shot"}


def _shot(value: Any) -> documents.Shot:
    return value if isinstance(value, documents.Shot) else documents.Shot.model_validate(value)


def _document(shot: documents.Shot) -> dict[str, Any]:
    return shot.model_dump(mode="json", exclude_none=True)


if TYPE_CHECKING:
    Shot = documents.Shot
else:
    Shot = Annotated[Any, _AsDocument]  # FastAPI would look through the mark otherwise

Draft = Annotated[
    dict[str, Any],
    Field(
        description="A shot, finished or not: the structure of Shot, of which any field may be left out, any "
        "text be empty and any number out of range. `problems` say what keeps it from being run."
    ),
]
"""A shot as JSON; :func:`rehearse.shot.draft.check_draft` says what is one."""

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", examples=["0" * 64])]
"""SHA-256 of a file's bytes, in hex."""
Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$", examples=["0" * 32])]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Step = Annotated[int, Field(ge=0, le=1000)]
Revision = Annotated[int, Field(ge=1, le=2**31 - 1)]


class View(BaseModel):
    """Base of all documents of the API."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class PatchOperation(View):
    """One operation of a JSON Patch (RFC 6902)."""

    op: Literal["add", "replace", "remove"]
    path: str
    """JSON pointer into the shot, such as `/instructions/0/phrase`."""
    value: Any = None


class Fix(View):
    """A way to mend a shot that is one click."""

    label: str
    """What the button says, such as `Set to 16 frames`."""
    patch: list[PatchOperation]
    """What it changes in the shot that the problem was found in."""


class ShotProblem(View):
    """What keeps a shot from being run."""

    field: str
    """Where in the shot, such as `instructions[0].phrase`, `frames` or `prompt`."""
    sentence: str
    """For a person."""
    fixes: list[Fix]
    """The best first; empty where only a person can say what is meant."""


class Problem(View):
    """What went wrong, with every status from 400 on."""

    error: str
    """One sentence for a person: what is wrong and what to do about it."""
    field: str | None = None
    """The field at fault, such as `shot.instructions[0].path.keyframes[1].time`; null if none is."""
    problems: list[ShotProblem] | None = None
    """Where a shot that is not ready was to be run: all that keeps it from that; else left out."""


class Subject(View):
    """Words of a prompt that name a thing."""

    phrase: str
    occurrence: int | None
    """Which mention of them, where the prompt has several."""


class Health(View):
    """Whether the server and its worker are up."""

    version: str
    worker: Literal["starting", "idle", "busy", "down"]
    """starting: its libraries are being loaded."""
    token: bool
    """Whether commands need a token."""
    trouble: str | None = None
    """Why the worker is not up, or why the queue stands still of itself, in one sentence; null if neither."""


class Defaults(View):
    """What a shot gets where it does not say otherwise."""

    frames: int
    width: int
    height: int
    fps: float
    steps: int
    guidance: float
    scheduler: str


class WordGroup(View):
    """Words of a closed vocabulary that are of one kind."""

    name: str
    """Such as `Things`, `Colours`, `Motions`, `Places`."""
    words: list[str]
    """Words, and phrases of them that belong together, such as `moves right`."""


class Limits(View):
    """What a model takes."""

    max_frames: int | None
    """Null: any number."""
    size_multiple: int
    """Width and height in pixels must be multiples of it."""
    max_tokens: int
    """Length of an encoded prompt, start and end marks included."""
    vocabulary: list[str] | None
    """The known words of a closed vocabulary, sorted; null: any word."""
    word_groups: list[WordGroup] = []
    """The same words by kind, to be looked through; empty where any word may be used."""
    frame_step: int = 1
    """A clip has 1 frame and a multiple of so many more."""
    fixed: list[int] | None = None
    """Frames, width and height of the one size it takes; null: any."""


class ModelView(View):
    """A model that can be given to a shot."""

    name: str
    family: str
    abilities: list[str]
    """Instructions it can follow: `image`, `content`, `motion`, `target`, `target.source`, `trajectory.box`,
    `trajectory.point`, `trajectory.drag`. And besides: `trajectory.unnamed`, paths that name no words;
    `image.later`, a picture at another time than the start; `target_attention` and `frame_alignment`, these
    settings."""
    from_picture: bool
    """Whether a clip of it starts from a picture: the shot's, or one made of the prompt first."""
    shows_picture: Literal["any", "start"] | None = None
    """When it can show that picture: at any time of the clip, or as the first frame only."""
    site_kinds: list[str] = []
    """Kinds of attention in its denoiser: `cross`, `spatial`, `temporal`, `joint`."""
    triggers: dict[str, str] = {}
    """The word that is put before a target's words, by the target's role."""
    says: str
    """What it can do, in a few words."""
    defaults: Defaults
    limits: Limits


class Need(View):
    """Something of a shot that needs an ability: an instruction, as far as it is told here, or a setting."""

    kind: str | None = None
    """Kind of the instruction; null where a setting needs it."""
    form: str | None = None
    role: str | None = None
    named: bool | None = None
    """Whether the instruction names words of the prompt; null: that makes no difference."""
    later: bool | None = None
    """Whether it is for another time than the start; null: that makes no difference."""
    setting: str | None = None
    """A field of the shot's `control`."""


class AbilityView(View):
    """An ability of models, as their `abilities` name it."""

    name: str
    label: str
    """What a model then can do, to follow "can": `follow drags`."""
    needed_by: list[Need]


class ModelList(View):
    """The installed models."""

    ready: bool
    """Whether they are known. False where no worker has looked at them yet: ask again in a moment."""
    models: list[ModelView]
    abilities: list[AbilityView]
    """Every ability there is, with what needs it."""
    schedulers: list[str]
    default: str
    """The model of a shot that names none."""


class NewProject(View):
    """A project to make."""

    name: Name


class ProjectChange(View):
    """Another name for a project."""

    name: Name
    revision: Revision | None = None
    """The revision it is meant for; 409 if the project has moved on. Null: whichever it is."""


class ProjectView(View):
    """A project: shots, their takes, and a stream of events."""

    id: Id
    name: str
    revision: Revision
    created: float
    """Seconds since 1970, as all times here."""
    changed: float
    deleted: bool
    shots: int
    takes: int
    last_event: int
    """Id of its last event: follow the stream with `?after=` this, and nothing is missed."""


class ProjectList(View):
    """Projects, last changed first."""

    projects: list[ProjectView]


class NewShot(View):
    """A shot to put into a project."""

    shot: Draft
    """Pictures as data: URIs or as `sha256:<digest>` of an uploaded image; never as files."""
    name: Name | None = None
    """Null: its prompt."""


class ShotChange(View):
    """A new revision of a shot. The old ones stay."""

    revision: Revision
    """The revision that was changed; 409 if the shot has moved on meanwhile."""
    shot: Draft | None = None
    """Null: the same."""
    name: Name | None = None
    """Null: the same."""


class ShotSummary(View):
    """A shot without its document."""

    id: Id
    project: Id
    name: str
    revision: Revision
    created: float
    changed: float
    deleted: bool
    prompt: str


class ShotView(ShotSummary):
    """A shot at one revision."""

    shot: Draft
    """Its pictures read `sha256:<digest>`; `/api/images/<digest>` gives them,
    and `/api/images/<digest>/shown` as they are to be shown."""
    problems: list[ShotProblem]
    """What keeps it from being run, as far as can be said without its model; empty: it is ready."""
    notes: list[ShotProblem]
    """What does not keep it from being run, and will mean less than it seems to."""
    subjects: list[Subject]
    """What its prompt speaks of: the words that a path or a mark can be bound to."""


class ShotList(View):
    """Shots of a project, first made first."""

    shots: list[ShotSummary]


class ShotRevision(View):
    """One revision of a shot."""

    revision: Revision
    created: float
    shot: Draft


class ShotHistory(View):
    """Revisions of a shot, newest first."""

    revisions: list[ShotRevision]


class ImageView(View):
    """An uploaded picture."""

    digest: Digest
    reference: str
    """What a shot calls it: `sha256:<digest>`."""
    media_type: Literal["image/png", "image/jpeg", "image/webp"]
    width: int
    """Of the upright picture, as height."""
    height: int
    bytes: int
    notes: list[str]
    """What of the file is left out or guessed at, such as a colour profile that cannot be used."""


class Strip(View):
    """All frames of a clip in one picture, side by side, in rows of `columns`, left to right, top down."""

    digest: Digest
    """`/api/previews/<digest>` gives it."""
    frames: int
    columns: int
    width: int
    """Of one frame, in pixels."""
    height: int


class TakeView(View):
    """One run of one shot by one model. What it shows never changes; a change makes a branch."""

    id: Id
    project: Id
    shot: Id
    shot_revision: Revision | None
    """The revision it was made from; null where a changed shot was given with the command."""
    parent: Id | None
    branch_step: Step | None
    """Steps taken over from the parent."""
    status: Status
    asked: Asked | None
    """What it becomes when the step it is in is done, where somebody has asked; null: nobody has."""
    step: Step
    """Steps done, those of the parent included."""
    steps: Step
    """Steps of the whole take; 0 until the worker has planned it, where the shot leaves them to the model."""
    until: Step | None
    """It pauses when this step is done; null: it runs to its end."""
    seed: int
    model: str
    prompt: str
    name: str
    pinned: bool
    """A pinned take's checkpoints are never pruned."""
    client: str
    """Who queued it, see the header X-Rehearse-Client."""
    error: str | None
    """Why it failed, was interrupted, or paused of itself, in one sentence."""
    notes: list[str]
    """What of the shot was not done as it may have been meant, in a sentence each: words not read, ..."""
    revision: Revision
    created: float
    changed: float
    deleted: bool
    kept_steps: list[Step]
    """Steps it can be branched at; 0 always."""
    queue_position: int | None
    """0: the next one. Null unless it is queued."""
    seconds_per_step: float | None
    """As measured in its last steps."""
    seconds_left: float | None
    """An estimate, while it runs or waits."""
    frames: int | None
    """Of the clip; null until the worker has planned the take."""
    width: int | None
    height: int | None
    fps: float | None
    preview: Strip | None
    """The clip as its last step sees it, at latent size."""
    look: Strip | None
    """Fully decoded: when paused, what it would be; when finished, the clip itself."""
    picture: Digest | None
    """What the clip starts from: the image as paint, edits and drags have left it, of the clip's size;
    `/api/previews/<digest>` gives it. Null where the model starts from no picture, or has not planned yet."""


class TakeDetail(TakeView):
    """A take with the shot it shows."""

    document: Shot


class TakeList(View):
    """The tree of takes of a project, first made first; `parent` says how they hang together."""

    takes: list[TakeView]
    last_event: int


class StepView(View):
    """One denoising step of a take that is done."""

    step: Step
    preview: Strip
    look: Strip | None
    """Fully decoded, where the take paused or ended here."""
    kept: bool
    """Whether its checkpoint is kept, so that one can branch here."""
    inherited: bool
    """Whether it was run by the parent."""
    seconds: float | None
    """How long it took."""


class StepList(View):
    """Steps that are done, first to last."""

    steps: list[StepView]


class NewTake(View):
    """A take to make of a shot."""

    revision: Revision | None = None
    """Which revision of the shot; null: the newest."""
    shot: Draft | None = None
    """A changed shot in its place; null: the shot as it stands in that revision."""
    seed: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None
    """Another seed; null: the shot's."""
    until: Step | None = None
    """Pause after this step; null: run to the end."""
    play: bool = True
    """Whether it is queued at once; else it waits, paused."""
    name: Name | None = None


class Fork(View):
    """A branch: goes back to a step of a take and plays on, changed or not."""

    at: Step
    """Steps taken over, one of the take's `kept_steps`. At 0 anything may change; later, neither model, seed,
    size, length, steps nor scheduler."""
    shot: Draft | None = None
    """The changed shot; null: the same."""
    until: Step | None = None
    play: bool = True
    name: Name | None = None


class Play(View):
    """Play a take on."""

    until: Step | None = None
    """Pause after this step; null: run to the end."""
    revision: Revision | None = None
    """The take's revision this is meant for; 409 if it has moved on. Null: whichever it is."""


class Expect(View):
    """A command that needs nothing more."""

    revision: Revision | None = None
    """The revision this is meant for; 409 if it has moved on. Null: whichever it is."""


class Pin(View):
    """Pin a take, or let it go."""

    pinned: bool
    revision: Revision | None = None


class Rename(View):
    """Name a take."""

    name: Name
    revision: Revision | None = None


class QueueEntry(View):
    """A take that waits or runs."""

    take: Id
    project: Id
    name: str
    prompt: str
    seed: int
    status: Status
    asked: Asked | None
    """What it becomes when the step it is in is done, where somebody has asked."""
    step: Step
    """Steps done."""
    steps: Step
    """Steps of the whole take; 0 until the worker has planned it, where the shot leaves them to the model."""
    seconds_left: float | None
    """An estimate of how long it has yet to run itself, without those before it; null until it has run."""
    client: str
    position: int | None
    """How many wait before it, of all projects; null for one that runs."""


class QueueView(View):
    """What runs and what waits, in order."""

    paused: bool
    """Whether no further take is begun."""
    length: int
    entries: list[QueueEntry]


class QueueOrder(View):
    """A new order of one's own waiting takes: they share out the places they hold."""

    takes: Annotated[list[Id], Field(fail_fast=True, min_length=1, max_length=10_000)]


class Imported(View):
    """What an import brought."""

    project: ProjectView
    takes: int
    shots: int


class ClipShot(View):
    """The shot inside a clip."""

    shot: Shot


class KeepPolicy(View):
    """Which checkpoints stay: every n-th, the first and the last, and all of pinned takes."""

    every: Annotated[int, Field(ge=1, le=1000)] = 5


class Pruned(View):
    """What a prune freed, or would free."""

    checkpoints: int
    files: int
    bytes: int
    done: bool


class ProjectChanged(View):
    """The project itself was renamed, deleted or restored."""

    id: int
    kind: Literal["project"] = "project"
    at: float
    project: Id
    name: str
    deleted: bool


class ShotChanged(View):
    """A shot was made, changed, deleted or restored."""

    id: int
    kind: Literal["shot"] = "shot"
    at: float
    shot: ShotSummary


class TakeChanged(View):
    """A take was made, changed its status, was renamed, pinned, deleted or restored."""

    id: int
    kind: Literal["take"] = "take"
    at: float
    take: TakeView


class StepTaken(View):
    """A denoising step is done, its checkpoint and its preview on the disk."""

    id: int
    kind: Literal["step"] = "step"
    at: float
    take: Id
    step: Step
    steps: Step
    kept: bool
    preview: Strip
    seconds: float
    seconds_left: float


class QueueChanged(View):
    """The queue's order changed, or it was paused or resumed."""

    id: int
    kind: Literal["queue"] = "queue"
    at: float
    paused: bool


Event = Annotated[
    ProjectChanged | ShotChanged | TakeChanged | StepTaken | QueueChanged, Field(discriminator="kind")
]
"""One entry of a project's stream; ids increase, over all projects."""


class EventList(View):
    """Events in order."""

    events: list[Event]
    last: int
    """The id to ask on from."""


Schema = dict[str, Any]
"""A JSON Schema."""
