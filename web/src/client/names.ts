/** How many characters a room's or a speaker's name may have. */
export const MAX_NAME = 128;

/**
 * Says what is wrong with the name of a room or a speaker, or undefined: it is one
 * segment of a path, in any script and with spaces if need be.
 */
export function nameFault(name: unknown): string | undefined {
  if (typeof name !== "string" || name === "") return "the name is empty";
  const length = [...name].length;
  if (length > MAX_NAME) return `the name has ${length} characters, ${MAX_NAME} are allowed`;
  if (name.startsWith(".")) return "the name starts with a dot, which is reserved";
  if (name.includes("/")) return "the name has a slash, which separates room and speaker";
  if (/\p{Cc}/u.test(name)) return "the name has a control character";
  if (/\p{Cs}/u.test(name)) return "the name is not UTF-8"; // a surrogate that is alone
  return undefined;
}
