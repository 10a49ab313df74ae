/** Any of a few, as check boxes; where none was ticked by hand the model decides. */
import { chosenAfter } from "../document/choices";

export function Choices<T extends string>({
  label,
  options,
  chosen,
  least = 0,
  onChange,
}: {
  label: string;
  options: readonly (readonly [T, string])[];
  /** null: decided for the model. */
  chosen: readonly T[] | null;
  /** How many have to be chosen, where any are. */
  least?: 0 | 1;
  onChange: (chosen: T[] | null) => void;
}) {
  const names = options.map(([name]) => name);
  return (
    <fieldset className="choices">
      <legend>{label}</legend>
      {options.map(([name, words]) => (
        <label key={name} className="check">
          <input
            type="checkbox"
            checked={chosen?.includes(name) ?? false}
            onChange={(event) =>
              onChange(chosenAfter(names, chosen, name, event.currentTarget.checked, least))
            }
          />
          {words}
        </label>
      ))}
      {chosen === null ? (
        <small>Chosen to suit the model</small>
      ) : (
        <small>
          {chosen.length === 0 && "Nowhere: "}
          <button type="button" className="link" onClick={() => onChange(null)}>
            leave it to the model
          </button>
        </small>
      )}
    </fieldset>
  );
}
