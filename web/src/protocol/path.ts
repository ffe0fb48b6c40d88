import { Limit, ProtocolError } from "./errors";

/**
 * Names a broadcast, or a prefix that several share: segments separated by single
 * slashes, none at either end. The empty path has no segments and is a prefix of
 * every other (docs/wire.md, section 1.2).
 */
export type Path = string;

/**
 * Normalises: slashes at the ends go, runs of them become one. More than 32
 * segments throw a {@link ProtocolError}.
 */
export function parsePath(s: string, where = "path"): Path {
  const segments = s.split("/").filter((segment) => segment !== "");
  if (segments.length > Limit.segments) {
    throw new ProtocolError(where, `path has ${segments.length} segments, above ${Limit.segments}`);
  }
  return segments.join("/");
}

/**
 * What is left of path after prefix and one slash, or undefined if it does not
 * start with the whole segments of prefix: "ab" does not start with "a".
 */
export function trimPrefix(path: Path, prefix: Path): Path | undefined {
  if (prefix === "") return path;
  if (path === prefix) return "";
  return path.startsWith(prefix + "/") ? path.slice(prefix.length + 1) : undefined;
}

/** The path of suffix below prefix. */
export function joinPath(prefix: Path, suffix: Path): Path {
  return prefix === "" || suffix === "" ? prefix + suffix : `${prefix}/${suffix}`;
}
