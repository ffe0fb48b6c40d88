// Package udp opens the socket that a relay receives and sends everything on,
// with kernel buffers that hold a burst, and errors that say what to do.
//
// Thousands of listeners acknowledge the same group within a millisecond, and
// what does not fit the receive buffer then is lost without a trace. Unless told
// otherwise Linux holds 256 packets of 100 bytes; 8 MiB hold 20,000.
//
// The package starts no goroutine and reads nothing from the socket.
package udp
