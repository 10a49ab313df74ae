/** Everything the shot asks for besides the prompt, back to front. */

import { trackColour } from "../canvas/palette";
import { isLoose } from "../document/binding";
import { addInstruction, removeInstruction, reorderInstruction } from "../document/commands";
import { instructionsOf, nameOf } from "../document/shot";
import { useDocument, useShot } from "../document/store";
import { iconOf } from "../instructions/view";
import { Problems } from "../session/Problems";
import { placeOf, useProblems } from "../session/readiness";
import { IconButton } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Menu } from "../ui/Menu";

export function Instructions() {
  const shot = useShot();
  const wrong = useProblems();
  const selection = useDocument((state) => state.selection);
  const { perform, select } = useDocument.getState();
  const instructions = instructionsOf(shot);
  return (
    <section className="panel" aria-label="Instructions">
      <header className="panel-head">
        <h2>Instructions</h2>
        <span className="panel-count">{instructions.length}</span>
        <span className="spring" />
        <Menu
          label="Add an instruction"
          align="right"
          className="menu-small"
          items={[
            {
              label: "Motion in words",
              icon: "motion",
              hint: "what moves, and how much",
              disabled: instructions.some(({ kind }) => kind === "motion"),
              act: () =>
                perform("Add motion", (draft) => ({
                  instruction: addInstruction(draft, { kind: "motion", magnitude: "moderate" }),
                  part: null,
                })),
            },
            {
              label: "Edit in words",
              icon: "brush",
              hint: "repaint the whole picture from another prompt",
              act: () =>
                perform("Add an edit", (draft) => ({
                  instruction: addInstruction(draft, { kind: "content", prompt: draft.prompt }),
                  part: null,
                })),
            },
          ]}
        >
          <Icon name="plus" size={15} />
        </Menu>
      </header>
      {instructions.length === 0 ? (
        <p className="hint">
          The prompt alone decides. Draw a path, drag, paint or outline something on the stage to say more.
        </p>
      ) : (
        <ul className="layers">
          {instructions.map((instruction, index) => {
            const loose = isLoose(shot.prompt, instruction);
            const own = wrong.filter((problem) => placeOf(problem) === index);
            return (
              <li
                // biome-ignore lint/suspicious/noArrayIndexKey: the order is an instruction's name
                key={index}
                className="layer"
                data-selected={selection?.instruction === index}
              >
                <button
                  type="button"
                  className="layer-choose"
                  aria-pressed={selection?.instruction === index}
                  onClick={() => select({ instruction: index, part: null })}
                >
                  <i className="track-dot" style={{ background: trackColour(index) }} />
                  <Icon name={iconOf(instruction)} size={15} />
                  <span>{nameOf(instruction)}</span>
                </button>
                {loose && (
                  <span className="warning" title="The prompt does not say these words">
                    not in the prompt
                  </span>
                )}
                <span className="layer-actions">
                  <IconButton
                    icon="up"
                    label={`Send ${nameOf(instruction)} backward`}
                    size={13}
                    disabled={index === 0}
                    onClick={() =>
                      perform("Reorder", (draft) => {
                        reorderInstruction(draft, index, index - 1);
                        return { instruction: index - 1, part: null };
                      })
                    }
                  />
                  <IconButton
                    icon="down"
                    label={`Bring ${nameOf(instruction)} forward`}
                    size={13}
                    disabled={index === instructions.length - 1}
                    onClick={() =>
                      perform("Reorder", (draft) => {
                        reorderInstruction(draft, index, index + 1);
                        return { instruction: index + 1, part: null };
                      })
                    }
                  />
                  <IconButton
                    icon="trash"
                    label={`Delete ${nameOf(instruction)}`}
                    size={13}
                    onClick={() =>
                      perform(`Delete ${nameOf(instruction)}`, (draft) => {
                        removeInstruction(draft, index);
                        return null;
                      })
                    }
                  />
                </span>
                <Problems problems={own} />
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
