/** Files dropped on the desk: pictures become the first frame, clips give their shot back, projects open. */
import { answer, api, Refusal } from "../api/client";
import { addInstruction } from "../document/commands";
import { instructionsOf } from "../document/shot";
import { useDocument } from "../document/store";
import { say } from "../ui/toasts";
import { attempt, complain } from "./attempt";
import { importProject } from "./exchange";
import { mayHoldShot } from "./pngText";
import { setSession } from "./session";

const asBody = (file: Blob) => ({ body: file as never, bodySerializer: (body: unknown) => body as Blob });

/** Uploads a picture; its reference in a shot. */
export async function uploadImage(file: Blob): Promise<string> {
  const headers = { "Content-Type": file.type || "application/octet-stream" };
  const { reference, notes } = await answer(api.POST("/api/images", { ...asBody(file), headers }));
  for (const note of notes) say(`About the picture: ${note}.`);
  return reference;
}

async function dropPicture(file: File): Promise<void> {
  const reference = await uploadImage(file);
  // The stage shows what was dropped, not a take that was made without it.
  setSession({ viewed: null, compared: null });
  useDocument.getState().perform("Start from a picture", (shot) => {
    const index = instructionsOf(shot).findIndex((other) => other.kind === "image" && !other.time);
    const first = instructionsOf(shot)[index];
    if (first?.kind === "image") {
      first.image = reference;
      return { instruction: index, part: null };
    }
    return { instruction: addInstruction(shot, { kind: "image", image: reference, time: 0 }), part: null };
  });
  // A take shows what it was made from: the picture that is new is seen on the bare stage.
  setSession({ viewed: null, compared: null });
  say("The picture is the clip's first frame now.");
}

async function dropClip(file: File): Promise<void> {
  const headers = { "Content-Type": "application/octet-stream" };
  const { shot } = await answer(api.POST("/api/clips", { ...asBody(file), headers }));
  useDocument.getState().lay(`Load the settings of ${file.name}`, shot);
  say(`The settings of ${file.name} are loaded.`, {
    label: "Undo",
    act: () => useDocument.getState().undo(),
  });
}

/** A Rehearse clip may be a PNG too: one that seems to hold a shot is asked for it. */
async function dropPng(file: File): Promise<void> {
  if (!mayHoldShot(new Uint8Array(await file.arrayBuffer()))) return dropPicture(file);
  try {
    await dropClip(file);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await dropPicture(file);
  }
}

export function dropFiles(files: readonly File[]): void {
  const file = files[0];
  if (!file) return;
  if (/\.(png|apng)$/i.test(file.name)) attempt(() => dropPng(file));
  else if (file.type.startsWith("image/") && file.type !== "image/gif") attempt(() => dropPicture(file));
  else if (/\.(mp4|webm|gif)$/i.test(file.name)) attempt(() => dropClip(file));
  else if (/\.(rehearse|zip)$/i.test(file.name)) attempt(() => importProject(file));
  else
    complain(
      new Refusal(
        `${file.name} is neither a picture nor a clip; drop PNG, JPEG, WebP, mp4, webm, gif, or a project.`,
        0,
        null,
      ),
    );
}
