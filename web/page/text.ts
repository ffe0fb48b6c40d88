import { languages } from "stentor:languages";
import { en, type Key, type Language } from "./languages/en";

/** Keys that come in plural categories, without them. */
export type Counted = Key extends infer K ? (K extends `${infer Stem}.other` ? Stem : never) : never;

/** What fills the `{words}` of a sentence. */
export type Filling = Readonly<Record<string, string | number>>;

/**
 * Which of the languages there are fits the wishes best: the first wish that is
 * there, by its tag or by its main part (`fr-CA` is served by `fr`), else English.
 */
export function choose(wishes: readonly string[], there: readonly string[]): string {
  for (const wish of wishes) {
    const tag = wish.toLowerCase();
    const found = there.find((name) => name.toLowerCase() === tag) ?? there.find((name) => name === tag.split("-")[0]);
    if (found !== undefined) return found;
  }
  return "en";
}

/** Puts the filling into a sentence; what has none stays as it is. */
export function fill(sentence: string, filling: Filling): string {
  return sentence.replace(/\{(\w+)\}/g, (word, name: string) => String(filling[name] ?? word));
}

/** Speaks one language. */
export class Words {
  readonly #language: Language;
  readonly #plural: Intl.PluralRules;

  constructor(readonly tag: string) {
    this.#language = languages[tag] ?? en;
    this.#plural = new Intl.PluralRules(tag);
  }

  /** Says the sentence of a key. */
  say(key: Key, filling: Filling = {}): string {
    return fill(this.#language[key], filling);
  }

  /** Says how many, with the plural that the number asks for. */
  count(stem: Counted, count: number): string {
    const category = this.#plural.select(count);
    const sentences = this.#language as Readonly<Record<string, string | undefined>>;
    return fill(sentences[`${stem}.${category}`] ?? sentences[`${stem}.other`] ?? "", { count: this.number(count) });
  }

  /** A number as this language writes it, with so many digits behind the point. */
  number(value: number, digits = 0): string {
    return value.toLocaleString(this.tag, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }
}

/** Every language there is: its tag, and what it calls itself. */
export function offered(): { tag: string; name: string }[] {
  return Object.entries(languages).map(([tag, language]) => ({ tag, name: language.language }));
}
