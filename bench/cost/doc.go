// Package cost says what one of everything costs: a datagram to a listener, a
// listener, a join, a hop, a piece of news in the directory. Package event
// reckons with these figures, and package sim models links, clocks and
// processors by them.
//
// There are three kinds, and [Figure.Source] says which one a figure is of:
//
//   - measured by this program's own bench, on one machine (docs/benchmarks.md);
//     [Read] replaces them by what another machine has measured;
//   - chosen in the code of relay, client or membership, and named there;
//   - arithmetic: what the headers of a packet are in the RFCs.
//
// The package measures nothing itself. It has no goroutine, no socket and no
// clock; [Read] opens files, and nothing else does.
package cost
