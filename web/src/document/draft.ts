/** A shot as the server keeps it, finished or not, made such that the desk can show it. */
import type { Box, Instruction, Point, Shot } from "./shot";

type Loose = Record<string, unknown>;

const MIDDLE: Box = [0.35, 0.35, 0.65, 0.65];
const CENTRE: Point = [0.5, 0.5];
const list = (value: unknown): Loose[] => (Array.isArray(value) ? (value as Loose[]) : []);
const strokes = (value: unknown) =>
  list(value).map((stroke) => ({ width: 0.05, ...stroke, points: list(stroke.points) }));
const mask = (value: unknown): Loose => {
  const said = (value ?? {}) as Loose;
  return said.strokes ? { ...said, strokes: strokes(said.strokes) } : said;
};

/** What is missing of an instruction is put in its plainest form: a path in the middle, a mark of nothing. */
function whole(said: Loose): Loose {
  if (said.kind === "target") return { ...said, phrase: said.phrase ?? "", mask: mask(said.mask) };
  if (said.kind === "image") return { ...said, image: said.image ?? "" };
  if (said.kind === "content")
    return {
      ...said,
      ...(said.strokes ? { strokes: strokes(said.strokes) } : {}),
      ...(said.mask ? { mask: mask(said.mask) } : {}),
    };
  if (said.kind !== "trajectory") return said;
  if (said.form === "drag") {
    const moves = list(said.moves).map((move) => ({
      ...move,
      handle: move.handle ?? CENTRE,
      target: move.target ?? CENTRE,
    }));
    return { ...said, moves: moves.length ? moves : [{ handle: CENTRE, target: CENTRE }] };
  }
  const path = (said.path ?? {}) as Loose;
  const value = said.form === "box" ? { box: MIDDLE } : { point: CENTRE };
  const keyframes = list(path.keyframes).map((keyframe) => ({
    ...value,
    time: 0,
    ...Object.fromEntries(Object.entries(keyframe).filter(([, inner]) => inner !== null)),
  }));
  return { ...said, path: { ...path, keyframes: keyframes.length ? keyframes : [{ time: 0, ...value }] } };
}

/** The shot to lay on the desk; the very same where nothing of it is missing. */
export function laid(draft: Record<string, unknown> | Shot): Shot {
  const said = draft as Loose;
  const instructions = list(said.instructions).map(whole) as unknown as Instruction[];
  return {
    ...said,
    prompt: typeof said.prompt === "string" ? said.prompt : "",
    ...(said.instructions ? { instructions } : {}),
  } as Shot;
}
