// Package admission decides who may come in at a relay, how fast, and what a
// relay does to have room for them: plain functions of what it has measured. It
// has no goroutine, no socket and no clock; whoever calls it says what time it is.
//
// Four things, each a file:
//
//	load    what a relay has measured      -> how much of it is in use, in percent
//	ladder  that percentage                -> what is asked of newcomers, and of the newest
//	bucket  a handshake, at a time         -> begin it, or refuse it before it costs anything
//	lanes   sessions that are in, and who  -> room for one more, or none
//
// It never puts anybody out. Who is in stays in: newcomers get longer packets, a
// waiting time, or the address of an emptier relay.
package admission
