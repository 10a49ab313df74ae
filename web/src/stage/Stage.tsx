/** The stage in the page: the canvas, its tool options, what is said over it, zoom. */
import { type DragEvent, useEffect, useRef, useState } from "react";
import { imageUrl } from "../api/addresses";
import { useModels } from "../api/queries";
import { useTold } from "../canvas/told";
import { instructionsOf } from "../document/shot";
import { useDocument, useShot } from "../document/store";
import { PictureShape, useMisshapen } from "../instructions/image/PictureShape";
import { useReshaping } from "../instructions/image/reshaping";
import { dropFiles } from "../session/dropping";
import { measure, usePlayhead } from "../session/playhead";
import { useSession } from "../session/session";
import { useTakeView, useViewed, type ViewedTake } from "../session/useViewed";
import { StageNote, TakeNotes, Trouble } from "../takes/StageNotes";
import { useBeyond } from "../timeline/Beyond";
import { IconButton } from "../ui/Button";
import { useTheme } from "../ui/theme";
import { StageController } from "./controller";
import { setStage } from "./current";
import { hintAtFirst } from "./hints";
import { ToolOptions } from "./ToolOptions";
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

  const pictures = instructionsOf(shot).filter((instruction) => instruction.kind === "image");
  const width = viewed.take?.width ?? shot.width ?? model?.defaults.width ?? 128;
  const height = viewed.take?.height ?? shot.height ?? model?.defaults.height ?? 128;
  const tool = useSession((session) => session.tool);
  useEffect(() => hintAtFirst(tool), [tool]);
  // As one word, so that the stage is told of a change only where there is one.
  const stillsSaid = pictures.map(({ image, time }) => `${time ?? 0} ${imageUrl(image)}`).join("\n");
  const misshapen = useMisshapen({ width, height });
  const reshaping = misshapen !== null && !viewed.strip;
  const part = useReshaping((state) => state.part);
  useEffect(() => {
    controller?.show({
      strip: viewed.strip,
      stills: stillsOf(stillsSaid),
      part: reshaping ? part : 0.5,
      beyond: reshaping,
      compared: comparedTake.strip,
      of: shotId,
      comparing: compared !== null,
      frame: { width, height },
    });
  }, [
    controller,
    viewed.strip,
    stillsSaid,
    reshaping,
    part,
    comparedTake.strip,
    shotId,
    compared,
    width,
    height,
  ]);
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
      <AfterTheLast />
      <Trouble take={viewed.take} />
      <TakeNotes take={viewed.take} />
      {reshaping && <PictureShape {...misshapen} frame={{ width, height }} limits={model?.limits} />}
      <StageNote take={viewed.take} bare={!viewed.strip && !pictures.length} />
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
const stillsOf = (said: string): { time: number; url: string }[] =>
  said.split("\n").flatMap((line) => {
    const [time, url] = line.split(" ");
    return url ? [{ time: Number(time), url }] : [];
  });

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

/** That the frame shown is none that the model makes. */
function AfterTheLast() {
  const beyond = useBeyond();
  const frame = usePlayhead((state) => state.frame);
  if (!beyond || frame < beyond.most) return null;
  return (
    <p className="stage-beyond" role="status">
      Frame {frame + 1} lies after the last one that {beyond.model} makes, frame {beyond.most}.
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
