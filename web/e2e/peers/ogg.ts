/** The packets of an Ogg Opus file (RFC 3533, RFC 7845), to compare what came with. Pure. */

/** All audio packets of a file with one stream, in order. */
export function packetsOf(file: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let begun: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    if (file.toString("latin1", at, at + 4) !== "OggS") throw new Error(`no page at ${at}`);
    const segments = file[at + 26] ?? 0;
    let data = at + 27 + segments;
    for (const size of file.subarray(at + 27, data)) {
      begun.push(file.subarray(data, data + size));
      data += size;
      if (size === 255) continue; // the packet goes on
      packets.push(Buffer.concat(begun));
      begun = [];
    }
    at = data;
  }
  return packets.slice(2); // OpusHead and OpusTags
}
