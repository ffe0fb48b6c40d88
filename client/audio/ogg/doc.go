// Package ogg reads and writes Ogg Opus files (RFC 3533, RFC 7845) with one
// mono or stereo stream. It never decodes, encodes or changes a packet: what a
// [Writer] is given, a [Reader] returns byte for byte.
//
// Time in such a file is a count of samples at 48 kHz. Packets tell their own
// duration; a page tells where the last packet on it ends. So packets that never
// arrived leave no bytes behind, only a page that ends later than its packets
// account for ([Writer.Skip], [Packet].Position).
//
// Files with several streams, at once or one after the other, are refused by
// name ([ErrMultiplexed], [ErrChained]).
package ogg
