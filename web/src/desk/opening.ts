/** Opening projects and shots; on the first visit an example lies ready to be played. */
import { answer, api, type ShotView } from "../api/client";
import { keys, queryClient } from "../api/queries";
import { EXAMPLE, type Shot } from "../document/shot";
import { shotNow, useDocument } from "../document/store";
import { markSaved, saveNow } from "./saving";
import { addressOf, readAddress, sessionNow, setSession, useSession } from "./session";

function lay(view: ShotView): void {
  setSession({ project: view.project, shot: view.id, phrase: null, dragRegion: null });
  useDocument.getState().open(view.shot);
  markSaved(view, shotNow());
}

async function leaveShot(): Promise<void> {
  if (sessionNow().shot) await saveNow().catch(() => undefined);
}

export async function openShot(shot: string): Promise<void> {
  await leaveShot();
  lay(await answer(api.GET("/api/shots/{shot}", { params: { path: { shot } } })));
}

export async function newShot(shot: Shot, name?: string): Promise<void> {
  await leaveShot();
  const { project } = sessionNow();
  if (!project) return;
  const path = { project };
  lay(
    await answer(
      api.POST("/api/projects/{project}/shots", {
        params: { path },
        body: { shot, ...(name ? { name } : {}) },
      }),
    ),
  );
  void queryClient.invalidateQueries({ queryKey: keys.shots(project) });
}

/** Opens a project at the given shot, else at the one changed last; makes one where there is none. */
export async function openProject(project: string, wanted: string | null = null): Promise<void> {
  await leaveShot();
  const { shots } = await answer(api.GET("/api/projects/{project}/shots", { params: { path: { project } } }));
  setSession({ project, shot: null, viewed: null, compared: null });
  const last = [...shots].sort((a, b) => b.changed - a.changed)[0];
  const chosen = shots.find((shot) => shot.id === wanted) ?? last;
  if (chosen) await openShot(chosen.id);
  else await newShot(EXAMPLE);
  const { takes } = await queryClient.fetchQuery({
    queryKey: keys.takes(project),
    queryFn: () => answer(api.GET("/api/projects/{project}/takes", { params: { path: { project } } })),
    staleTime: 0,
  });
  const newest = takes.filter((take) => take.shot === sessionNow().shot).at(-1);
  if (newest && !sessionNow().viewed) setSession({ viewed: { take: newest.id, step: null } });
}

export async function newProject(name: string): Promise<void> {
  const project = await answer(api.POST("/api/projects", { body: { name } }));
  void queryClient.invalidateQueries({ queryKey: keys.projects });
  await openProject(project.id);
}

let opening: Promise<void> | null = null;

/** Opens what the address names, else what was changed last, else a first project. */
export function openDesk(): Promise<void> {
  opening ??= (async () => {
    const address = readAddress(location.hash);
    const { projects } = await answer(api.GET("/api/projects"));
    const chosen = projects.find((project) => project.id === address.project) ?? projects[0];
    if (!chosen) {
      await newProject("First rehearsal");
      return;
    }
    await openProject(chosen.id, address.shot);
    if (address.take && chosen.id === address.project)
      setSession({ viewed: { take: address.take, step: null } });
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
