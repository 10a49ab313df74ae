/** Why the shot on the desk cannot be run, foreseen before the server is asked. */
import type { Model } from "../api/client";
import { misfits } from "../document/fitting";
import { mentions, unknownWords } from "../document/phrases";
import { instructionsOf, modelTitle, type Shot } from "../document/shot";

export interface Obstacle {
  /** In a few words, to stand on a button. */
  brief: string;
  /** In full, with what to do about it. */
  sentence: string;
}

const missingPhrase = (shot: Shot): string | undefined =>
  instructionsOf(shot)
    .map((instruction) => ("phrase" in instruction && instruction.phrase) || "")
    .find((phrase) => phrase && !mentions(shot.prompt, phrase).length);

/** The first thing in the way; null where nothing is, or where the model is not known yet. */
export function obstacleOf(shot: Shot, model: Model | undefined, models: readonly Model[]): Obstacle | null {
  if (!model) return null;
  const [misfit] = misfits(shot, model, models);
  if (misfit) return { brief: `not with ${modelTitle(model.name)}`, sentence: misfit.sentence };
  const [unknown] = model.limits.vocabulary ? unknownWords(shot.prompt, model.limits.vocabulary) : [];
  if (unknown) {
    const near = unknown.nearest.length ? `: try ${unknown.nearest.join(", ")}` : "";
    return {
      brief: `unknown word: ${unknown.word}`,
      sentence: `${modelTitle(model.name)} does not know the word “${unknown.word}”${near}.`,
    };
  }
  const phrase = missingPhrase(shot);
  if (phrase)
    return {
      brief: `“${phrase}” is gone`,
      sentence: `The prompt no longer says “${phrase}”, which something on the stage is for: write it into the prompt, or give that thing other words.`,
    };
  return null;
}

const DEFAULTED = ["frames", "width", "height", "steps", "scheduler"] as const;

/** What the desk has otherwise than a take, that no branch after its start can change; null for nothing. */
export function keptByBranches(before: Shot, now: Shot, model: Model | undefined): string | null {
  if ((before.model ?? model?.name) !== (now.model ?? model?.name)) return "the model";
  const defaults = model?.defaults;
  const differs = DEFAULTED.find((name) => {
    const [was, is] = [before[name] ?? defaults?.[name], now[name] ?? defaults?.[name]];
    return was !== undefined && is !== undefined && was !== is;
  });
  if (!differs) return null;
  return differs === "frames" || differs === "steps" ? `the number of ${differs}` : `the ${differs}`;
}
