// Package storm measures what becomes of a relay, and of those who are in, when
// very many come at once. The relay is a process of its own; speaker and
// established listeners are this one; the newcomers are a third, of a lower
// priority, because on a machine of their own they would take no processor from
// the relay.
//
// First it measures what a join costs beside a bare handshake of quic-go, and how
// many the relay can take a second; then ten times as many come. Who is told to
// wait comes again when it was told to. Everything is on the loopback, is bounded,
// and ends by itself.
package storm
