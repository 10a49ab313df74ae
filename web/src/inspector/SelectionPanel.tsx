/** Numbers and words of what is selected. */
import { type Instruction, isDrag, isPath, nameOf } from "../document/shot";
import { type Selection, useSelected } from "../document/store";
import { ContentFields } from "../instructions/content/ContentFields";
import { DragFields } from "../instructions/drag/DragFields";
import { ImageFields } from "../instructions/image/ImageFields";
import { MotionFields } from "../instructions/motion/MotionFields";
import { PathFields } from "../instructions/path/PathFields";
import { TargetFields } from "../instructions/target/TargetFields";

export function SelectionPanel() {
  const selected = useSelected();
  if (!selected) return null;
  const [instruction, selection] = selected;
  return (
    <section className="panel" aria-label="Selection">
      <header className="panel-head">
        <h2>{nameOf(instruction)}</h2>
      </header>
      <div className="panel-body">
        <Fields instruction={instruction} selection={selection} />
      </div>
    </section>
  );
}

function Fields({ instruction, selection }: { instruction: Instruction; selection: Selection }) {
  if (isPath(instruction)) return <PathFields path={instruction} selection={selection} />;
  if (isDrag(instruction)) return <DragFields drag={instruction} selection={selection} />;
  const index = selection.instruction;
  switch (instruction.kind) {
    case "content":
      return <ContentFields content={instruction} index={index} />;
    case "motion":
      return <MotionFields motion={instruction} index={index} />;
    case "target":
      return <TargetFields target={instruction} index={index} />;
    case "image":
      return <ImageFields image={instruction} index={index} />;
  }
}
