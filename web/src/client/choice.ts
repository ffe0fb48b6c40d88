import { type Catalog, Container, type Rendition, bundleSize } from "../protocol";

/** What a listener takes of what a catalog offers. */
export interface Choice {
  /** One packet a group. */
  readonly source: Rendition;
  /** Several a group; undefined: none is wanted or offered. */
  readonly bundle: Rendition | undefined;
}

/**
 * Picks from a catalog what can be played here, and of that the bundles of
 * `packetMs` if there are some. If there is nothing it says, in a string, what
 * there was instead.
 */
export function choose(catalog: Catalog, packetMs: number): Choice | string {
  const of = (container: string): Rendition | undefined =>
    catalog.audio.find((r) => r.container === container && playable(r));
  const source = of(Container.Legacy) ?? of(Container.Loc);
  if (!source) return `no Opus that can be played: ${offers(catalog)}`;
  const bundle = catalog.audio.findLast((r) => {
    const size = bundleSize(r.track);
    return size > 1 && size * 20 === packetMs && r.container === Container.Bundle && playable(r);
  });
  return { source, bundle };
}

/** Whether a decoder can do with a rendition. One that lies in another broadcast is passed over. */
function playable(r: Rendition): boolean {
  return r.codec === "opus" && !r.broadcast && (r.channels === 1 || r.channels === 2);
}

/** Lists a catalog's renditions for people. What a stranger wrote is quoted, and not at any length. */
function offers(catalog: Catalog): string {
  if (catalog.audio.length === 0) return "it offers no audio";
  const quoted = catalog.audio.slice(0, 4).map((r) => {
    const cut = (s: string, n: number): string => JSON.stringify(s.slice(0, n));
    return `${cut(r.track, 40)} (codec ${cut(r.codec, 20)}, container ${cut(r.container, 20)}, ${r.channels} channels)`;
  });
  return "it offers " + quoted.join(", ") + (catalog.audio.length > 4 ? ", …" : "");
}

/**
 * Whether two choices mean the same tracks. A relay that makes no bundles has cut
 * them from the choice that is in use.
 */
export function sameChoice(inUse: Choice, other: Choice): boolean {
  return sameRendition(inUse.source, other.source) && (!inUse.bundle || (!!other.bundle && sameRendition(inUse.bundle, other.bundle)));
}

function sameRendition(a: Rendition, b: Rendition): boolean {
  return (
    a.track === b.track && a.container === b.container && a.sampleRate === b.sampleRate && a.channels === b.channels
  );
}
