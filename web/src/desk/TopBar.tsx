/** What is open, undo and redo, what comes out and what comes in. */
import { useRef, useState } from "react";
import { clipUrl, exportUrl, stillUrl } from "../api/addresses";
import { useLine } from "../api/events";
import { useProjects, useShots } from "../api/queries";
import { EXAMPLE } from "../document/shot";
import { useDocument, useShot } from "../document/store";
import { useViewed } from "../run/useViewed";
import { dropFiles } from "../stage/dropping";
import { IconButton } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Menu } from "../ui/Menu";
import { switchTheme, useTheme } from "../ui/theme";
import { attempt } from "../ui/toasts";
import { importProject } from "./exchange";
import { newProject, newShot, openProject, openShot } from "./opening";
import { usePlayhead } from "./playhead";
import { Rename } from "./Rename";
import { keepMine, takeTheirs, useSaving } from "./saving";
import { useSession } from "./session";

export function TopBar({ onHelp }: { onHelp: () => void }) {
  const theme = useTheme((state) => state.theme);
  const { past, future } = useDocument((state) => state.history);
  const { undo, redo } = useDocument.getState();
  return (
    <header className="top-bar">
      <h1 className="brand">
        <img src="/icon.svg" alt="" width={24} height={24} />
        Rehearse
      </h1>
      <ProjectMenu />
      <ShotMenu />
      <SaveState />
      <span className="spring" />
      <IconButton
        icon="undo"
        label={past.length ? `Undo: ${past.at(-1)?.label}` : "Nothing to undo"}
        keys="Ctrl+Z"
        disabled={!past.length}
        onClick={undo}
      />
      <IconButton
        icon="redo"
        label={future.length ? `Redo: ${future[0]?.label}` : "Nothing to redo"}
        keys="Ctrl+Shift+Z"
        disabled={!future.length}
        onClick={redo}
      />
      <i className="divider" />
      <ImportMenu />
      <ExportMenu />
      <i className="divider" />
      <IconButton
        icon={theme === "dark" ? "sun" : "moon"}
        label={theme === "dark" ? "Light desk" : "Dark desk"}
        onClick={switchTheme}
      />
      <IconButton icon="help" label="Keys" keys="?" onClick={onHelp} />
    </header>
  );
}

function ProjectMenu() {
  const project = useSession((session) => session.project);
  const projects = useProjects().data?.projects ?? [];
  const open = projects.find(({ id }) => id === project);
  const [naming, setNaming] = useState<"new" | "rename" | null>(null);
  if (naming)
    return (
      <Rename
        kind="project"
        mode={naming}
        name={naming === "rename" ? (open?.name ?? "") : ""}
        done={() => setNaming(null)}
        create={newProject}
      />
    );
  return (
    <Menu
      label={`Project: ${open?.name ?? "none"}`}
      items={[
        ...projects.slice(0, 12).map(({ id, name, takes }) => ({
          label: name,
          hint: `${takes} take${takes === 1 ? "" : "s"}`,
          chosen: id === project,
          act: () => attempt(() => openProject(id)),
        })),
        { label: "New project…", icon: "plus", separated: true, act: () => setNaming("new") },
        { label: "Rename…", act: () => setNaming("rename") },
      ]}
    >
      <Icon name="folder" size={16} />
      <span className="menu-name">{open?.name ?? "Project"}</span>
    </Menu>
  );
}

