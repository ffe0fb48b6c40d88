import assert from "node:assert/strict";
import test from "node:test";
import { languages } from "stentor:languages";
import { en } from "./languages/en";
import { choose, fill, offered, Words } from "./text";

const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([word]) => word).sort();

test("every language says everything, with the same words to fill in", () => {
  assert.ok(Object.keys(languages).length >= 2);
  for (const [tag, language] of Object.entries(languages)) {
    const all: Readonly<Record<string, string>> = language;
    for (const [key, english] of Object.entries(en)) {
      assert.ok(all[key]?.trim(), `${tag} lacks ${key}`);
      assert.deepEqual(placeholders(all[key] ?? ""), placeholders(english), `${tag}: ${key}`);
    }
    assert.doesNotThrow(() => new Intl.PluralRules(tag), tag);
  }
});

test("the browser's first wish that is there decides", () => {
  const there = ["en", "fr", "pt-BR"];
  for (const [wishes, want] of [
    [["fr"], "fr"],
    [["fr-CA", "en"], "fr"],
    [["de-DE", "FR"], "fr"],
    [["pt-br"], "pt-BR"],
    [["pt-PT"], "en"],
    [["de", "ja"], "en"],
    [[""], "en"],
    [[], "en"],
  ] as const) assert.equal(choose(wishes, there), want, wishes.join());
});

test("a filling is text, whatever it looks like", () => {
  assert.equal(fill("{a} and {b}", { a: "{b}", b: "$&<i>" }), "{b} and $&<i>");
  assert.equal(fill("{a} {missing}", { a: 0 }), "0 {missing}");
});

test("plurals and numbers follow the language", () => {
  assert.equal(new Words("en").count("listeners", 0), "0 listeners");
  assert.equal(new Words("en").count("listeners", 1), "1 listener");
  assert.equal(new Words("en").count("listeners", 512345), "512,345 listeners");
  assert.equal(new Words("fr").count("listeners", 0), "0 auditeur");
  assert.equal(new Words("fr").count("listeners", 1_000_000).replaceAll(/\s/g, " "), "1 000 000 auditeurs");
  assert.equal(new Words("fr").number(0.2, 1), "0,2");
});

test("each language is offered by its own name", () => {
  assert.deepEqual(offered().find(({ tag }) => tag === "fr"), { tag: "fr", name: "Français" });
});
