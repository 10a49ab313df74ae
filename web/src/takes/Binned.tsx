/** The shots and projects in the bin. */
import { useBinnedProjects, useBinnedShots } from "../api/queries";
import { attempt } from "../session/attempt";
import { restoreProject, restoreShot } from "../session/opening";
import { Button } from "../ui/Button";

interface Thing {
  id: string;
  name: string;
  said: string;
  restore(): Promise<void>;
}

function Things({ title, things }: { title: string; things: Thing[] }) {
  if (!things.length) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul className="deleted">
        {things.map(({ id, name, said, restore }) => (
          <li key={id}>
            <span>
              <b>{name}</b>
              <small title={said}>{said}</small>
            </span>
            <Button icon="undo" aria-label={`Restore ${name}`} onClick={() => attempt(restore)}>
              Restore
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Binned({ project }: { project: string }) {
  const shots = useBinnedShots(project).data?.shots ?? [];
  const projects = useBinnedProjects().data?.projects ?? [];
  return (
    <>
      <Things
        title="Deleted shots"
        things={shots.toReversed().map((shot) => ({
          id: shot.id,
          name: shot.name,
          said: shot.prompt,
          restore: () => restoreShot(shot),
        }))}
      />
      <Things
        title="Deleted projects"
        things={projects.map((other) => ({
          id: other.id,
          name: other.name,
          said: `${other.shots} shot${other.shots === 1 ? "" : "s"}, ${other.takes} take${other.takes === 1 ? "" : "s"}`,
          restore: () => restoreProject(other),
        }))}
      />
    </>
  );
}
