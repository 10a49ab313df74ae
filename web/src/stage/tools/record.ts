/** Records a motion: the thing follows the hand, and the way becomes its path, in the hand's pace. */

import { layMotion } from "../../document/commands";
import { centreOf, timeOf, valueAt } from "../../document/keyframes";
import { beginOf, CLOSENESS, recordedMotion, type Sample } from "../../document/recording";
import { instructionsOf, isPath, nameOf } from "../../document/shot";
import { setSession } from "../../session/session";
import { mover } from "./moving";
import { type Gesture, type Pointer, type Workbench, wandered } from "./tool";

/** How long before its first move a hand set out, at most, in milliseconds. */
const SET_OUT = 100;

const said = (keyframes: number) => `${keyframes} keyframe${keyframes === 1 ? "" : "s"}`;

/** From the frame where one stands to the clip's end; on the last frame over the whole clip. */
export function record(bench: Workbench, from: Pointer, index: number): Gesture {
  const trajectory = instructionsOf(bench.shot)[index];
  if (!isPath(trajectory)) return { move() {}, end() {} };
  const { frames, time } = bench;
  const begin = beginOf(time, frames);
  const start = valueAt(trajectory, time);
  // A hand that snaps would stumble.
  const moved = mover(bench, from, start, index, trajectory.path.leaves_frame ?? false);
  const samples: Sample[] = [];
  let before = from;
  const draft = () => {
    const recorded = recordedMotion(samples, begin, frames);
    bench.draft(`Record the motion of ${nameOf(trajectory)}`, (shot) => {
      layMotion(shot, index, recorded);
      return { instruction: index, part: null };
    });
    bench.tell(`Recording from frame ${begin + 1} to ${frames}: ${said(recorded.length)}`);
  };
  return {
    move(pointer) {
      if (!samples.length) {
        if (!wandered(from, pointer)) {
          before = pointer;
          return;
        }
        // A hand that rested before it set out has not moved anything yet.
        samples.push({ value: start, when: Math.max(before.when, pointer.when - SET_OUT) });
        // The last frame is where the hand is now.
        bench.scrubTo(1);
      }
      samples.push({
        value: moved({ ...pointer, free: true }),
        when: Math.max(pointer.when, samples.at(-1)?.when ?? 0),
      });
      bench.showLine(samples.map(({ value }) => centreOf(value)));
      draft();
    },
    end() {
      if (!samples.length) return;
      bench.tell(
        `Recorded from frame ${begin + 1} to ${frames}, within ${CLOSENESS * 100} % of your movement: ${said(recordedMotion(samples, begin, frames).length)}`,
      );
      bench.commit();
      setSession({ recording: false });
      bench.scrubTo(timeOf(begin, frames));
    },
    cancel() {
      if (samples.length) bench.scrubTo(time);
    },
  };
}
