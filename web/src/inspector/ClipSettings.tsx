/** Model, seed, length and size; what is left empty the model decides. */
import type { Model } from "../api/client";
import { modelTitle, type Shot } from "../document/shot";
import { useDocument } from "../document/store";
import { randomSeed } from "../run/actions";
import { Problems } from "../session/Problems";
import { useProblems } from "../session/readiness";
import { setSession, useSession } from "../session/session";
import { IconButton } from "../ui/Button";
import { Row, Select, TextField } from "../ui/fields";
import { NumberField } from "../ui/NumberField";
import { ClipShape } from "./ClipShape";
import { Fold } from "./Fold";

const HIDDEN = ["frames", "fps", "width", "height", "scheduler", "negative_prompt"];

/** What the model can do and what it takes, in a line. */
function sentenceOf({ says, defaults, limits }: Model): string {
  const most = limits.max_frames === null ? "any number of frames" : `up to ${limits.max_frames} frames`;
  const length = limits.max_frames === 1 ? "one picture" : most;
  const words = limits.vocabulary ? `; knows ${limits.vocabulary.length} words` : "";
  return `${says.charAt(0).toUpperCase()}${says.slice(1)}. ${defaults.width} × ${defaults.height}, ${length}${words}.`;
}

export function ClipSettings({
  shot,
  model,
  models,
  schedulers,
}: {
  shot: Shot;
  model: Model | undefined;
  models: Model[];
  schedulers: string[];
}) {
  const seedLocked = useSession((session) => session.seedLocked);
  const set = (label: string, recipe: (draft: Shot) => void, merge?: string) =>
    useDocument.getState().perform(
      label,
      (draft) => {
        recipe(draft);
        return undefined;
      },
      merge,
    );
  const number =
    (field: "frames" | "width" | "height" | "fps" | "steps" | "guidance") => (value: number | null) =>
      set(`Set ${field}`, (draft) => {
        draft[field] = value;
      });
  const defaults = model?.defaults;
  const problems = useProblems();
  const settings = (fields: readonly string[]) => problems.filter(({ field }) => fields.includes(field));
  const named = shot.model ?? "theatre-video";
  const names = models.some(({ name }) => name === named)
    ? models.map(({ name }) => name)
    : [named, ...models.map(({ name }) => name)];
  return (
    <section className="panel" aria-label="Clip">
      <header className="panel-head">
        <h2>Clip</h2>
      </header>
      <div className="panel-body">
        <Select
          label="Model"
          value={named}
          options={names.map((name) => {
            const found = models.find((one) => one.name === name);
            return [name, found ? `${modelTitle(name)}: ${found.says}` : modelTitle(name)] as const;
          })}
          onChange={(name) =>
            set(`Use ${name}`, (draft) => {
              draft.model = name;
            })
          }
        />
        {model && <p className="model-says">{sentenceOf(model)}</p>}
        <Problems problems={settings(["model"])} />
        <div className="row seed-row">
          <NumberField
            label="Seed"
            value={shot.seed ?? 0}
            min={0}
            max={Number.MAX_SAFE_INTEGER}
            disabled={!seedLocked}
            onChange={(value) =>
              set("Set the seed", (draft) => {
                draft.seed = Math.round(value ?? 0);
              })
            }
          />
          <IconButton
            icon={seedLocked ? "lock" : "unlock"}
            label={
              seedLocked
                ? "Seed locked: takes differ only by what you change"
                : "Random seed for every new take"
            }
            pressed={seedLocked}
            size={16}
            onClick={() => setSession({ seedLocked: !seedLocked })}
          />
          <IconButton
            icon="dice"
            label="New random seed"
            size={16}
            onClick={() =>
              set("New random seed", (draft) => {
                draft.seed = randomSeed();
              })
            }
          />
        </div>
        <ClipShape shot={shot} model={model} />
        <Row>
          <NumberField
            label="Steps"
            value={shot.steps}
            empty={String(defaults?.steps ?? "default")}
            onChange={number("steps")}
          />
          <NumberField
            label="Guidance"
            value={shot.guidance}
            empty={String(defaults?.guidance ?? "default")}
            step={0.5}
            onChange={number("guidance")}
          />
        </Row>
        <Problems problems={settings(["seed", "steps", "guidance"])} />
        <Fold className="more" urged={settings(HIDDEN).length > 0}>
          <summary>Size, length, scheduler, negative prompt</summary>
          <Row>
            <NumberField
              label="Frames"
              value={shot.frames}
              empty={String(defaults?.frames ?? "default")}
              onChange={number("frames")}
            />
            <NumberField
              label="Frames per second"
              value={shot.fps}
              empty={String(defaults?.fps ?? "default")}
              onChange={number("fps")}
            />
          </Row>
          <Problems problems={settings(["frames", "fps"])} />
          <Row>
            <NumberField
              label="Width"
              value={shot.width}
              empty={String(defaults?.width ?? "default")}
              step={model?.limits.size_multiple ?? 8}
              onChange={number("width")}
            />
            <NumberField
              label="Height"
              value={shot.height}
              empty={String(defaults?.height ?? "default")}
              step={model?.limits.size_multiple ?? 8}
              onChange={number("height")}
            />
          </Row>
          <Problems problems={settings(["width", "height"])} />
          <Select
            label="Scheduler"
            value={shot.scheduler ?? ""}
            options={[
              ["", `The model's: ${defaults?.scheduler ?? "default"}`],
              ...schedulers.map((name) => [name, name] as const),
            ]}
            onChange={(name) =>
              set("Choose the scheduler", (draft) => {
                draft.scheduler = (name || null) as Shot["scheduler"];
              })
            }
          />
          <TextField
            label="Negative prompt: what not to show"
            value={shot.negative_prompt ?? ""}
            onChange={(value) =>
              set(
                "Write the negative prompt",
                (draft) => {
                  draft.negative_prompt = value || null;
                },
                "negative",
              )
            }
          />
          <Problems problems={settings(["scheduler", "negative_prompt"])} />
        </Fold>
      </div>
    </section>
  );
}
