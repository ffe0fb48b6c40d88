/** Every file of languages/, by its name without ".ts": scripts/build.mjs makes it. */
declare module "stentor:languages" {
  import type { Language } from "./languages/en";
  export const languages: Readonly<Record<string, Language>>;
}

/** What scripts/build.mjs puts in: where the worklet is served. */
declare const WORKLET_URL: string;
