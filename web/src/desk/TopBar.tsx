/** What is open, undo and redo, what comes out and what comes in. */
import { useRef } from "react";
import { clipUrl, exportUrl, stillUrl } from "../api/addresses";
import { useDocument } from "../document/store";
import { attempt } from "../session/attempt";
import { dropFiles } from "../session/dropping";
import { importProject } from "../session/exchange";
import { usePlayhead } from "../session/playhead";
import { useSession } from "../session/session";
import { useViewed } from "../session/useViewed";
import { IconButton } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Menu } from "../ui/Menu";
import { switchTheme, useTheme } from "../ui/theme";
import { SaveState } from "./SaveState";
import { ProjectMenu, ShotMenu } from "./Shelves";

export function TopBar({ onHelp }: { onHelp: () => void }) {
  const theme = useTheme((state) => state.theme);
  const { past, future } = useDocument((state) => state.history);
  const { undo, redo } = useDocument.getState();
  return (
    <header className="top-bar">
      <h1 className="brand">
        <img src="./icon.svg" alt="" width={24} height={24} />
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
        label={theme === "dark" ? "Switch to light" : "Switch to dark"}
        onClick={switchTheme}
      />
      <IconButton icon="help" label="Keyboard shortcuts" keys="?" onClick={onHelp} />
    </header>
  );
}

function ExportMenu() {
  const { take, step } = useViewed();
  const project = useSession((session) => session.project);
  const frame = usePlayhead((state) => state.frame);
  const finished = take?.status === "finished";
  const why = take ? "once the take is finished" : "choose a take first";
  const clip = (ending: "mp4" | "webm" | "gif" | "png", label: string) => ({
    label,
    hint: finished ? "its settings travel inside" : why,
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
          hint: "all shots, takes and steps",
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
            hint: "a clip made by Rehearse brings its settings",
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
