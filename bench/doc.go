// Package bench measures relays: what a listener costs one, how much later than
// by a direct way a listener hears, and what becomes of all the others when one
// stops reading. The relay runs as a process of its own, so its CPU time and
// memory are its alone; the listeners are thousands of light connections in this
// process; and beside the relay stands a baseline, the shortest possible loop
// around quic-go's SendDatagram, measured in turns with it, because machines are
// never equally fast for long.
//
//	result, err := bench.Fanout(ctx, bench.Options{Listeners: 600, Baseline: true})
//
// The package decides no limits: it reports figures, and docs/benchmarks.md says
// which were aimed at.
package bench
