/** The repository's root, in tests (scripts/test.mjs). */
declare const ROOT: string;
