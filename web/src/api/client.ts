/** The typed client of the studio's HTTP API. */
import createClient from "openapi-fetch";
import type { Shot } from "../document/shot";
import { BASE } from "./base";
import type { components, paths } from "./openapi.schema";

type Schemas = components["schemas"];

export type Take = Schemas["TakeView"];
export type TakeDetail = Schemas["TakeDetail"];
export type Step = Schemas["StepView"];
export type Strip = Schemas["Strip"];
export type Project = Schemas["ProjectView"];
export type ShotView = Schemas["ShotView"];
export type ShotSummary = Schemas["ShotSummary"];
export type ShotProblem = Schemas["ShotProblem"];
export type Fix = Schemas["Fix"];
export type Subject = Schemas["Subject"];
export type Model = Schemas["ModelView"];
export type Ability = Schemas["AbilityView"];
export type Queue = Schemas["QueueView"];
export type StepTaken = Schemas["StepTaken"];
export type StudioEvent =
  | Schemas["ProjectChanged"]
  | Schemas["ShotChanged"]
  | Schemas["TakeChanged"]
  | StepTaken
  | Schemas["QueueChanged"];

/** The status of a refusal for want of room on the disk. */
export const FULL_DISK = 507;

/** A refusal: the server's sentence, fit to be shown to a person. */
export class Refusal extends Error {
  constructor(
    sentence: string,
    readonly status: number,
    readonly field: string | null,
  ) {
    super(sentence);
  }
}

/** A random name; also outside secure contexts, where `crypto.randomUUID` is missing. */
export function randomName(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

function clientName(): string {
  const kept = localStorage.getItem("rehearse.client");
  if (kept) return kept;
  const made = randomName();
  localStorage.setItem("rehearse.client", made);
  return made;
}

/** Who this browser is to the queue. */
export const CLIENT = clientName();

const RETRIES = 3;
const wait = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

/** Sends a command under one key until an answer arrives, so that a lost line does nothing twice. */
async function deliver(request: Request): Promise<Response> {
  request.headers.set("X-Rehearse-Client", CLIENT);
  if (request.method === "GET") return fetch(request);
  if (!request.headers.has("Idempotency-Key")) request.headers.set("Idempotency-Key", randomName());
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetch(request.clone());
    } catch (error) {
      if (attempt > RETRIES) throw error;
      await wait(300 * 2 ** attempt);
    }
  }
}

export const api = createClient<paths>({ baseUrl: BASE, fetch: deliver });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** openapi-fetch reads tuples as lists; a shot in an answer is the shot document all the same. */
type Whole<T> = {
  [K in keyof T]: K extends "shot" | "document" ? (T[K] extends string ? T[K] : Shot) : T[K];
};

/** What was asked for. Throws a Refusal with the server's sentence. */
export async function answer<T>(call: Promise<Answer<T>>): Promise<Whole<T>> {
  let found: Answer<T>;
  try {
    found = await call;
  } catch {
    throw new Refusal("The studio does not answer. Is it still running? Nothing you made is lost.", 0, null);
  }
  if (found.response.ok) return found.data as Whole<T>;
  const problem = found.error as { error?: string; field?: string | null } | undefined;
  throw new Refusal(
    problem?.error ?? `The studio answered with status ${found.response.status}.`,
    found.response.status,
    problem?.field ?? null,
  );
}
