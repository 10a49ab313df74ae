/** The takes of the project as lanes over the denoising steps; branches start at their step. */
import { useEffect, useMemo, useRef, useState } from "react";
import { useShots, useTakes } from "../api/queries";
import { type Session, setSession, useSession } from "../session/session";
import { IconButton } from "../ui/Button";
import { CompareControls } from "./CompareControls";
import { Keeping } from "./Keeping";
import { QueueMenu } from "./QueueMenu";
import { NAMES, TALL, THIN } from "./sizes";
import { TakeActions } from "./TakeActions";
import { TakeLane } from "./TakeLane";
import { type Lane, lanesOf } from "./tree";

export function Takes() {
  const { project, viewed, compared, shot: shotId, keeping } = useSession();
  const [all, setAll] = useState(false);
  const takes = useTakes(project).data?.takes;
  const lanes = useMemo(
    () => lanesOf((takes ?? []).filter((take) => all || take.shot === shotId)),
    [takes, all, shotId],
  );
  const others = (takes ?? []).filter((take) => take.shot !== shotId).length;
  const shots = useShots(project).data?.shots ?? [];
  const shotOf = (id: string) =>
    id === shotId ? null : (shots.find((shot) => shot.id === id)?.name ?? "a deleted shot");
  const scroller = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState({ top: 0, height: 400, width: 900 });

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () =>
      setRoom({ top: element.scrollTop, height: element.clientHeight, width: element.clientWidth });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);

  const most = Math.max(8, ...lanes.map(({ take }) => take.steps));
  const cell = Math.max(22, Math.min(60, (room.width - NAMES - 24) / (most + 1)));
  const tops: number[] = [];
  let height = 0;
  for (const lane of lanes) {
    tops.push(height);
    height += lane.take.id === viewed?.take ? TALL : THIN;
  }
  const visible = lanes
    .map((lane, row) => ({ lane, top: tops[row] as number }))
    .filter(({ top }) => top + TALL > room.top - 200 && top < room.top + room.height + 200);

  return (
    <section className="takes" aria-label="Takes">
      <header className="panel-head">
        <h2>Takes</h2>
        <span className="panel-count">{lanes.length}</span>
        {lanes.length === 0 && (
          <p className="panel-hint">
            {takes ? "None yet. A take is one run of this shot; you can go back to any of its steps." : ""}
          </p>
        )}
        {others > 0 && (
          <label className="check">
            <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
            Show all shots
          </label>
        )}
        <span className="spring" />
        <TakeActions />
        <QueueMenu />
        <CompareControls compared={compared !== null} />
        <IconButton
          icon="chest"
          size={16}
          label="Deleted items and disk space"
          onClick={() => setSession({ keeping: true })}
        />
      </header>
      {keeping && project && <Keeping project={project} onClose={() => setSession({ keeping: false })} />}
      <div className="lanes" ref={scroller} hidden={lanes.length === 0}>
        <div className="lanes-sheet" style={{ height, width: NAMES + (most + 1) * cell }}>
          {visible.map(({ lane, top }) => (
            <TakeLane
              key={lane.take.id}
              lane={lane}
              top={top}
              cell={cell}
              viewed={viewed?.take === lane.take.id ? viewed : null}
              compared={compared?.take === lane.take.id}
              comparing={compared !== null}
              shot={shotOf(lane.take.shot)}
            />
          ))}
          <svg
            className="lanes-branches"
            width={NAMES + (most + 1) * cell}
            height={height}
            aria-hidden="true"
          >
            {visible.map(({ lane, top }) =>
              lane.parentRow === null ? null : (
                <path
                  key={lane.take.id}
                  d={connector(
                    NAMES + (lane.from + 0.5) * cell,
                    (tops[lane.parentRow] as number) + leaving(lanes[lane.parentRow] as Lane, viewed),
                    top,
                    lane.take.id === viewed?.take,
                  )}
                />
              ),
            )}
          </svg>
        </div>
      </div>
    </section>
  );
}

/** Where a branch leaves its parent's lane: its line, or below the pictures of its steps. */
const leaving = (lane: Lane, viewed: Session["viewed"]): number =>
  lane.take.id === viewed?.take ? TALL - 3 : THIN / 2;

/** Down to the branch's own line, or to a knot above the pictures of its steps. */
const connector = (x: number, from: number, top: number, tall: boolean): string =>
  tall
    ? `M${x} ${from}V${top - 2}m-2.5 2.5a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0`
    : `M${x} ${from}V${top + THIN / 2 - 9}Q${x} ${top + THIN / 2} ${x + 9} ${top + THIN / 2}`;
