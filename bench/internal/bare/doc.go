// Package bare is what relays are compared with: a server that holds connections
// and, every so often, gives each the same datagram with quic-go's SendDatagram
// in one plain loop. It knows no rooms, reads nothing of what clients say, queues
// nothing and uses quic-go's default settings, so whatever a relay costs more is
// the relay's own.
//
// It runs as a process of its own and is told over its stdin when to send.
package bare
