/** What lies after the last frame that the shot's model makes: said, marked, and mended by a click. */
import { useModels } from "../api/queries";
import { type Beyond, beyondModel } from "../document/lengths";
import { modelTitle } from "../document/shot";
import { useDocument, useShot } from "../document/store";
import { useSession } from "../session/session";
import { useViewed } from "../session/useViewed";

/** The shot's frames beyond its model; null where there are none, or a take is looked at, which has what it has. */
export function useBeyond(): (Beyond & { model: string }) | null {
  const shot = useShot();
  const models = useModels().data;
  const { take } = useViewed();
  const open = useSession((session) => session.shot);
  const model = models?.models.find(({ name }) => name === (shot.model ?? models.default));
  const beyond = beyondModel(shot, model, models?.models ?? []);
  return beyond && model && take?.shot !== open ? { ...beyond, model: modelTitle(model.name) } : null;
}

export function BeyondNote() {
  const beyond = useBeyond();
  if (!beyond) return null;
  const { asked, most, model, models } = beyond;
  const { perform } = useDocument.getState();
  return (
    <p className="beyond-note" role="status">
      {model} makes at most {most} frames; frames {most + 1} to {asked} are past its end.
      <button
        type="button"
        className="word"
        onClick={() =>
          perform(`Make ${most} frames`, (draft) => {
            draft.frames = most;
            return undefined;
          })
        }
      >
        Make {most} frames
      </button>
      {models.slice(0, 2).map((name) => (
        <button
          key={name}
          type="button"
          className="word"
          onClick={() =>
            perform(`Use ${name}`, (draft) => {
              draft.model = name;
              return undefined;
            })
          }
        >
          Use {modelTitle(name)}
        </button>
      ))}
    </p>
  );
}
