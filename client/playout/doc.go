// Package playout turns what the network delivers (frames that are late, out
// of order, doubled or missing) into what an ear wants: even audio. It starts
// no goroutine, opens no socket and reads no clock: every call that depends on
// time is told the time, as a duration since any fixed moment of the caller's
// monotonic clock. It links no codec either; a [Decoder] is handed in.
//
// A frame is 20 ms of one speaker's audio, one Opus packet, numbered by the
// speaker from 0 on. Its way through the package:
//
//   - [Buffer] takes frames as they arrive and gives out one [Slot] for every
//     20 ms that are to sound: a packet, a loss to conceal, or silence. It
//     also says which sequences are missing and can still be fetched in time.
//   - [Estimator] decides how long frames wait, from the spread of their
//     arrival times.
//   - [Player] owns a buffer, a decoder and a resampler for each speaker and
//     mixes them all into one block of 20 ms.
//   - [Sequencer] is the other way out, for a listener that writes packets to
//     a file: everything in order, nothing paced.
//
// No type here may be used from two goroutines at once; callers that push from
// the network and mix from a sound card hold one mutex around both. What a
// peer sends can make no type here hold more than a fixed amount of memory.
//
// The arithmetic is written down in docs/playout.md.
package playout
