import assert from "node:assert/strict";
import { test } from "node:test";
import { LevelReporter } from "./loudness";

const [quiet, speech, loud, silence] = [-70, -26, -6, -120];

for (const [name, frames, want] of [
  ["the first frame", [speech], "0:26!"],
  ["then every fifth", Array(7).fill(speech), "0:26! 5:26!"],
  ["the mean power", [silence, speech, speech, speech, silence, silence], "0:120 1:26!"],
  ["silence", Array(6).fill(silence), "0:120 5:120"],
  ["no speech yet", Array(6).fill(quiet), "0:70 5:70"],
  ["somebody begins", [quiet, quiet, quiet, speech, speech, speech], "0:70 3:26!"],
  ["and shouts", [speech, speech, loud, loud], "0:26! 2:6!"],
  ["louder than can be", [7], "0:0!"],
] as [string, number[], string][]) {
  test(`a report of ${name}`, () => {
    const reporter = new LevelReporter();
    const got = frames.flatMap((rms, i) => {
      const [byte] = reporter.frame(rms) ?? [];
      return byte === undefined ? [] : `${i}:${byte & 0x7f}${byte & 0x80 ? "!" : ""}`;
    });
    assert.equal(got.join(" "), want);
  });
}
