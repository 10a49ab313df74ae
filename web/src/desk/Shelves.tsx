/** The projects there are and the shots of the open one: all can be found, opened, made, deleted. */
import { useState } from "react";
import { useProjects, useShots } from "../api/queries";
import { EXAMPLE } from "../document/shot";
import { useShot } from "../document/store";
import { attempt } from "../session/attempt";
import { deleteProject, deleteShot, newProject, newShot, openProject, openShot } from "../session/opening";
import { setSession, useSession } from "../session/session";
import { Icon } from "../ui/Icon";
import { type Item, Menu } from "../ui/Menu";
import { Rename } from "./Rename";

const BIN: Item = { label: "Restore deleted…", act: () => setSession({ keeping: true }) };

export function ProjectMenu() {
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
      many={{
        label: "Projects",
        items: projects.map(({ id, name, takes }) => ({
          id,
          label: name,
          hint: `${takes} take${takes === 1 ? "" : "s"}`,
          chosen: id === project,
          act: () => id !== project && attempt(() => openProject(id)),
        })),
      }}
      items={[
        { label: "New project…", icon: "plus", act: () => setNaming("new") },
        { label: "Rename…", act: () => setNaming("rename") },
        {
          label: "Delete this project",
          disabled: !open,
          act: () => open && attempt(() => deleteProject(open)),
        },
        BIN,
      ]}
    >
      <Icon name="folder" size={16} />
      <span className="menu-name">{open?.name ?? "Project"}</span>
    </Menu>
  );
}

export function ShotMenu() {
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
      many={{
        label: "Shots",
        items: [...shots]
          .sort((a, b) => b.changed - a.changed)
          .map(({ id, name, prompt }) => ({
            id,
            label: name,
            hint: name === prompt ? "" : prompt,
            chosen: id === shot,
            act: () => id !== shot && attempt(() => openShot(id)),
          })),
      }}
      items={[
        { label: "New shot…", icon: "plus", act: () => setNaming("new") },
        {
          label: "Duplicate this shot",
          act: () => attempt(() => newShot(present, `${open?.name ?? "Shot"} copy`)),
        },
        { label: "Rename…", act: () => setNaming("rename") },
        { label: "Delete this shot", disabled: !open, act: () => open && attempt(() => deleteShot(open)) },
        BIN,
      ]}
    >
      <Icon name="film" size={16} />
      <span className="menu-name">{open?.name ?? "Shot"}</span>
    </Menu>
  );
}
