/** Moving what is not a path in the frame, as far as it stays inside, in its own shape. */
import { clamp, moveBox, tidy, tidyPoint } from "./geometry";
import { type Instruction, isDrag, type Mask, type Point } from "./shot";

type Place = readonly [number, number];

/** A shift by which none of the places leaves the frame. */
function within(places: readonly Place[], dx: number, dy: number): Place {
  const free = (axis: 0 | 1, by: number) => {
    const at = places.map((place) => place[axis]);
    return clamp(by, Math.min(0, -Math.min(...at)), Math.max(0, 1 - Math.max(...at)));
  };
  return places.length ? [free(0, dx), free(1, dy)] : [dx, dy];
}

const placesOf = (mask: Mask): Place[] => [
  ...(mask.box ? [mask.box.slice(0, 2) as Point, mask.box.slice(2) as Point] : []),
  ...((mask.polygon ?? []) as Point[]),
  ...(mask.strokes ?? []).flatMap(({ points }) => points as Point[]),
];

function shiftBy(mask: Mask, [dx, dy]: Place): void {
  const shifted = ([x, y]: readonly number[]) => tidyPoint([(x as number) + dx, (y as number) + dy]);
  if (mask.box) mask.box = moveBox(mask.box, dx, dy);
  if (mask.polygon) mask.polygon = mask.polygon.map(shifted);
  for (const stroke of mask.strokes ?? []) stroke.points = stroke.points.map(shifted);
}

/** The region that an instruction is for. */
export const maskOf = (instruction: Instruction | undefined): Mask | null =>
  (instruction?.kind === "content" || instruction?.kind === "target"
    ? instruction.mask
    : isDrag(instruction)
      ? instruction.region
      : null) ?? null;

export const shiftMask = (mask: Mask, dx: number, dy: number): void =>
  shiftBy(mask, within(placesOf(mask), dx, dy));

/** Shifts one end of a drag's move, a whole drag with its region, or a region. False where nothing can be. */
export function shiftInstruction(
  instruction: Instruction,
  part: number | null,
  end: "handle" | "target",
  dx: number,
  dy: number,
): boolean {
  const mask = maskOf(instruction);
  if (!isDrag(instruction)) {
    if (mask) shiftMask(mask, dx, dy);
    return mask !== null;
  }
  const shifted = ([x, y]: Place, by: Place): Point => [tidy(x + by[0]), tidy(y + by[1])];
  const move = part === null ? null : instruction.moves[part];
  if (move) {
    move[end] = shifted(move[end], within([move[end]], dx, dy));
    return true;
  }
  const places = instruction.moves.flatMap(({ handle, target, via }) => [handle, target, ...(via ?? [])]);
  const by = within([...places, ...(mask ? placesOf(mask) : [])], dx, dy);
  for (const each of instruction.moves) {
    each.handle = shifted(each.handle, by);
    each.target = shifted(each.target, by);
    if (each.via) each.via = each.via.map((place) => shifted(place, by));
  }
  if (mask) shiftBy(mask, by);
  return true;
}
