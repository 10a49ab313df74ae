/** Opening projects and shots; on the first visit an example lies ready to be played. */
import { answer, api, type Project, type ShotSummary, type ShotView, type Take } from "../api/client";
import type { TakeList } from "../api/folding";
import { fetchTakes, keys, queryClient } from "../api/queries";
import { laid } from "../document/draft";
import { EXAMPLE, type Shot } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { say } from "../ui/toasts";
import { attempt } from "./attempt";
import { leaveFor } from "./leaving";
import { stand } from "./playhead";
import { markSaved } from "./saving";
import { addressOf, readAddress, sessionNow, setSession, useSession } from "./session";
import { leaveStage, setStageOf } from "./stages";

function lay(view: ShotView): void {
  const same = view.id === sessionNow().shot;
  const takes = queryClient.getQueryData<TakeList>(keys.takes(view.project));
  leaveStage();
  stand();
  setSession({
    project: view.project,
    shot: view.id,
    phrase: null,
    dragRegion: null,
    asking: null,
    ...(same ? {} : { viewed: null, compared: null }),
  });
  useDocument.getState().open(laid(view.shot));
  markSaved(view, shotNow());
  // The takes of another project may not be known yet; until they are the stage is bare.
  if (takes) setStageOf(view.id, takes.takes);
  else
    void fetchedTakes(view.project).then(
      (list) => arrive(view.id, list),
      () => undefined,
    );
}

const fetchedTakes = (project: string): Promise<TakeList> =>
  queryClient.fetchQuery({
    queryKey: keys.takes(project),
    queryFn: () => fetchTakes(project),
    staleTime: 0,
  });

function arrive(shot: string, { takes }: TakeList): void {
  if (sessionNow().shot === shot && !sessionNow().viewed) setStageOf(shot, takes);
}

const fetchShot = (shot: string): Promise<ShotView> =>
  answer(api.GET("/api/shots/{shot}", { params: { path: { shot } } }));

async function makeShot(project: string, shot: Shot, name?: string): Promise<ShotView> {
  const params = { path: { project } };
  const body = { shot, ...(name ? { name } : {}) };
  const made = await answer(api.POST("/api/projects/{project}/shots", { params, body }));
  void queryClient.invalidateQueries({ queryKey: keys.shots(project) });
  return made;
}

/** The project's shot of that id, else the one changed last; makes one where there is none. */
async function shotOf(project: string, wanted: string | null): Promise<ShotView> {
  const { shots } = await answer(api.GET("/api/projects/{project}/shots", { params: { path: { project } } }));
  const last = [...shots].sort((a, b) => b.changed - a.changed)[0];
  const chosen = shots.find((shot) => shot.id === wanted) ?? last;
  return chosen ? fetchShot(chosen.id) : makeShot(project, EXAMPLE);
}

export const openShot = (shot: string): Promise<boolean> => leaveFor(() => fetchShot(shot), lay);

/** Looks at a take on the stage of the shot that it is of, which is brought back if it was deleted. */
export async function openTake(take: Take, step: number | null): Promise<void> {
  const open = async () => {
    const view = await fetchShot(take.shot);
    if (view.deleted) await restoreShot(view);
    return view;
  };
  if (take.shot !== sessionNow().shot && !(await leaveFor(open, lay))) return;
  setSession({ viewed: { take: take.id, step } });
}

export async function newShot(shot: Shot, name?: string): Promise<void> {
  const { project } = sessionNow();
  if (project) await leaveFor(() => makeShot(project, shot, name), lay);
}

/** Opens a project at the given shot, else at the one changed last. False where the person stays. */
export async function openProject(project: string, wanted: string | null = null): Promise<boolean> {
  return leaveFor(() => shotOf(project, wanted), lay);
}

export async function newProject(name: string): Promise<void> {
  await leaveFor(async () => {
    const { id } = await answer(api.POST("/api/projects", { body: { name } }));
    void queryClient.invalidateQueries({ queryKey: keys.projects });
    return shotOf(id, null);
  }, lay);
}

const shelfChanged = (project: string | null): void => {
  for (const queryKey of [keys.projects, keys.binned, ...(project ? [keys.shots(project)] : [])])
    void queryClient.invalidateQueries({ queryKey });
};

export async function restoreShot({ id, project, name }: ShotSummary): Promise<void> {
  await answer(api.POST("/api/shots/{shot}/restore", { params: { path: { shot: id } } }));
  shelfChanged(project);
  say(`${name} is back.`);
}

export async function restoreProject({ id, name }: Project): Promise<void> {
  await answer(api.POST("/api/projects/{project}/restore", { params: { path: { project: id } } }));
  shelfChanged(null);
  say(`${name} is back.`);
}

/** Puts the open shot into the bin and opens the one changed last. Its takes stay. */
export async function deleteShot(shot: ShotSummary): Promise<void> {
  const { project, id, name } = shot;
  const gone = await leaveFor(async () => {
    await answer(api.DELETE("/api/shots/{shot}", { params: { path: { shot: id } } }));
    return shotOf(project, null);
  }, lay);
  if (!gone) return;
  shelfChanged(project);
  const act = () =>
    attempt(async () => {
      await restoreShot(shot);
      await openShot(id);
    });
  say(`${name} deleted.`, { label: "Undo", act });
}

/** Puts the open project into the bin and opens the one changed last. */
export async function deleteProject(project: Project): Promise<void> {
  const { id, name } = project;
  const gone = await leaveFor(async () => {
    await answer(api.DELETE("/api/projects/{project}", { params: { path: { project: id } } }));
    const { projects } = await answer(api.GET("/api/projects"));
    const next = projects[0] ?? (await answer(api.POST("/api/projects", { body: { name: FIRST } })));
    return shotOf(next.id, null);
  }, lay);
  if (!gone) return;
  shelfChanged(null);
  const act = () =>
    attempt(async () => {
      await restoreProject(project);
      await openProject(id);
    });
  say(`${name} deleted.`, { label: "Undo", act });
}

const FIRST = "First rehearsal";
let opening: Promise<void> | null = null;

/** Opens what the address names, else what was changed last, else a first project. */
export function openDesk(): Promise<void> {
  opening ??= (async () => {
    const address = readAddress(location.hash);
    const { projects } = await answer(api.GET("/api/projects"));
    const chosen = projects.find((project) => project.id === address.project) ?? projects[0];
    if (!chosen) {
      await newProject(FIRST);
      return;
    }
    await openProject(chosen.id, address.shot);
    const { takes } = await fetchedTakes(chosen.id);
    const viewed = takes.find(({ id, shot }) => id === address.take && shot === sessionNow().shot);
    if (viewed) setSession({ viewed: { take: viewed.id, step: null } });
  })();
  opening.catch(() => {
    opening = null;
  });
  return opening;
}

/** Keeps the address in step with what is open, so that a reload finds it again. */
export function followAddress(): () => void {
  return useSession.subscribe((session, before) => {
    const address = addressOf(session);
    if (session.project && address !== addressOf(before)) history.replaceState(null, "", address);
  });
}
