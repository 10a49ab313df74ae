/** Brush and eraser. The stroke lies in the buffer until it is done. */
import { getStrokePoints } from "perfect-freehand";
import { addStroke } from "../../document/commands";
import { tidy, tidyPoint } from "../../document/geometry";
import { instructionsOf, type Point, type Shot, type Stroke } from "../../document/shot";
import { sessionNow } from "../../session/session";
import type { Pointer, Tool, Workbench } from "./tool";

interface Sample {
  at: Point;
  pressure: number | null;
}

/** A drawn line, steadied, as a stroke of the document. */
export function strokeOf(
  samples: readonly Sample[],
  settings: { colour: string; width: number; opacity: number },
  aspect: number,
  erase: boolean,
): Stroke {
  // The steadying measures lengths, so it works on a plane with square units.
  const plane = samples.map(({ at, pressure }) => [at[0] * aspect * 1000, at[1] * 1000, pressure ?? 0.5]);
  const steady =
    samples.length > 2
      ? getStrokePoints(plane, { streamline: 0.4, size: settings.width * 1000, last: true })
      : null;
  const points = (
    steady?.map(({ point }) => [point[0], point[1]] as Point) ?? plane.map(([x, y]) => [x, y] as Point)
  ).map(([x, y]) => tidyPoint([x / aspect / 1000, y / 1000]));
  const pressed = samples.some(({ pressure }) => pressure !== null);
  const pressures = steady?.map(({ pressure }) => pressure) ?? samples.map(({ pressure }) => pressure ?? 1);
  return {
    points,
    width: settings.width,
    colour: settings.colour,
    opacity: erase ? 1 : settings.opacity,
    ...(pressed ? { pressure: pressures.map((value) => tidy(Math.min(1, Math.max(0.05, value)))) } : {}),
    ...(erase ? { erase: true } : {}),
  };
}

/** The paint that a stroke goes to: the selected one, else the last there is. */
export function paintFor(shot: Shot, selected: number | null): number | null {
  const instructions = instructionsOf(shot);
  if (selected !== null && instructions[selected]?.kind === "content") return selected;
  const last = instructions.findLastIndex(
    (instruction) => instruction.kind === "content" && (instruction.strokes?.length ?? 0) > 0,
  );
  return last < 0 ? null : last;
}

function painting(erase: boolean) {
  return (bench: Workbench, from: Pointer) => {
    const place = paintFor(bench.shot, bench.selection?.instruction ?? null);
    if (erase && place === null) return null;
    const samples: Sample[] = [];
    const aspect = bench.view.width / bench.view.height;
    const stroke = () => strokeOf(samples, sessionNow().brush, aspect, erase);
    const lay = () => {
      const drawn = stroke();
      if (erase)
        bench.draft("Erase paint", (shot) => {
          addStroke(shot, place, drawn);
          return undefined;
        });
      else bench.showStroke(drawn);
    };
    const take = (pointer: Pointer) => {
      const last = samples.at(-1)?.at;
      if (last && Math.hypot(last[0] - pointer.at[0], last[1] - pointer.at[1]) < 0.002) return;
      samples.push({ at: pointer.at, pressure: pointer.pressure });
    };
    take(from);
    lay();
    return {
      move(pointer: Pointer) {
        take(pointer);
        lay();
      },
      end() {
        if (erase) bench.commit();
        else
          bench.perform("Paint a stroke", (shot) => ({
            instruction: addStroke(shot, place, stroke()),
            part: null,
          }));
      },
    };
  };
}

export const brush: Tool = { cursor: "crosshair", press: painting(false) };
export const eraser: Tool = { cursor: "crosshair", press: painting(true) };
