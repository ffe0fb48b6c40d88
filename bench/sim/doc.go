// Package sim rehearses an event: very many listeners come to rooms on very many
// relays, and relays die, drain, come back and lose sight of each other. It is a
// discrete-event simulation in which only links, clocks and processors are made
// up, from the figures of package cost. Everything that is decided is decided by
// the functions that decide it in a relay and in a client: who goes where
// (membership/placement), who feeds whom (relay/plan, relay/uplink), who may come
// in (relay/admission, relay), what a load is and when it is told (membership),
// and when a listener hops (client/hop). docs/simulator.md says what is real,
// what is a model, and what is left out.
//
// Nothing happens at the wall clock's time, and nothing by chance: the same
// scenario, seed and constants give the same [Result], byte for byte. The package
// opens no socket and starts no goroutine.
package sim
