/** What an edit shows, and how strongly. */
import type { ContentInstruction } from "../../document/shot";
import { Check, Row, TextField } from "../../ui/fields";
import { NumberField } from "../../ui/NumberField";
import { change } from "../change";

export function ContentFields({ content, index }: { content: ContentInstruction; index: number }) {
  const strokes = content.strokes?.length ?? 0;
  return (
    <>
      <TextField
        label={content.mask ? "The region shows" : "The edit shows"}
        value={content.prompt ?? ""}
        placeholder="what the shot's prompt says"
        onChange={(value) =>
          change<ContentInstruction>(
            index,
            "Write the edit",
            (chosen) => {
              chosen.prompt = value || null;
            },
            `edit-${index}`,
          )
        }
      />
      <Row>
        <NumberField
          label="Strength %"
          value={content.strength == null ? null : content.strength * 100}
          empty="default"
          min={0}
          max={100}
          onChange={(number) =>
            change<ContentInstruction>(index, "Set the strength", (chosen) => {
              chosen.strength = number === null ? null : number / 100;
            })
          }
        />
        <NumberField
          label="Feather %"
          value={content.feather == null ? null : content.feather * 100}
          empty="default"
          min={0}
          max={50}
          onChange={(number) =>
            change<ContentInstruction>(index, "Set the feather", (chosen) => {
              chosen.feather = number === null ? null : number / 100;
            })
          }
        />
      </Row>
      {content.mask && (
        <Check
          label="Everything but the region"
          checked={content.mask.invert ?? false}
          onChange={(invert) =>
            change<ContentInstruction>(index, "Turn the region inside out", (chosen) => {
              if (chosen.mask) chosen.mask.invert = invert;
            })
          }
        />
      )}
      {strokes > 0 && (
        <p className="hint">
          {strokes} stroke{strokes === 1 ? "" : "s"}; the brush adds to this paint.
        </p>
      )}
    </>
  );
}
