// Package memnet is a network in memory for gossip: packets and streams between
// endpoints of one process, with latency and loss, endpoints that are slow or
// dead, and splits that heal. Tests and the simulator run hundreds of relays on
// it, under a fake clock if they like ([testing/synctest]).
//
// It carries what package membership sends and knows nothing about it. It has
// no port, and starts no goroutine that outlives a packet's way.
package memnet
