/** The stage in the page: the canvas, its tool options, what is said over it, zoom. */
import { type DragEvent, useEffect, useRef, useState } from "react";
import { imageUrl } from "../api/addresses";
import { useModels } from "../api/queries";
import { measure } from "../desk/playhead";
import { useSession } from "../desk/session";
import { instructionsOf } from "../document/shot";
import { useDocument, useShot } from "../document/store";
import { useTakeView, useViewed, type ViewedTake } from "../run/useViewed";
import { StageNote, Trouble } from "../takes/StageNotes";
import { IconButton } from "../ui/Button";
import { useTheme } from "../ui/theme";
import { StageController } from "./controller";
import { setStage } from "./current";
import { dropFiles } from "./dropping";
import { ToolOptions } from "./ToolOptions";
import { useTold } from "./told";
import { OtherModel, WhatIsIn } from "./WhatIsIn";

export function Stage() {
  const host = useRef<HTMLDivElement>(null);
  const [controller, setController] = useState<StageController | null>(null);
  const [dropping, setDropping] = useState(false);
  const shot = useShot();
  const viewed = useViewed();
  const compared = useSession((session) => session.compared);
  const shotId = useSession((session) => session.shot);
  const comparedTake = useTakeView(compared);
  const compareMode = useSession((session) => session.compareMode);
  const theme = useTheme((state) => state.theme);
  const models = useModels().data;
  const model = models?.models.find((candidate) => candidate.name === (shot.model ?? models.default));

  useEffect(() => {
    if (!host.current) return;
    const made = new StageController(host.current);
    setController(made);
    setStage(made);
    return () => {
      setStage(null);
      made.destroy();
    };
  }, []);

  const frames = viewed.take?.frames ?? viewed.strip?.frames ?? shot.frames ?? model?.defaults.frames ?? 16;
  const fps = viewed.take?.fps ?? shot.fps ?? model?.defaults.fps ?? 8;
  useEffect(() => measure(frames, fps), [frames, fps]);

  const still = instructionsOf(shot).find((instruction) => instruction.kind === "image");
  const width = viewed.take?.width ?? shot.width ?? model?.defaults.width ?? 128;
  const height = viewed.take?.height ?? shot.height ?? model?.defaults.height ?? 128;
  const stillUrl = still?.kind === "image" ? imageUrl(still.image) : null;
  useEffect(() => {
    controller?.show({
      strip: viewed.strip,
      still: stillUrl,
      compared: comparedTake.strip,
      of: shotId,
      comparing: compared !== null,
      frame: { width, height },
    });
  }, [controller, viewed.strip, stillUrl, comparedTake.strip, shotId, compared, width, height]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the mode decides how much has to fit
  useEffect(() => controller?.showAll(), [controller, compareMode]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the canvas reads the theme's colours anew
  useEffect(() => controller?.themeChanged(), [controller, theme]);

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setDropping(false);
    dropFiles([...event.dataTransfer.files]);
  };

  return (
    <section className="stage" aria-label="Stage">
      <ToolOptions />
      <div
        ref={host}
        className="stage-canvas"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the stage is worked with the keyboard too
        tabIndex={0}
        aria-label="Stage: the picture and what is drawn on it. Press question mark for keyboard shortcuts."
        aria-describedby="stage-said"
        onDragOver={(event) => {
          event.preventDefault();
          setDropping(true);
        }}
        onDragLeave={() => setDropping(false)}
        onDrop={drop}
      />
      <WhatIsIn model={model} />
      <OtherModel />
      <Said />
      <Told />
      <Trouble take={viewed.take} />
      <StageNote take={viewed.take} bare={!viewed.strip && !stillUrl} />
      {compared && (
        <div className={`compare-names compare-${compareMode}`}>
          <span>{nameOf(viewed, "This shot")}</span>
          <span>{nameOf(comparedTake, "Click a take below")}</span>
        </div>
      )}
      {dropping && (
        <div className="stage-drop">
          Drop it here: a picture becomes the first frame, a Rehearse clip brings its settings
        </div>
      )}
      <div className="stage-zoom">
        <IconButton icon="plus" label="Zoom in" keys="+" size={16} onClick={() => controller?.zoomBy(1.25)} />
        <IconButton
          icon="minus"
          label="Zoom out"
          keys="−"
          size={16}
          onClick={() => controller?.zoomBy(0.8)}
        />
        <IconButton
          icon="fit"
          label="Show the whole frame"
          keys="0"
          size={16}
          onClick={() => controller?.showAll()}
        />
      </div>
    </section>
  );
}

const nameOf = ({ take, strip }: ViewedTake, none: string): string =>
  take ? `${take.name}${strip ? "" : " (no steps yet)"}` : none;

/** What screen readers hear of the stage. */
function Said() {
  const shot = useShot();
  const selection = useDocument((state) => state.selection);
  const count = instructionsOf(shot).length;
  return (
    <p id="stage-said" className="unseen">
      {count} instruction{count === 1 ? "" : "s"}
      {selection ? `, number ${selection.instruction + 1} is selected` : ", none is selected"}
    </p>
  );
}

/** What the gesture under way does. */
function Told() {
  const sentence = useTold((state) => state.sentence);
  return (
    <p className="stage-told" role="status" data-said={sentence !== null}>
      {sentence}
    </p>
  );
}
