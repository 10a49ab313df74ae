/** What a model can do for a shot, by the table that the studio serves with its models. */
import type { Ability, Model } from "./client";

/** Something of a shot that may need abilities: an instruction, as far as it is known, or a setting. */
export interface Asked {
  kind?: string;
  form?: string;
  role?: string;
  /** Whether it names words of the prompt. */
  named?: boolean;
  /** Whether it is for another time than the start. */
  later?: boolean;
  setting?: string;
}

const TOLD = ["kind", "form", "role", "named", "later", "setting"] as const;

/** The abilities that something needs. */
export const neededBy = (table: readonly Ability[], what: Asked): Ability[] =>
  table.filter(({ needed_by }) =>
    needed_by.some((need) => TOLD.every((name) => need[name] == null || need[name] === what[name])),
  );

/** The abilities that something needs and the model lacks. */
export const lacking = (model: Pick<Model, "abilities">, table: readonly Ability[], what: Asked): Ability[] =>
  neededBy(table, what).filter(({ name }) => !model.abilities.includes(name));

export const can = (model: Pick<Model, "abilities">, table: readonly Ability[], what: Asked): boolean =>
  lacking(model, table, what).length === 0;
