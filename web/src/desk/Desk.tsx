/** The desk: tools left, stage in the middle, inspector right, timeline and takes below. */
import { useCallback, useEffect, useRef, useState } from "react";
import { CLIENT, type StudioEvent } from "../api/client";
import { useEvents } from "../api/events";
import { useModels, useTakes } from "../api/queries";
import { useShot } from "../document/store";
import { Inspector } from "../inspector/Inspector";
import { isLive, runShot, stopTake } from "../run/actions";
import { PromptBar } from "../run/PromptBar";
import { Progress, perform, useControls } from "../run/RunControls";
import { attempt } from "../session/attempt";
import { play } from "../session/playhead";
import { hasUnsaved, saveNow, takeTheirs, useSaving } from "../session/saving";
import { sessionNow, setSession, useSession } from "../session/session";
import { Stage } from "../stage/Stage";
import { startComparing } from "../takes/CompareControls";
import { Takes } from "../takes/Takes";
import { Timeline } from "../timeline/Timeline";
import { Boundary } from "../ui/Boundary";
import { QuestionDialog } from "../ui/QuestionDialog";
import { Splitter } from "../ui/Splitter";
import { Toasts } from "../ui/Toasts";
import { say } from "../ui/toasts";
import { ShortcutSheet } from "./ShortcutSheet";
import { answerKey, answerSpace } from "./shortcuts";
import { ToolRail } from "./ToolRail";
import { TopBar } from "./TopBar";

/** Another desk's change of the open shot: taken over if nothing here is unsaved. */
function heardShot(event: StudioEvent): void {
  const session = sessionNow();
  if (event.kind !== "shot" || event.shot.id !== session.shot) return;
  // An answer to a save of this desk may come after its event.
  window.setTimeout(() => {
    if (event.shot.revision <= sessionNow().revision || useSaving.getState().state === "saving") return;
    if (hasUnsaved()) useSaving.setState({ state: "conflict", sentence: null });
    else
      attempt(async () => {
        await takeTheirs();
        say("This shot was changed in another window; you see it as it is now.");
      });
  }, 400);
}

/** Saves the draft at once, whatever became of the page. */
const keep = (): void => void saveNow().catch(() => undefined);

export function Desk() {
  const shot = useShot();
  const models = useModels().data;
  const model = models?.models.find(({ name }) => name === (shot.model ?? models.default));
  const [help, setHelp] = useState(false);
  const project = useSession((session) => session.project);
  const heard = useCallback((event: StudioEvent) => {
    heardShot(event);
    // The first step of the take one looks at starts the clip.
    if (event.kind === "step" && event.take === sessionNow().viewed?.take && event.step === 1) play();
  }, []);
  useEvents(project, heard);
  return (
    <div className="desk">
      <TopBar onHelp={() => setHelp(true)} />
      <ToolRail model={model} />
      <Boundary name="The keyboard" className="script" failed={keep}>
        <Keys help={() => setHelp((shown) => !shown)} />
      </Boundary>
      <div className="script">
        <Boundary name="The prompt" failed={keep}>
          <PromptBar model={model} />
        </Boundary>
        <Progress />
      </div>
      <main className="middle">
        <Boundary name="The stage" failed={keep}>
          <Stage />
        </Boundary>
        <Toasts />
      </main>
      <Boundary name="The inspector" className="inspector" failed={keep}>
        <Inspector model={model} models={models?.models ?? []} schedulers={models?.schedulers ?? []} />
      </Boundary>
      <div className="dock">
        <Splitter />
        <Boundary name="The timeline" failed={keep}>
          <Timeline />
        </Boundary>
        <Boundary name="The list of takes" failed={keep}>
          <Takes />
        </Boundary>
      </div>
      <QuestionDialog />
      <ShortcutSheet open={help} onClose={() => setHelp(false)} />
    </div>
  );
}

/** The desk's keys, wherever the focus is; a part of its own, so that a fault in it leaves the others alone. */
function Keys({ help }: { help: () => void }) {
  const [{ primary, branch }, viewed] = useControls();
  const takes = useTakes(useSession((session) => session.project)).data?.takes ?? [];
  const acts = {
    primary: () => perform(primary, viewed),
    newTake: () => attempt(() => runShot()),
    branch: () => {
      if (branch.ready) perform({ act: "branch", label: "Branch", ...branch }, viewed);
      else say(branch.hint);
    },
    stop: () => {
      const { take } = viewed;
      if (take && isLive(take) && take.client === CLIENT) attempt(() => stopTake(take.id));
    },
    step: (by: number) => {
      const { take, steps, step } = viewed;
      if (!take || !steps.length) return;
      const at = steps.findIndex((entry) => entry.step === (step ?? take.step));
      const next = steps[Math.min(steps.length - 1, Math.max(0, (at < 0 ? steps.length - 1 : at) + by))];
      if (next) setSession({ viewed: { take: take.id, step: next.step === take.step ? null : next.step } });
    },
    compare: () =>
      sessionNow().compared ? setSession({ compared: null }) : startComparing(viewed.take, takes),
    help,
  };
  const latest = useRef(acts);
  latest.current = acts;
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
      if (answerSpace(event) || answerKey(event, latest.current)) event.preventDefault();
    };
    const up = (event: KeyboardEvent) => {
      if (answerSpace(event)) event.preventDefault();
    };
    window.addEventListener("keydown", down);
    window.addEventListener("keyup", up);
    return () => {
      window.removeEventListener("keydown", down);
      window.removeEventListener("keyup", up);
    };
  }, []);
  return null;
}
