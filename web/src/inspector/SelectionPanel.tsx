/** Numbers and words of what is selected. */
import { nameOf } from "../document/shot";
import { useSelected } from "../document/store";
import { viewOf } from "../instructions/view";

export function SelectionPanel() {
  const selected = useSelected();
  if (!selected) return null;
  const [instruction, selection] = selected;
  const { Fields } = viewOf(instruction);
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