function ShotMenu() {
  const { project, shot } = useSession();
  const shots = useShots(project).data?.shots ?? [];
  const present = useShot();
  const open = shots.find(({ id }) => id === shot);
  const [naming, setNaming] = useState<"new" | "rename" | null>(null);
  if (naming)
    return (
      <Rename
        kind="shot"
        mode={naming}
        name={naming === "rename" ? (open?.name ?? "") : ""}
        done={() => setNaming(null)}
        create={(name) => newShot({ ...EXAMPLE, instructions: [], control: {} }, name)}
      />
    );
  return (
    <Menu
      label={`Shot: ${open?.name ?? "none"}`}
      items={[
        ...shots.slice(-14).map(({ id, name, prompt }) => ({
          label: name,
          hint: name === prompt ? "" : prompt,
          chosen: id === shot,
          act: () => attempt(() => openShot(id)),
        })),
        { label: "New shot…", icon: "plus" as const, separated: true, act: () => setNaming("new") },
        {
          label: "Copy of this shot",
          act: () => attempt(() => newShot(present, `${open?.name ?? "Shot"}, copy`)),
        },
        { label: "Rename…", act: () => setNaming("rename") },
      ]}
    >
      <Icon name="film" size={16} />
      <span className="menu-name">{open?.name ?? "Shot"}</span>
    </Menu>
  );
}

function SaveState() {
  const { state, sentence } = useSaving();
  const line = useLine((current) => current.open);
  if (line === false)
    return (
      <span className="save-state save-bad" role="status">
        The line to the studio is cut; trying again
      </span>
    );
  if (state === "conflict")
    return (
      <span className="save-state save-bad" role="alert">
        This shot was changed on another desk.
        <button type="button" className="link" onClick={() => attempt(takeTheirs)}>
          Take theirs
        </button>
        <button type="button" className="link" onClick={() => attempt(keepMine)}>
          Keep mine
        </button>
      </span>
    );
  if (state === "refused")
    return (
      <span className="save-state save-bad" role="status" title={sentence ?? undefined}>
        {sentence}
      </span>
    );
  return (
    <span className="save-state" role="status">
      {state === "saved" ? "Saved" : "Saving…"}
    </span>
  );
}

function ExportMenu() {
  const { take, step } = useViewed();
  const project = useSession((session) => session.project);
  const frame = usePlayhead((state) => state.frame);
  const finished = take?.status === "finished";
  const why = take ? "once the take is finished" : "no take is chosen";
  const clip = (ending: "mp4" | "webm" | "gif" | "png", label: string) => ({
    label,
    hint: finished ? "the shot travels inside" : why,
    icon: "film" as const,
    href: take ? clipUrl(take.id, ending) : "",
    disabled: !finished,
  });
  return (
    <Menu
      label="Export"
      align="right"
      items={[
        clip("mp4", "Clip as mp4"),
        clip("webm", "Clip as webm"),
        clip("gif", "Clip as gif"),
        clip("png", "Clip as animated png"),
        {
          label: `Still of frame ${frame + 1}`,
          hint: "png",
          icon: "image",
          href: take ? stillUrl(take.id, frame, step) : "",
          disabled: !take || take.step === 0,
        },
        {
          label: "Project as one file",
          hint: "shots, takes, checkpoints",
          icon: "folder",
          separated: true,
          href: project ? exportUrl(project) : "",
          disabled: !project,
        },
      ]}
    >
      <Icon name="export" size={16} />
      <span>Export</span>
    </Menu>
  );
}

function ImportMenu() {
  const project = useRef<HTMLInputElement>(null);
  const file = useRef<HTMLInputElement>(null);
  return (
    <>
      <Menu
        label="Import"
        align="right"
        items={[
          {
            label: "Picture or clip…",
            hint: "a clip made by Rehearse gives its shot back",
            icon: "image",
            act: () => file.current?.click(),
          },
          {
            label: "Project…",
            hint: "a file exported here",
            icon: "folder",
            act: () => project.current?.click(),
          },
        ]}
      >
        <Icon name="import" size={16} />
        <span>Import</span>
      </Menu>
      <input
        ref={file}
        type="file"
        hidden
        accept="image/png,image/jpeg,image/webp,image/gif,video/mp4,video/webm"
        data-import="file"
        onChange={(event) => {
          dropFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
      <input
        ref={project}
        type="file"
        hidden
        accept=".rehearse,.zip,application/zip"
        data-import="project"
        onChange={(event) => {
          const chosen = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (chosen) attempt(() => importProject(chosen));
        }}
      />
    </>
  );
}
