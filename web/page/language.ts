import { element, find, setText } from "./dom";
import { choose, offered, Words } from "./text";

const storageKey = "stentor.language";

/**
 * The page's language: what was chosen here before, else what the browser asks for.
 * Changing it says everything anew and disturbs nothing else.
 */
export class Language {
  words: Words;
  readonly #speak: ((words: Words) => void)[] = [];

  constructor() {
    const wishes = [remembered(), ...navigator.languages].filter((wish) => wish !== null);
    this.words = new Words(choose(wishes, offered().map(({ tag }) => tag)));
    const select = find<HTMLSelectElement>("language");
    for (const { tag, name } of offered()) select.append(element("option", { value: tag, lang: tag }, name));
    select.value = this.words.tag;
    select.addEventListener("change", () => this.#change(select.value));
  }

  /** Calls speak at the next apply, and whenever the language changes. */
  each(speak: (words: Words) => void): void {
    this.#speak.push(speak);
  }

  /** Says everything in the language as it is now. */
  apply(): void {
    document.documentElement.lang = this.words.tag;
    setText(find("language-label"), this.words.say("language.choose"));
    for (const speak of this.#speak) speak(this.words);
  }

  #change(tag: string): void {
    this.words = new Words(tag);
    try {
      localStorage.setItem(storageKey, tag);
    } catch {
      // storage is off: the choice holds until the page is left
    }
    this.apply();
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}
