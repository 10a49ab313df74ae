/** Model, seed, length and size; what is left empty the model decides. */
import type { Model } from "../api/client";
import { setSession, useSession } from "../desk/session";
import { modelTitle, type Shot } from "../document/shot";
import { useDocument } from "../document/store";
import { randomSeed } from "../run/actions";
import { IconButton } from "../ui/Button";
import { NumberField } from "../ui/NumberField";
import { Row, Select, TextField } from "./fields";

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
          options={names.map((name) => [name, modelTitle(name)] as const)}
          onChange={(name) =>
            set(`Use ${name}`, (draft) => {
              draft.model = name;
            })
          }
        />
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
        <Row>
          <NumberField
            label="Steps"
            value={shot.steps}
            empty={String(defaults?.steps ?? "default")}
            min={1}
            max={1000}
            onChange={number("steps")}
          />
          <NumberField
            label="Guidance"
            value={shot.guidance}
            empty={String(defaults?.guidance ?? "default")}
            min={0}
            max={100}
            step={0.5}
            onChange={number("guidance")}
          />
        </Row>
        <details className="more">
          <summary>Size, length, scheduler, negative prompt</summary>
          <Row>
            <NumberField
              label="Frames"
              value={shot.frames}
              empty={String(defaults?.frames ?? "default")}
              min={1}
              max={model?.limits.max_frames ?? 10_000}
              onChange={number("frames")}
            />
            <NumberField
              label="Frames per second"
              value={shot.fps}
              empty={String(defaults?.fps ?? "default")}
              min={0.1}
              max={240}
              onChange={number("fps")}
            />
          </Row>
          <Row>
            <NumberField
              label="Width"
              value={shot.width}
              empty={String(defaults?.width ?? "default")}
              min={8}
              max={8192}
              step={model?.limits.size_multiple ?? 8}
              onChange={number("width")}
            />
            <NumberField
              label="Height"
              value={shot.height}
              empty={String(defaults?.height ?? "default")}
              min={8}
              max={8192}
              step={model?.limits.size_multiple ?? 8}
              onChange={number("height")}
            />
          </Row>
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
        </details>
      </div>
    </section>
  );
}
